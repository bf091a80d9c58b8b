"""The standard library: which of its files a release takes, and which it leaves behind."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALWAYS = (
    "EXTERNALLY-MANAGED",  # PEP 668: speaks to pip about the machine it is on
    "config-*",  # what extension modules are compiled with
    "dist-packages",
    "site-packages",
    "sitecustomize.py",  # the building machine's own settings
    "usercustomize.py",
)
TEST_DIRECTORIES = frozenset({"test", "tests", "idle_test"})
_TEST_EXTENSIONS = ("_test*", "_ctypes_test", "_xxtestfuzz", "xxlimited*", "xxsubtype")
# Modules for the developer's desk, and `nis`, which brings a chain of libraries and went with 3.13.
SELDOM = frozenset(
    {"_tkinter", "ensurepip", "idlelib", "lib2to3", "nis", "pydoc_data", "tkinter", "turtle", "turtledemo"}
)
_BRINGS = {
    "idlelib": {"tkinter", "_tkinter"},
    "tkinter": {"_tkinter"},
    "turtle": {"tkinter", "_tkinter"},
    "turtledemo": {"turtle", "idlelib", "tkinter", "_tkinter"},
}


@dataclass(frozen=True)
class Selection:
    """What a release takes of the standard library.

    Attributes:
        strip: False takes everything that the interpreter itself can import.
        extent: `used` leaves out tests and modules that services and commands seldom use; `full` the tests.
        keep: Names of top-level modules that are in use and stay whatever `extent` says.
        tests: Whether its tests stay all the same.
    """

    strip: bool = True
    extent: str = "used"
    keep: frozenset[str] = frozenset()
    tests: bool = False

    def files(self, directory: Path) -> Iterator[tuple[Path, str]]:
        """The files below `directory` to take, each with its path relative to it, sorted.

        Links are followed, also out of the directory; those that lead nowhere or around are left out.
        """
        yield from self._walk(directory, "", frozenset({directory.resolve()}))

    def _walk(self, directory: Path, below: str, parents: frozenset[Path]) -> Iterator[tuple[Path, str]]:
        for entry in sorted(os.scandir(directory), key=lambda entry: entry.name):
            relative = f"{below}{entry.name}"
            if self.drops(relative):
                continue
            path = Path(entry.path)
            if entry.is_file():
                yield path, relative
            elif entry.is_dir() and (real := path.resolve()) not in parents:
                yield from self._walk(path, f"{relative}/", parents | {real})

    def drops(self, relative: str) -> bool:
        """Whether the file or directory at `relative` (to the standard library's directory) stays behind."""
        parts = relative.split("/")
        name = parts[-1]
        if name == "__pycache__" or name.endswith(".a"):
            return True
        if len(parts) == 1 and any(fnmatchcase(name, pattern) for pattern in _ALWAYS):
            return True
        module = name.partition(".")[0]
        kept = self.keep.union(*(_BRINGS.get(each, ()) for each in self.keep))
        if not self.strip or module in kept:
            return False
        if name in TEST_DIRECTORIES:
            return not self.tests
        if parts[-2:-1] == ["lib-dynload"]:
            is_test = any(fnmatchcase(module, pattern) for pattern in _TEST_EXTENSIONS)
            return (is_test and not self.tests) or (self.extent == "used" and module in SELDOM)
        return len(parts) == 1 and self.extent == "used" and module in SELDOM
