"""Which parts of a new tree the root holds already: same names, kinds, modes, targets of links and contents."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from hatch_release.tree.manifest import tree_files

if TYPE_CHECKING:
    from pathlib import Path

Digests = Callable[[Iterable[str] | Mapping[str, os.stat_result]], dict[str, str]]
"""Gives the SHA-256 of files of a tree by their paths, relative to it; it may be told what `lstat` says about each."""
Pairs = dict[str, tuple[os.stat_result, os.stat_result]]
"""What `lstat` says about files in the tree and in the root, by path."""


def equal_parts(root: Path, tree: Path, paths: Collection[str], ours: Digests, theirs: Digests) -> set[str]:
    """Those of `paths` that are the same in both.

    All that the file system tells at once is compared first, so checksums are wanted of what may be equal only.

    Args:
        root: The release's root.
        tree: The new version.
        paths: Files, links or directories of the tree, relative to it.
        ours: The checksums of files of the tree.
        theirs: The checksums of files of the root.

    Raises:
        OSError: When a file can't be read.
    """
    alike: dict[str, Pairs] = {}
    for path in paths:
        files: Pairs = {}
        if _is_alike(os.fspath(tree), os.fspath(root), path, files):
            alike[path] = files
    new = ours({file: one for files in alike.values() for file, (one, _) in files.items()})
    old = theirs({file: other for files in alike.values() for file, (_, other) in files.items()})
    return {path for path, files in alike.items() if all(new[file] == old[file] for file in files)}


def read_ahead(root: Path, tree: Path, theirs: Digests) -> None:
    """Take the checksums of the root that `equal_parts` is going to ask for.

    Args:
        root: The release's root, which need not exist.
        tree: The new version.
        theirs: The checksums of files of the root, which it remembers.

    Raises:
        OSError: When a file can't be read.
    """
    theirs(path for path in tree_files(tree) if _size(f"{root}/{path}") == _size(f"{tree}/{path}"))


def _size(path: str) -> int:
    """The size of a file in bytes; of what is none, -1."""
    try:
        found = os.lstat(path)
    except OSError:
        return -1
    return found.st_size if stat.S_ISREG(found.st_mode) else -1


def _is_alike(tree: str, root: str, path: str, files: Pairs) -> bool:
    """Whether a part is the same but for the contents of files; `files` gains those that are to be compared."""
    try:
        one, other = os.lstat(f"{tree}/{path}"), os.lstat(f"{root}/{path}")
    except (FileNotFoundError, NotADirectoryError):
        return False
    return _are_alike(tree, root, path, (one, other), files)


def _are_alike(
    tree: str, root: str, path: str, pair: tuple[os.stat_result, os.stat_result], files: Pairs
) -> bool:
    """The same of what is there in both; `pair` is what `lstat` says."""
    one, other = pair
    if stat.S_ISLNK(one.st_mode) and stat.S_ISLNK(other.st_mode):
        return os.readlink(f"{tree}/{path}") == os.readlink(f"{root}/{path}")  # noqa: PTH115 - for thousands of files
    if one.st_mode != other.st_mode:
        return False
    if stat.S_ISDIR(one.st_mode):
        ours, theirs = _stats(f"{tree}/{path}"), _stats(f"{root}/{path}")
        return ours.keys() == theirs.keys() and all(
            _are_alike(tree, root, f"{path}/{name}", (each, theirs[name]), files)
            for name, each in ours.items()
        )
    files[path] = pair
    return one.st_size == other.st_size


def _stats(directory: str) -> dict[str, os.stat_result]:
    """What `lstat` says about what is in a directory, by name."""
    with os.scandir(directory) as entries:
        return {entry.name: entry.stat(follow_symlinks=False) for entry in entries}
