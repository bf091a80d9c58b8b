"""The interpreter that a release runs on: what it says about itself."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

OLDEST = (3, 10)
_TIMEOUT = 60.0
"""Seconds after which an interpreter that is asked about itself counts as stuck."""
_REMEDY = "take CPython 3.10 or newer"
_ARCHITECTURES = {
    "amd64": "x86_64",
    "arm64": "aarch64",
    "armv7l": "armv7",
    "armv8l": "armv7",
    "ppc64le": "powerpc64le",
}


@dataclass(frozen=True)
class Interpreter:
    """An installed CPython, as it describes itself."""

    executable: Path
    """The program itself: no symbolic link, not that of a virtual environment."""
    version: str
    """Its full version, such as `3.11.7` or `3.14.0rc1`."""
    build: str
    """When and with what it was compiled (`sys.version`)."""
    abiflags: str
    """What kind of build it is: `t` for one without the global lock, `d` for debugging, usually nothing."""
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
    archive: str = ""
    """The hash of the archive that it was unpacked from, if it was."""

    @functools.cached_property
    def identity(self) -> str:
        """A hash that changes when the interpreter does, and not with the place that an archive was unpacked to.

        It holds the version, the build, and the archive's contents; for an installation, where it is, and
        name, size and time of each file. What of the system's libraries it uses is not part of it.
        """
        state = hashlib.sha256()
        for each in (self.version, self.build, self.platform, *self.extension_suffixes, *self._contents()):
            state.update(each.encode("utf-8", "surrogateescape") + b"\0")
        return state.hexdigest()

    def _contents(self) -> Iterator[str]:
        """What the files of the interpreter are recognized by."""
        if self.archive:
            yield self.archive
            return
        for directory in dict.fromkeys((self.stdlib, self.dynload or self.stdlib)):
            yield from sorted(_states(os.fspath(directory)))
        for path in sorted({self.executable, *(self.prefix / self.platlibdir).glob("libpython*.so*")}):
            yield _state(os.fspath(path), path.stat())

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


def _states(directory: str) -> Iterator[str]:
    """The states of the files in a directory of the standard library, but for what is never copied."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_file():
                yield _state(entry.path, entry.stat())
            elif entry.is_dir() and entry.name not in {"__pycache__", "site-packages", "dist-packages"}:
                yield from _states(entry.path)


def _state(path: str, status: os.stat_result) -> str:
    """What changes when a file does."""
    return f"{path}:{status.st_size}:{status.st_mtime_ns}"


_ahead: list[Future[Interpreter]] = []
"""The interpreter that runs this program, while it is asked."""


def ask_ahead() -> None:
    """Begin to ask the interpreter that runs this program; the next `probe` without another one gives its answer."""
    if _ahead:
        return
    pool = ThreadPoolExecutor(1)
    _ahead[:] = [pool.submit(_probe, None)]
    pool.shutdown(wait=False)


def probe(executable: Path | None = None) -> Interpreter:
    """Ask the interpreter `executable` what it is; without one, that which runs this program.

    For the Python of a virtual environment, the interpreter it was made from answers. Raises ReleaseError
    when it can't be run, or isn't CPython 3.10 or newer.
    """
    return _ahead.pop().result() if executable is None and _ahead else _probe(executable)


def _probe(executable: Path | None) -> Interpreter:
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
    told = re.fullmatch(r"(\w+) (\d+)\.(\d+)\S*", done.stdout.strip())
    if done.returncode == 0 and told and (told[1] != "CPython" or (int(told[2]), int(told[3])) < OLDEST):
        return f"{path} is {told[0]}: {_REMEDY}"
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
