"""A copy of an interpreter that runs anywhere.

It needs neither PYTHONHOME nor LD_LIBRARY_PATH. CPython finds its prefix from where the executable is
(`lib/pythonX.Y/os.py`, or `.pyc`, being the landmark), and a relative DT_RPATH in the executable leads
to the libraries beside it, and does so for every extension module that is loaded later.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hatch_release.binaries import elf
from hatch_release.binaries.libraries import locate, of_c_library
from hatch_release.errors import OptionError
from hatch_release.interpreter.build_paths import BuildPaths
from hatch_release.interpreter.stdlib import Selection

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

    from hatch_release.interpreter.facts import Interpreter

# The values are those of configuration time, also in sysconfig's answers (prefix, LIBDIR, INCLUDEPY).
_RELOCATED_VARIABLES = """

import sys

build_time_vars = {{
    name: value.replace({substitute!r}, sys.base_prefix) if isinstance(value, str) else value
    for name, value in build_time_vars.items()
}}
"""


def copy_interpreter(  # noqa: PLR0913 - all but the first two by keyword, each an option of the user
    interpreter: Interpreter,
    destination: Path,
    *,
    strip: bool = True,
    stdlib: str = "used",
    keep: frozenset[str] = frozenset(),
    dropped: Collection[str] = ("tests", "symbols"),
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
        strip: Leave out what `dropped` says; False leaves out only caches and what isn't the interpreter's.
        stdlib: `used` or `full`, see `hatch_release.stdlib.Selection`.
        keep: Top-level modules of the standard library that the project uses.
        dropped: Kinds as `hatch_release.strip_policy` has them: `tests` and `symbols` count here.

    Raises:
        ReleaseError: It isn't a program for Linux, or its library can't be found.
    """
    if not elf.is_elf(interpreter.executable):
        raise OptionError(
            f"{interpreter.executable} isn't a Linux program: set include-python = false", "include-python"
        )
    copy = _Copy(interpreter, destination, strip=strip and "symbols" in dropped)
    copy.add(interpreter.executable, "bin/python3")
    copy.libraries()
    selection = Selection(strip, stdlib, keep, tests="tests" not in dropped)
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
                raise OptionError(
                    f"{source} needs {name}, which was not found: name a complete installation of Python",
                    "include-python",
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
