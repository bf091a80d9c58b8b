"""Finds the interpreter that a release is to run on: what the option `include-python` names."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.dependencies.uv import errors_of, run_uv, shortened, speaks_of_network
from hatch_release.errors import OptionError, ReleaseError, in_one_line
from hatch_release.hookspecs import hookimpl
from hatch_release.interpreter.facts import Interpreter, probe
from hatch_release.interpreter.unpacking import SUFFIXES, unpack
from hatch_release.options.kinds import FUNCTION
from hatch_release.project import resolve
from hatch_release.staging.area import NO_SPACE

if TYPE_CHECKING:
    from hatch_release.release import Release

OPTION = "include-python"
VERSION = re.compile(r"\d+\.\d+(\.\d+)?((a|b|rc)\d+)?t?")
"""A version as uv's requests spell it; `t` asks for a build without the global lock."""
# What archives of python-build-standalone hold: `install_only` python/bin, the full ones python/install/bin.
_HOMES = (".", "python", "python/install", "install")
_OBJECTS = "python/build"
"""What the full archives have beside the installation: object files to link anew."""
_BLOCK = 1 << 20


def find_python(release: Release) -> Interpreter:
    """The interpreter for `release`, as its `python_source` or the option `include-python` says.

    Archives are unpacked below `release.scratch`. A function of the project is called, and the option then
    holds what it gave.

    Raises:
        ReleaseError: There is no usable interpreter; one line that says what was found, where and what to do.
    """
    if release.python_source:
        return _Search(release, str(release.python_source)).installation(release.python_source)
    try:
        return _of_option(release)
    except ReleaseError as error:
        raise OptionError(str(error), OPTION) from error


def _of_option(release: Release) -> Interpreter:
    """The interpreter that the option says."""
    wanted: object = release.options.include_python
    if isinstance(wanted, str) and FUNCTION.accepts(wanted):
        wanted = _given(release, wanted)
        release.options = replace(release.options, include_python=wanted)
    if isinstance(wanted, str):
        given = release.plugins.first("release_find_python", release=release, wanted=wanted)
        if given is None:
            raise ReleaseError(f"{OPTION} is '{wanted}', and no plugin finds such an interpreter")
        return _Search(release, wanted).installation(release.project.root / given.value)
    interpreter = probe()
    if not wanted and "t" in interpreter.abiflags:
        raise ReleaseError(
            f"{OPTION} = false looks for Python {interpreter.minor} on the target, which may be one with the "
            f"global lock, and {interpreter.executable} has none: include it, or assemble with the usual build"
        )
    return interpreter


@hookimpl
def release_find_python(release: Release, wanted: str) -> Path:
    """The installation of a version, by uv; or the path that is meant, relative to the project."""
    if VERSION.fullmatch(wanted):
        return _Search(release, wanted).version()
    return Path(os.path.normpath(release.project.root / wanted))


def _given(release: Release, reference: str) -> bool | str:
    """What the project's function gives in place of the option."""
    function = resolve(release.project.root, reference, OPTION)
    if not callable(function):
        raise ReleaseError(
            f"the option {OPTION} names '{reference}', which is a {type(function).__name__}, not a function"
        )
    try:
        value: object = function()
    except ReleaseError:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise
        raise ReleaseError(
            f"the option {OPTION} names '{reference}', which failed: {in_one_line(error, kind=True)}"
        ) from error
    if isinstance(value, bool):
        return value
    if isinstance(value, (str, os.PathLike)):
        given = os.fspath(value)
        if isinstance(given, str) and given and not FUNCTION.accepts(given):
            return given
    raise ReleaseError(
        f"the option {OPTION} names '{reference}', which gave {value!r}: expected true, false, a path or a version"
    )


@dataclass(frozen=True)
class _Search:
    """The search for what the option names, or a plugin found."""

    release: Release
    wanted: str
    """As the option, or the function, says it."""

    def installation(self, path: Path) -> Interpreter:
        """The interpreter at `path`."""
        if path.is_dir():
            return probe(self._executable(path, (".",), f"the directory {path}"))
        if not path.exists():
            raise ReleaseError(
                f"{OPTION} is '{self.wanted}', and {path} does not exist: correct the path, which is relative "
                'to the project, or give a version such as "3.12"'
            )
        if path.name.endswith(SUFFIXES):
            return self._unpacked(path)
        if not os.access(path, os.X_OK):
            raise ReleaseError(
                f"{OPTION} is '{self.wanted}', and {path} is no program and no archive: name an installation of "
                f"Python, its executable, or an archive that ends with {', '.join(SUFFIXES)}"
            )
        return probe(path)

    def _unpacked(self, archive: Path) -> Interpreter:
        """The interpreter in `archive`."""
        directory = self.release.scratch / "python"
        with self.release.progress.stage(f"Unpacking {archive.name}"):
            unpack(archive, directory, skip=_OBJECTS)
        only = [each.name for each in directory.iterdir() if each.is_dir()][:2]
        homes = (*_HOMES, *(only if len(only) == 1 else ()))
        executable = self._executable(directory, homes, f"the archive {archive}")
        try:
            interpreter = probe(executable)
        except ReleaseError as error:
            raise ReleaseError(str(error).replace(f"{directory}/", f"the archive {archive}: ")) from error
        inside = directory.resolve()
        for each in (interpreter.executable, interpreter.stdlib):
            if not each.resolve().is_relative_to(inside):
                raise ReleaseError(
                    f"the archive {archive} holds no whole interpreter, since that in it uses {each}: "
                    "pack the installation itself, not a virtual environment"
                )
        return replace(interpreter, archive=_digest(archive))

    def _executable(self, directory: Path, homes: tuple[str, ...], what: str) -> Path:
        """The executable of the installation in one of `homes` below `directory`."""
        for home in homes:
            programs = directory / home / "bin"
            named = (
                each
                for each in sorted(programs.glob("python3.*"))
                if re.fullmatch(r"python3\.\d+t?", each.name)
            )
            for each in (programs / "python3", *named, programs / "python"):
                if each.is_file():
                    return each
        raise ReleaseError(
            f"{OPTION} is '{self.wanted}', and {what} holds no interpreter (no bin/python3): "
            "name the prefix directory of an installation of Python for Linux, or an archive of one"
        )

    def version(self) -> Path:
        """The executable of a version: one that uv finds on this machine, else one that uv installs."""
        found = self._found()
        if found is None:
            with self.release.progress.stage(f"Installing Python {self.wanted}"):
                code, output = self._uv("install", self.wanted)
            found = self._found() if code == 0 else None
            if found is None:
                raise ReleaseError(self._not_installed(output))
        return found

    def _found(self) -> Path | None:
        """The executable that uv finds, if any."""
        # Virtual environments don't count, nor what the project wants for its development.
        code, output = self._uv("find", "--system", "--no-project", f"cpython@{self.wanted}")
        path = Path((output.strip().splitlines() or [""])[-1])  # warnings may stand before it
        return path if code == 0 and path.is_absolute() and path.is_file() else None

    def _uv(self, *arguments: str) -> tuple[int, str]:
        variables = {"PATH": _search_path(self.wanted), "UV_PYTHON_INSTALL_BIN": "0"}
        return run_uv(("python", *arguments), self.release.project.root, variables=variables)

    def _not_installed(self, output: str) -> str:
        """Why uv can't install it, and what to do."""
        told, hints = errors_of(output)
        what = f"{OPTION} is '{self.wanted}', and this machine has no CPython {self.wanted} that uv finds"
        if speaks_of_network(told + hints):
            return (
                f"{what}, nor can uv download it: connect to the network, name a mirror "
                "(UV_PYTHON_INSTALL_MIRROR), or give the path of an installation"
            )
        reason = shortened(told + hints) or "it gave no reason"
        return (
            f"{what}, nor can uv install it ({reason}): give another version, or the path of an installation"
        )


def _search_path(version: str) -> str:
    """PATH for uv, with the versions that pyenv has installed in place of its shims.

    A shim answers only for versions that are switched on; uv takes the others for broken interpreters and gives up.
    """
    plain = version.removesuffix("t")
    path: list[str] = []
    for entry in os.environ.get("PATH", os.defpath).split(os.pathsep):
        installed = Path(entry).parent / "versions"
        if Path(entry).name == "shims" and installed.is_dir():
            fitting = (
                each
                for each in installed.iterdir()
                if each.name == version or each.name.startswith(f"{plain}.")
            )
            path += [str(each / "bin") for each in sorted(fitting, key=_numbers, reverse=True)]
        else:
            path.append(entry)
    return os.pathsep.join(path)


def _numbers(directory: Path) -> list[int]:
    """The numbers in a name, to sort versions by."""
    return [int(number) for number in re.findall(r"\d+", directory.name)]


def _digest(file: Path) -> str:
    """The hash of a file's contents."""
    state = hashlib.sha256()
    with file.open("rb") as stream:
        while block := stream.read(_BLOCK):
            state.update(block)
    return state.hexdigest()
