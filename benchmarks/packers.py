"""The two that every run compares: the release and a plain venv, behind the interface that peers share."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar

import sizes
from measure import BenchmarkError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from workbench import Fixture, Workbench


class Packer(ABC):
    """One way to turn a project into something that runs.

    `prepare` and `clean` are not timed, `build` is. Paths that do not exist before `build` are fine.
    """

    name: ClassVar[str]
    """As users write it after `--peers`."""
    holds_interpreter: ClassVar[bool] = False
    """Whether the result runs where there is no Python."""

    def __init__(self, bench: Workbench, fixture: Fixture) -> None:
        """Nothing is written yet.

        Args:
            bench: What builds.
            fixture: What is built, from a copy.
        """
        self.bench = bench
        self.fixture = fixture
        self.directory = bench.directory / fixture.name / self.name
        self.project = self.directory / fixture.name
        self.environment: Mapping[str, str] = bench.environment
        """Of the measured command."""

    def prepare(self) -> None:
        """Copy the project and install what building needs.

        Raises:
            BenchmarkError: When that fails.
        """
        ignored = shutil.ignore_patterns("dist", "build", "__pycache__")
        shutil.copytree(self.fixture.source, self.project, ignore=ignored)

    def clean(self) -> None:
        """Remove what `build` made, so that the next one is a first one."""
        for tree in self.trees:
            shutil.rmtree(tree, ignore_errors=True)

    def change(self) -> None:
        """Change one file of the application, so that the next build has something to do."""
        package = f"{self.fixture.name}/__init__.py"
        place = next(self.project / each for each in ("", "src") if (self.project / each / package).is_file())
        with (place / package).open("a", encoding="utf-8") as module:
            module.write("# changed\n")

    @abstractmethod
    def build(self, cache: Mapping[str, str]) -> None:
        """Build, as a user does; again when there is something already.

        Args:
            cache: Variables that choose uv's or pip's cache.

        Raises:
            BenchmarkError: When it fails.
        """

    @property
    @abstractmethod
    def command(self) -> list[str]:
        """The program to measure, without the fixture's arguments."""

    @property
    @abstractmethod
    def trees(self) -> list[Path]:
        """The directories that hold the result."""

    def unpacked(self) -> int:
        """Bytes of the result on disk."""
        return sum(sizes.tree(tree) for tree in self.trees)

    def packed(self) -> int:
        """Bytes of the file that one ships.

        Raises:
            BenchmarkError: When packing fails.
        """
        return sizes.packed(self.trees, self.directory / "packed.tar.zst")

    def wheel(self, cache: Mapping[str, str]) -> Path:
        """Build the project's wheel as its back end does, in the environment that holds it.

        Raises:
            BenchmarkError: When it fails.
        """
        dist = self.directory / "dist"
        build = [self.bench.python, "-m", "hatchling", "build", "-t", "wheel", "-d", str(dist)]
        self.bench.call(build, cwd=self.project, more=cache)
        return next(dist.glob("*.whl"))


class Release(Packer):
    """`hatchling build -t release`."""

    name = "release"
    holds_interpreter = True

    def build(self, cache: Mapping[str, str]) -> None:
        """Assemble the release."""
        build = [self.bench.python, "-m", "hatchling", "build", "-t", "release"]
        more = {"HATCH_RELEASE_OVERWRITE": "1", "HATCH_RELEASE_CACHE_DIR": str(self._cache), **cache}
        self.bench.call(build, cwd=self.project, more=more)

    def clean(self) -> None:
        """Remove the release, and what builds keep for each other."""
        super().clean()
        shutil.rmtree(self._cache, ignore_errors=True)

    @property
    def _cache(self) -> Path:
        """Where builds keep what they made."""
        return self.directory / "cache"

    @property
    def command(self) -> list[str]:
        """`bin/NAME start`."""
        return [str(self.trees[0] / "bin" / self.fixture.name), "start"]

    @property
    def trees(self) -> list[Path]:
        """The release's root."""
        return [self.project / "dist" / "release" / self.fixture.name]

    def packed(self) -> int:
        """Bytes of the archive that the step `tar` writes."""
        pyproject = self.project / "pyproject.toml"
        steps = '\n[tool.hatch.build.targets.release]\nsteps = ["assemble", "tar"]\n'
        pyproject.write_text(pyproject.read_text("utf-8") + steps, "utf-8")
        self.build({})
        return sum(archive.stat().st_size for archive in (self.project / "dist").rglob("*.tar.zst"))


class Venv(Packer):
    """`uv venv` and `uv pip install --compile-bytecode` of the project's wheel, with its lock."""

    name = "venv"

    def build(self, cache: Mapping[str, str]) -> None:
        """Build the wheel and install it."""
        wheel = self.wheel(cache)
        lock = self.project / "requirements.lock"
        self.bench.venv(self.trees[0], [str(wheel), "--constraint", str(lock)], more=cache)

    @property
    def command(self) -> list[str]:
        """The console script."""
        return [str(self.trees[0] / "bin" / self.fixture.name)]

    @property
    def trees(self) -> list[Path]:
        """The environment; its interpreter is outside."""
        return [self.directory / "venv"]

    def check(self) -> None:
        """Make sure that nothing is compiled while it is measured.

        Raises:
            BenchmarkError: When modules of the venv or of its interpreter have no `.pyc`.
        """
        sources = {path for path in self.trees[0].rglob("*.py") if "site-packages" in path.parts}
        compiled = {_source(path) for path in self.trees[0].rglob("*.pyc")}
        # Packages ship templates and broken samples for their tests, which no compiler accepts.
        if len(sources - compiled) > len(sources) // 50:
            raise BenchmarkError(
                f"{len(sources - compiled)} of {len(sources)} modules of the venv have no .pyc"
            )
        probe = "import os, importlib.util as u; assert os.path.exists(u.cache_from_source(u.__file__))"
        self.bench.call([str(self.trees[0] / "bin" / "python"), "-c", probe])


def _source(compiled: Path) -> Path:
    """The source of `__pycache__/NAME.TAG.pyc` (PEP 3147)."""
    return compiled.parent.parent / (compiled.name.split(".")[0] + ".py")
