"""Other ways to ship a project, each as its own manual says for a project with package data and metadata."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import sizes
from measure import BenchmarkError
from packers import Packer

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ENTRY = "import sys\nfrom {module} import {function}\nsys.exit({function}())\n"


class Peer(Packer):
    """A tool from the index, in an environment that also holds the project and its locked dependencies."""

    distribution: ClassVar[str]
    """What to install."""

    def prepare(self) -> None:
        """Copy the project, install the tool, and write down the versions of the lock.

        Raises:
            BenchmarkError: When that fails.
        """
        super().prepare()
        built = self.wheel({})
        lock = str(self.project / "requirements.lock")
        self.bench.venv(self.tools, [str(built), "--constraint", lock])
        self._freeze()
        self.bench.venv(self.tools, [self.distribution, "pip", "--constraint", str(self.pins)])

    def _freeze(self) -> None:
        """Write the locked versions without hashes: not every tool accepts hashes as constraints."""
        command = [self.bench.uv, "pip", "freeze", "-q", "--python", str(self.tools)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise BenchmarkError(f"uv pip freeze left with {done.returncode}")
        pinned = [line for line in done.stdout.splitlines() if "==" in line]
        self.pins.write_text("\n".join(pinned) + "\n", "utf-8")

    @property
    def tools(self) -> Path:
        """The environment of the tool."""
        return self.directory / "tools"

    @property
    def pins(self) -> Path:
        """The constraints file of the locked versions."""
        return self.directory / "pins.txt"

    @property
    def built_wheel(self) -> str:
        """The project's wheel."""
        return str(next((self.directory / "dist").glob("*.whl")))

    def tool(self, *arguments: str, more: Mapping[str, str]) -> None:
        """Run the tool.

        Raises:
            BenchmarkError: When it fails.
        """
        command = [str(self.tools / "bin" / self.name), *arguments]
        self.bench.call(command, cwd=self.directory, more=more)


class PyInstaller(Peer):
    """PyInstaller, one directory; it is told to take the project's data and all metadata."""

    name = "pyinstaller"
    distribution = "pyinstaller"
    holds_interpreter = True

    def build(self, cache: Mapping[str, str]) -> None:
        """Freeze the console script."""
        # Not the project's own name, or the script would stand in the package's place.
        script = self.directory / "entry" / f"{self.fixture.name}_entry.py"
        script.parent.mkdir(exist_ok=True)
        module, function = _console_script(self.tools, self.fixture.name)
        script.write_text(ENTRY.format(module=module, function=function), "utf-8")
        places = ["--distpath", "frozen", "--workpath", "work", "--specpath", "spec"]
        asked = ["--collect-all", self.fixture.name, "--recursive-copy-metadata", self.fixture.name]
        self.tool(
            "--onedir", "--noconfirm", "--name", self.fixture.name, *places, *asked, str(script), more=cache
        )

    def clean(self) -> None:
        """Remove the result and the cache of the analysis."""
        super().clean()
        shutil.rmtree(self.directory / "work", ignore_errors=True)

    @property
    def command(self) -> list[str]:
        """The frozen program."""
        return [str(self.trees[0] / self.fixture.name)]

    @property
    def trees(self) -> list[Path]:
        """The one directory."""
        return [self.directory / "frozen" / self.fixture.name]


class SingleFile(Peer):
    """A tool that writes one file, which unpacks or caches itself when it starts."""

    suffix: ClassVar[str]
    root: ClassVar[str]
    """The variable that says where it unpacks to."""

    @abstractmethod
    def options(self) -> list[str]:
        """The tool's arguments besides `-c NAME -o FILE`."""

    def build(self, cache: Mapping[str, str]) -> None:
        """Write the file."""
        self.environment = {**self.bench.environment, self.root: str(self.trees[1])}
        self.file.parent.mkdir(exist_ok=True)
        self.trees[1].mkdir(exist_ok=True)
        output = ["-c", self.fixture.name, "-o", str(self.file)]
        self.tool(*output, *self.options(), more={self.root: str(self.trees[1]), **cache})

    @property
    def file(self) -> Path:
        """The one file."""
        return self.trees[0] / f"{self.fixture.name}{self.suffix}"

    @property
    def command(self) -> list[str]:
        """The interpreter, explicitly: the file's own first line asks PATH."""
        return [str(self.tools / "bin" / "python"), str(self.file)]

    @property
    def trees(self) -> list[Path]:
        """Where the file is, and what it unpacked at its first start."""
        return [self.directory / "file", self.directory / "root"]

    def packed(self) -> int:
        """What is in the file, which is a zip file, compressed as everything else here."""
        content = self.directory / "content"
        with zipfile.ZipFile(self.file) as file:
            file.extractall(content)
        return sizes.packed([content], self.directory / "packed.tar.zst")


class Pex(SingleFile):
    """PEX, a zip file with its cache of unpacked wheels."""

    name = "pex"
    distribution = "pex"
    suffix = ".pex"
    root = "PEX_ROOT"

    def options(self) -> list[str]:
        """The wheel and its locked versions."""
        return [
            self.built_wheel,
            "--constraints",
            str(self.pins),
            "--python",
            str(self.tools / "bin" / "python"),
        ]


class Shiv(SingleFile):
    """shiv, which unpacks at its first start; compiled as its manual offers."""

    name = "shiv"
    distribution = "shiv"
    suffix = ".pyz"
    root = "SHIV_ROOT"

    def options(self) -> list[str]:
        """The wheel and its locked versions, handed on to pip."""
        python = str(self.tools / "bin" / "python")
        return ["--compile-pyc", "-p", python, self.built_wheel, "--constraint", str(self.pins)]


PEERS: tuple[type[Peer], ...] = (PyInstaller, Pex, Shiv)
"""What `--peers` knows besides `venv`."""


def _console_script(environment: Path, name: str) -> tuple[str, str]:
    """Module and function of an installed console script.

    Raises:
        BenchmarkError: When the environment has none of that name.
    """
    find = (
        "import importlib.metadata as m, sys\n"
        "print(*(e.value for e in m.distribution(sys.argv[1]).entry_points if e.name == sys.argv[1]))"
    )
    command = [str(environment / "bin" / "python"), "-I", "-c", find, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    module, _, function = done.stdout.strip().partition(":")
    if not function:
        raise BenchmarkError(f"{name} has no console script {name}")
    return module, function
