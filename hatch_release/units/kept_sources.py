"""Python files that programs copy, read or run by their path: they keep their sources whatever `strip` says.

Nothing says so of itself. Three signs are looked for:

- the file is in a package and yet in no package, since a directory on the way has no `__init__.py`: the templates of
  Alembic and Scrapy are, and so are namespaces inside packages, which can do with sources;
- its name is no module's, and a module beside or above it makes up names of such files (`"config-{}.py"` of OpenCV);
- a module beside or above it, in the same package, spells its name in a string (`config.py` of OpenCV, scripts that are
  started as `python DIRECTORY/worker.py`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_NAMED = re.compile(rb"""['"/\\]([\w.-]+\.py)['"]""")
_MADE_UP = re.compile(rb"""[{%}][\w.-]*\.py['"]""")
_ANY = "*.py"
"""Stands for made-up names."""
_INITIALISER = "__init__.py"


def kept_sources(files: Iterable[Path], home: Path) -> set[Path]:
    """Those of some Python files that keep their sources.

    Args:
        files: All Python files of a directory of distributions, which are sources still.
        home: The directory.

    Raises:
        OSError: When one can't be read.
    """
    search = _Search(home)
    everything = list(files)
    for file in everything:
        search.read(file)
    return {file for file in everything if search.keeps(file)}


class _Search:
    def __init__(self, home: Path) -> None:
        self._home = home
        self._packages: dict[Path, bool] = {}
        self._names: dict[Path, set[str]] = {}
        """What the modules of a directory spell."""

    def read(self, file: Path) -> None:
        """Note the names of files that a module spells."""
        text = file.read_bytes()
        found = [*_NAMED.findall(text), *([_ANY.encode()] if _MADE_UP.search(text) else [])]
        names = self._names.setdefault(file.parent, set())
        names.update(name.decode(errors="replace") for name in found)

    def keeps(self, file: Path) -> bool:
        """Whether one of the signs is there."""
        way = [each for each in file.parents if self._home in each.parents]  # the innermost first
        name = file.name if file.stem.isidentifier() else _ANY
        return self._is_cut_off(way) or self._is_named(file.name, way) or self._is_named(name, way)

    def _is_named(self, name: str, way: list[Path]) -> bool:
        return name != _INITIALISER and any(name in self._names.get(each, ()) for each in way)

    def _is_cut_off(self, way: list[Path]) -> bool:
        """Whether a directory that is no package lies between packages or in front of the file."""
        depth = next((number for number, each in enumerate(way) if not self._is_package(each)), len(way))
        return any(map(self._is_package, way[depth:]))

    def _is_package(self, directory: Path) -> bool:
        if directory not in self._packages:
            self._packages[directory] = (directory / _INITIALISER).is_file()
        return self._packages[directory]
