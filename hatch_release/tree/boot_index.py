"""The module index: which module of a release lies in which file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence
    from pathlib import Path

PACKAGE = "/__init__"


@dataclass(frozen=True)
class ModuleFile:
    """Where a module is."""

    directory: str
    """The directory that its name is relative to, itself relative to the release's root."""
    suffix: str
    """What follows the name in the path, such as `.pyc` or `/__init__.pyc`."""

    def path(self, name: str) -> str:
        """The module's file, relative to the release's root."""
        return f"{self.directory}/{name.replace('.', '/')}{self.suffix}"


@dataclass
class ModuleIndex:
    """The modules of a release, by full name."""

    modules: dict[str, ModuleFile] = field(default_factory=dict)

    def add_directory(
        self, root: Path, directory: str, suffixes: Sequence[str], *, skip: Collection[str] = ()
    ) -> None:
        """Add what Python would find when `directory` is on `sys.path`, unless an earlier one has it.

        Args:
            root: The release's root.
            directory: Relative to `root`.
            suffixes: File endings of modules, the preferred first, as `FileFinder` tries them.
            skip: Names to leave out: modules that the interpreter carries inside itself.
        """
        found: dict[str, ModuleFile] = {}
        rank: dict[str, int] = {}
        for relative in _files(root / directory):
            name, suffix = _module(relative, suffixes)
            if not name or name in skip or name in self.modules:
                continue
            # A package comes before a module of the same name, whatever their suffixes.
            order = suffixes.index(suffix.removeprefix(PACKAGE)) - (
                len(suffixes) if suffix.startswith("/") else 0
            )
            if order < rank.get(name, len(suffixes)):
                found[name], rank[name] = ModuleFile(directory, suffix), order
        self.modules.update(found)


def suffixes_of(extension_suffixes: Sequence[str]) -> tuple[str, ...]:
    """The endings of modules in the order of preference of CPython's `FileFinder`.

    Args:
        extension_suffixes: Those of the interpreter that the release runs on.
    """
    return (*extension_suffixes, ".py", ".pyc")


def _files(directory: Path) -> Iterator[str]:
    """Every file below `directory` in a package or namespace, as a relative path, in a fixed order."""
    for parent, directories, names in os.walk(directory):
        directories[:] = sorted(name for name in directories if name.isidentifier() and name != "__pycache__")
        relative = os.path.relpath(parent, directory)
        prefix = "" if relative == "." else relative + "/"
        yield from (prefix + name for name in sorted(names))


def _module(relative: str, suffixes: Sequence[str]) -> tuple[str, str]:
    """Name and suffix of the module in the file `relative`; an empty name when it holds none."""
    parent, _, file = relative.rpartition("/")
    stem, dot, ending = file.partition(".")
    suffix = dot + ending
    if suffix not in suffixes or not stem.isidentifier():
        return "", ""
    if stem == "__init__":
        return parent.replace("/", "."), PACKAGE + suffix if parent else ""
    return (f"{parent}/{stem}" if parent else stem).replace("/", "."), suffix
