"""The interpreter that a release runs on: what it is, and a copy of it that runs anywhere.

A copy needs neither PYTHONHOME nor LD_LIBRARY_PATH. CPython finds its prefix from where the executable is
(`lib/pythonX.Y/os.py`, or `.pyc`, being the landmark), and a relative DT_RPATH in the executable leads
to the libraries beside it, and does so for every extension module that is loaded later.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hatch_release import elf
from hatch_release.build_paths import BuildPaths
from hatch_release.errors import ReleaseError
from hatch_release.libraries import locate, of_c_library
from hatch_release.stdlib import Selection

OLDEST = (3, 10)
_TIMEOUT = 60.0
"""Seconds after which an interpreter that is asked about itself counts as stuck."""
_REMEDY = "name an executable of CPython 3.10 or newer"
_ARCHITECTURES = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "armv7l": "armv7",
    "armv8l": "armv7",
    "ppc64le": "powerpc64le",
}


# The values are those of configuration time, also in sysconfig's answers (prefix, LIBDIR, INCLUDEPY).
_RELOCATED_VARIABLES = """

import sys

build_time_vars = {{
    name: value.replace({substitute!r}, sys.base_prefix) if isinstance(value, str) else value
    for name, value in build_time_vars.items()
}}
"""


@dataclass(frozen=True)
class Interpreter:
    """An installed CPython, as it describes itself."""

    executable: Path
    """The program itself: no symbolic link, not that of a virtual environment."""
    version: str
    """Its full version, such as `3.11.7` or `3.14.0rc1`."""
    implementation: str
    """`cpython`."""
    cache_tag: str
    """What its `.pyc` files are named after, such as `cpython-311`."""
    magic: bytes
    """The first four bytes of its `.pyc` files."""
    stdlib: Path
    """The directory of the standard library."""
    dynload: Path | None
    """The directory of its extension modules, if it has any outside the executable."""
    extension_suffixes: tuple[str, ...]
    """How file names of extension modules may end, in the order of preference."""
    prefix: Path
    """Where it is installed."""
    platform: str
    """`sysconfig.get_platform()`, such as `linux-x86_64`."""
    platlibdir: str
    """The name of the directory that the standard library is looked for in: `lib` or `lib64`."""
    libc: str
    """`gnu` or `musl`, empty on other systems than Linux."""
    frozen: tuple[str, ...]
    """Names of the modules that are inside the executable or libpython, built-in ones included."""
    markers: dict[str, str]
    """The environment for PEP 508 markers."""
    build_paths: tuple[str, ...]
    """Directories it was configured with, compiled in and lies in."""

    @property
    def minor(self) -> str:
        """The version that compatibility goes by, such as `3.11`."""
        return ".".join(self.version.split(".")[:2])

    @property
    def target(self) -> str:
        """The target triple, such as `x86_64-unknown-linux-gnu`."""
        system, _, rest = self.platform.partition("-")
        machine = rest.rpartition("-")[2]
        architecture = _ARCHITECTURES.get(machine, machine)
        if system == "macosx":
            return f"{architecture}-apple-darwin"
        if system == "win":
            return f"{architecture}-pc-windows-msvc"
        hard_float = "eabihf" if architecture == "armv7" else ""
        return f"{architecture}-unknown-{system}-{self.libc}{hard_float}"


def probe(executable: Path | None = None) -> Interpreter:
    """Ask the interpreter `executable` what it is; without one, that which runs this program.

    For the Python of a virtual environment, the interpreter it was made from answers. Raises ReleaseError
    when it can't be run, or isn't CPython 3.10 or newer.
    """
    path = executable or Path(getattr(sys, "_base_executable", None) or sys.executable)
    done = _run(path, [str(Path(__file__).with_name("self_report.py"))])
    try:
        answer = json.loads(done.stdout) if done.returncode == 0 else None
    except ValueError:
        answer = None
    if answer is None:
        raise ReleaseError(_refusal(path, done.stderr))
    if answer["implementation"] != "cpython":
        raise ReleaseError(f"{path} is {answer['markers']['platform_python_implementation']}: {_REMEDY}")
    return _interpreter(answer)


def _run(path: Path, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run an interpreter on `arguments`, apart from the user's settings."""
    try:
        return subprocess.run(
            [path, "-I", "-S", *arguments],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_TIMEOUT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(f"{path} did not answer within {_TIMEOUT:.0f} seconds: {_REMEDY}") from error
    except OSError as error:
        raise ReleaseError(f"the interpreter {path} can't be run ({error.strerror}): {_REMEDY}") from error


def _refusal(path: Path, problem: str) -> str:
    """Why `path`, which could not run the report, can't be used."""
    code = "import platform as p; print(p.python_implementation() + ' ' + p.python_version())"
    done = _run(path, ["-c", code])
    name, _, version = done.stdout.strip().partition(" ")
    if done.returncode == 0 and version:
        parts = tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())
        if parts < OLDEST:
            return f"{path} is {name} {version}: {_REMEDY}"
    last = (problem.strip().splitlines() or ["it printed nothing of use"])[-1]
    return f"{path} doesn't answer as an interpreter does ({last}): {_REMEDY}"


def _interpreter(answer: dict[str, Any]) -> Interpreter:
    """The answer of `self_report` with the types of `Interpreter`."""
    return Interpreter(
        **{
            **answer,
            "executable": Path(answer["executable"]),
            "magic": bytes.fromhex(answer["magic"]),
            "stdlib": Path(answer["stdlib"]),
            "dynload": Path(answer["dynload"]) if answer["dynload"] else None,
            "extension_suffixes": tuple(answer["extension_suffixes"]),
            "prefix": Path(answer["prefix"]),
            "frozen": tuple(answer["frozen"]),
            "build_paths": tuple(answer["build_paths"]),
        }
    )


def copy_interpreter(
    interpreter: Interpreter,
    destination: Path,
    *,
    strip: bool = True,
    stdlib: str = "used",
    keep: frozenset[str] = frozenset(),
) -> None:
    """Write a relocatable copy of `interpreter` into the new directory `destination`.

    ```
    bin/python3          a real file
    lib/libpython*       if the executable needs it, with libraries from private directories
    lib/pythonX.Y/       the standard library: sources as they are, lib-dynload
    ```
    No path of the building machine is left in it. Other shared libraries are the work of
    `hatch_release.libraries.bundle_libraries`.

    Args:
        interpreter: What `probe` gave.
        destination: The release's `python-X.Y.Z`.
        strip: Leave out tests and symbols; False leaves out only caches and what isn't the interpreter's.
        stdlib: `used` or `full`, see `hatch_release.stdlib.Selection`.
        keep: Top-level modules of the standard library that the project uses.

    Raises:
        ReleaseError: It isn't a program for Linux, or its library can't be found.
    """
    if not elf.is_elf(interpreter.executable):
        raise ReleaseError(f"{interpreter.executable} isn't a Linux program: set include-python = false")
    copy = _Copy(interpreter, destination, strip=strip)
    copy.add(interpreter.executable, "bin/python3")
    copy.libraries()
    selection = Selection(strip, stdlib, keep)
    home = f"lib/{interpreter.stdlib.name}"
    for source, relative in selection.files(interpreter.stdlib):
        copy.add(source, f"{home}/{relative}")
    dynload = interpreter.dynload
    if dynload and interpreter.stdlib not in dynload.parents:
        for source, name in selection.files(dynload):
            if not selection.drops(f"lib-dynload/{name}"):
                copy.add(source, f"{home}/lib-dynload/{name}")
    copy.libraries()
    copy.set_search_paths()
    if interpreter.platlibdir != "lib":
        (destination / interpreter.platlibdir).symlink_to("lib")


@dataclass
class _Copy:
    """A copy being made."""

    interpreter: Interpreter
    destination: Path
    strip: bool
    binaries: dict[Path, Path] = field(default_factory=dict)
    """ELF files of the copy, and what each is a copy of."""
    substitute: str = field(init=False)
    """What stands for the paths of this machine."""

    def __post_init__(self) -> None:
        """Find out which paths to hide."""
        self.substitute = f"/python-{self.interpreter.version}"
        self._paths = BuildPaths(self.interpreter.build_paths, self.substitute)

    def add(self, source: Path, name: str) -> None:
        """Copy one file to `name` below the destination, writable for its owner, without our paths."""
        target = self.destination / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        target.chmod(stat.S_IMODE(source.stat().st_mode) | stat.S_IWUSR)
        binary = elf.is_elf(target)
        if binary:
            self.binaries[target] = source.resolve()
            if self.strip:
                elf.strip(target)
        data = target.read_bytes()
        clean = self._paths.hidden(data, keep_size=binary or b"\0" in data)
        if clean == data:
            return
        if target.name.startswith("_sysconfigdata_") and target.suffix == ".py":
            clean += _RELOCATED_VARIABLES.format(substitute=self.substitute).encode()
        target.write_bytes(clean)

    def libraries(self) -> None:
        """Copy libpython, and each library that is found through the search path of what needs it.

        The last are those of an interpreter that carries its own, or was linked with private ones.
        """
        pending = [(source, elf.linkage(source)) for source in self.binaries.values()]
        while pending:
            source, link = pending.pop()
            for name in link.needed:
                found = self._library(name, source, link)
                if found and not (self.destination / "lib" / name).exists():
                    self.add(found, f"lib/{name}")
                    pending.append((found, elf.linkage(found)))

    def _library(self, name: str, source: Path, link: elf.Linkage) -> Path | None:
        """The file of the library `name` if it has to come from where the interpreter is."""
        if of_c_library(name):
            return None
        prefix = self.interpreter.prefix
        private = [*link.directories(source.parent), source.parent, prefix / self.interpreter.platlibdir]
        found = locate(name, source, private)
        if name.startswith("libpython"):
            if found is None:
                raise ReleaseError(
                    f"{source} needs {name}, which was not found: name a complete installation of Python"
                )
            return found
        return found if any((directory / name).exists() for directory in private) else None

    def set_search_paths(self) -> None:
        """Lead the executable and the libraries, and what was led elsewhere before, to `lib/`."""
        lib = self.destination / "lib"
        groups: dict[str, list[Path]] = defaultdict(list)
        for target in self.binaries:
            way = os.path.relpath(lib, target.parent)
            rpath = "$ORIGIN" if way == "." else f"$ORIGIN/{way}"
            # Other modules follow the executable's DT_RPATH: patching them would only make them bigger.
            if target.parent in {lib, self.destination / "bin"} or elf.linkage(target).search:
                groups[rpath].append(target)
        for rpath, targets in groups.items():
            elf.set_rpaths(targets, rpath)
