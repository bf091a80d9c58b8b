"""The files of the cache's entries."""

from __future__ import annotations

import stat
from typing import TYPE_CHECKING, NamedTuple

from hatch_release.cache.copy_worker import copy_file

if TYPE_CHECKING:
    from pathlib import Path


class File(NamedTuple):
    """One file of an entry's tree."""

    path: str
    """Relative to the tree."""
    mode: int
    digest: str
    """SHA-256 of its contents; of a link, empty."""
    link: str = ""
    """Where a symbolic link leads."""


def copy_in(source: Path, target: Path) -> list[File]:
    """Copy a tree into the cache."""
    files = []
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode):
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(found.st_mode):
            files.append(File(name, 0, "", str(path.readlink())))
            (target / name).symlink_to(files[-1].link)
        else:
            mode = stat.S_IMODE(found.st_mode)
            files.append(File(name, mode, copy_file(str(path), str(target / name), mode)[0]))
    return files
