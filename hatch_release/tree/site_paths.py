"""The `.pth` and `.start` files of distributions, expanded while assembling (see the standard library's `site`).

`.start` files are Python 3.15's (PEP 829); older versions have no use for them. The rules followed here are those of
`site.StartupState`: all directories first, then the import lines of `.pth` files without a `.start` file of their
name, then what `.start` files name, each kind in the order of the files' names.
"""

from __future__ import annotations

import ast
import contextlib
import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hatch_release.dependencies.distributions import Distribution

FIRST_WITH_START_FILES = (3, 15)
_SUFFIXES = (".pth", ".start")
_NAME = r"[^\W\d]\w*(?:\.[^\W\d]\w*)*"
_ENTRY_POINT = re.compile(rf"(?P<module>{_NAME}):(?P<attribute>{_NAME})")
"""What `pkgutil.resolve_name(..., strict=True)` accepts."""


@dataclass
class SitePaths:
    """What the files ask for."""

    directories: list[str] = field(default_factory=list)
    """More directories for `sys.path`, relative to the root."""
    lines: list[tuple[str, str]] = field(default_factory=list)
    """Lines to run at every start, each with the directory that its file is in, relative to the root."""
    wrong: list[str] = field(default_factory=list)
    """What of `.start` files can't be followed, a message each."""

    @property
    def imports(self) -> set[str]:
        """The modules that the lines import; a name behind `from` may be one."""
        names: set[str] = set()
        for _directory, line in self.lines:
            with contextlib.suppress(SyntaxError, ValueError):  # told at start, as in a virtual environment
                for node in ast.walk(ast.parse(line)):
                    if isinstance(node, ast.Import):
                        names.update(each.name for each in node.names)
                    elif isinstance(node, ast.ImportFrom):
                        names.update(f"{node.module}.{each.name}" for each in node.names)
        return names


def has_site_files(distribution: Distribution) -> bool:
    """Whether a distribution has such files.

    Args:
        distribution: The distribution.
    """
    return any(len(file.parts) == 1 and file.suffix in _SUFFIXES for file in distribution.files)


def read_site_paths(root: Path, directories: Iterable[str], version: str) -> SitePaths:
    """Read the files at the top of each directory, in the order in which `site` would if they were one.

    Args:
        root: The release's root.
        directories: The directories of the distributions, relative to `root`.
        version: Of the Python that the release runs on, `3.15.0` or the like.
    """
    found = SitePaths()
    places = list(directories)
    started: dict[str, list[tuple[str, str]]] = {}
    has_start_files = tuple(map(int, version.split(".")[:2])) >= FIRST_WITH_START_FILES
    if has_start_files:
        started = {
            file.stem: lines
            for directory, file in _files(root, places, ".start")
            if (lines := _start_lines(directory, file, found)) is not None
        }
    for directory, file in _files(root, places, ".pth"):
        for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines():
            text = line.strip() if has_start_files else line.rstrip()
            _read_line(root, directory, text, found, imports=file.stem not in started)
    found.lines += [line for lines in started.values() for line in lines]
    return found


def _files(root: Path, directories: Iterable[str], suffix: str) -> Iterator[tuple[str, Path]]:
    """The files at the top of directories, by name, each with its directory; hidden ones don't count."""
    found = [
        (entry.name, directory)
        for directory in directories
        for entry in os.scandir(root / directory)
        if entry.name.endswith(suffix) and not entry.name.startswith(".")
    ]
    for name, directory in sorted(found, key=lambda each: each[0]):
        yield directory, root / directory / name


def _read_line(root: Path, directory: str, line: str, found: SitePaths, *, imports: bool) -> None:
    """Take one line: a comment, code, or a directory that is there."""
    if not line or line.startswith("#"):
        return
    if line.startswith(("import ", "import\t")):
        if imports:
            found.lines.append((directory, line))
        return
    path = os.path.normpath(f"{directory}/{line}")
    inside = not line.startswith("/") and not path.startswith("..")
    if inside and (root / path).is_dir() and path not in found.directories:
        found.directories.append(path)


def _start_lines(directory: str, file: Path, found: SitePaths) -> list[tuple[str, str]] | None:
    """What a `.start` file names, as lines to run; None for one that `site` would pass over."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        found.wrong.append(f"{directory}/{file.name} is not UTF-8: it is passed over")
        return None
    lines = []
    for each in filter(None, map(str.strip, text.splitlines())):
        if each.startswith("#"):
            continue
        match = _ENTRY_POINT.fullmatch(each)
        if match:
            # The module as `importlib.import_module` gives it, whatever its package calls so.
            code = f"import sys, {match['module']}; sys.modules[{match['module']!r}].{match['attribute']}()"
            lines.append((directory, code))
        else:
            found.wrong.append(
                f"{directory}/{file.name} names {each!r}, which is no 'module:callable': it is passed over"
            )
    return lines
