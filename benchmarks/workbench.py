"""The environment that all is built in: an interpreter, uv, hatchling, this checkout's hatch-release."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import sizes
from measure import BenchmarkError, clean_environment, last_line
from uv import find_uv_bin

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROOT = Path(__file__).parents[1]
LIMIT = 1800
"""Seconds that a build may take."""


@dataclass(frozen=True)
class Fixture:
    """A sample project and the command that is measured."""

    name: str
    arguments: tuple[str, ...]
    """Of its console script, which bears its name."""
    goals: Mapping[str, float] = field(default_factory=dict)
    """The largest ratio to reach, by metric."""

    @property
    def source(self) -> Path:
        """The project's directory."""
        return ROOT / "fixtures" / self.name


FIXTURES = (
    Fixture("hello", ()),
    Fixture("cli", ("--version",), {"warm CPU": 0.80, "cold wall": 0.85, "peak memory": 1.1}),
    Fixture("webapp", ("--check",), {"warm CPU": 0.90, "cold wall": 0.85, "peak memory": 1.1}),
)


@dataclass(frozen=True)
class Workbench:
    """Where things are made, and what with."""

    directory: Path
    interpreter: Path
    """The interpreter that everything runs on: the release holds it, the venv stands on it."""
    environment: Mapping[str, str]
    """Of everything that is built."""

    @classmethod
    def create(cls, directory: Path, interpreter: Path) -> Workbench:
        """Make the build environment in `directory`.

        Raises:
            BenchmarkError: When that fails.
        """
        bench = cls(directory, interpreter, clean_environment())
        wheels = directory / "wheels"
        bench.call([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)], cwd=ROOT)
        bench.venv(bench.builder, [str(next(wheels.glob("*.whl"))), "--reinstall-package", "hatch-release"])
        return bench

    @property
    def builder(self) -> Path:
        """The environment with hatchling and hatch-release."""
        return self.directory / "builder"

    @property
    def python(self) -> str:
        """The builder's interpreter."""
        return str(self.builder / "bin" / "python")

    @property
    def version(self) -> str:
        """The interpreter's implementation and version."""
        return self._ask("import platform as p; print(p.python_implementation(), p.python_version())")[0]

    @property
    def interpreter_trees(self) -> list[Path]:
        """The interpreter's own files: its standard library, its shared library and its executable."""
        show = (
            "import os, sys, sysconfig as s; print(s.get_path('stdlib')); print(s.get_config_var('LIBDIR'))\n"
            "print(os.path.realpath(getattr(sys, '_base_executable', sys.executable)))\n"
            "print('libpython%d.%d' % sys.version_info[:2])"
        )
        stdlib, libraries, executable, library = self._ask(show)
        shared = {path.resolve() for path in Path(libraries).glob(f"{library}*.so*")}
        return [Path(stdlib), *sorted(shared), Path(executable)]

    @functools.cached_property
    def interpreter_sizes(self) -> tuple[int, int]:
        """Bytes of the interpreter as it is installed, packed and unpacked, without what pip put there."""
        trees = self.interpreter_trees
        archive = self.directory / "python.tar.zst"
        foreign = ("site-packages", "dist-packages")
        return sizes.packed(trees, archive, foreign), sum(sizes.tree(tree, foreign) for tree in trees)

    def _ask(self, code: str) -> list[str]:
        """The lines that some code prints in the interpreter."""
        command = [str(self.interpreter), "-I", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    @property
    def uv(self) -> str:
        """The uv that hatch-release uses, once the builder is there: the venv is made by the same."""
        own = self.builder / "bin" / "uv"
        return str(own) if own.exists() else str(find_uv_bin())

    def venv(
        self, directory: Path, requirements: Sequence[str], *, more: Mapping[str, str] | None = None
    ) -> None:
        """Make an environment of the interpreter, compiled; one that is there already is brought up to date.

        Raises:
            BenchmarkError: When uv fails.
        """
        uv = self.uv
        make = [uv, "venv", "-q", "--allow-existing", "--python", str(self.interpreter), str(directory)]
        self.call(make, more=more)
        install = [uv, "pip", "install", "-q", "--compile-bytecode", "--python", str(directory)]
        self.call([*install, *requirements], more=more)

    def call(
        self, command: Sequence[str], *, cwd: Path | None = None, more: Mapping[str, str] | None = None
    ) -> None:
        """Run a command that must succeed.

        Raises:
            BenchmarkError: When it does not; with what it said last.
        """
        done = subprocess.run(
            command,
            cwd=cwd or self.directory,
            env={**self.environment, **(more or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
        if done.returncode != 0:
            said = last_line(done.stderr if done.stderr.strip() else done.stdout)
            raise BenchmarkError(f"{' '.join(command)} left with {done.returncode}: {said}")


def find_interpreter(asked: str | None) -> Path:
    """The interpreter to measure with.

    Args:
        asked: A version such as `3.11`, looked for in pyenv's directory and on PATH, or the path of an
            executable; the running one when None.

    Raises:
        BenchmarkError: When there is none.
    """
    if asked is None:
        return Path(sys.executable)
    if os.sep in asked:
        places = [Path(asked).absolute()]
    else:
        versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
        places = [*versions.glob(f"{asked}/bin/python3"), *versions.glob(f"{asked}.*/bin/python3")]
        on_path = shutil.which(f"python{asked}")
        places += [Path(on_path)] if on_path else []
    for place in places:
        if place.exists() and _runs(place):
            return place
    raise BenchmarkError(f"no Python {asked} was found: name its executable with --python PATH")


def _runs(executable: Path) -> bool:
    """Whether an executable is a Python that starts (a shim exists without its version)."""
    return subprocess.run([str(executable), "-I", "-c", ""], capture_output=True, check=False).returncode == 0
