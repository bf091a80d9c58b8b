"""The modes of a release's files, which are the same whatever the umask of whoever builds it.

What the step `assemble` has made is settled once, at its end: files that may be executed 0755, other files 0644,
directories 0755, the cookie 0600, and so is a `sys.config` that holds secrets. What other steps write is theirs: they
run under the usual umask, and what they set on purpose, such as 0600 or a setuid bit, stays, in the tree and in the
archive.
"""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from hatch_release.runtime import layout

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

UMASK = 0o022
DIRECTORY = EXECUTABLE = 0o755
PLAIN = 0o644
PRIVATE = 0o600
EXECUTE = stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH
_PRIVATE_FILE = f"{layout.RELEASES}/{layout.COOKIE}"
_OWN_MODE = f"/{layout.SYS_CONFIG}"
"""Private when it holds secrets (`configuration/stage.py`)."""


@contextlib.contextmanager
def usual_umask() -> Iterator[None]:
    """Let what is written have the modes that it has on most machines."""
    before = os.umask(UMASK)
    try:
        yield
    finally:
        os.umask(before)


def paths_below(root: Path) -> frozenset[str]:
    """All that is below `root`, as paths relative to it.

    Args:
        root: A directory.
    """
    return frozenset(
        os.path.relpath(f"{directory}/{name}", root)
        for directory, names, files in os.walk(root)
        for name in (*names, *files)
    )


def settle(root: Path, others: Collection[str] = ()) -> None:
    """Give everything below `root` its usual mode, and remove directories that hold nothing.

    (The cache keeps files; without this, an empty directory would be there in the first build only.)

    Args:
        root: The release's root, assembled.
        others: What was not made by `assemble`, relative to `root`: it is left alone.

    Raises:
        OSError: When that can't be done.
    """
    gone: set[str] = set()
    for directory, names, files in os.walk(root, topdown=False):
        below = "" if directory == os.fspath(root) else f"{directory[len(os.fspath(root)) + 1 :]}/"
        for name in files:
            if below + name not in others:
                _settle_file(f"{directory}/{name}", below + name)
        if not below or below[:-1] in others:
            continue
        if not files and gone.issuperset(below + name for name in names):
            os.rmdir(directory)  # noqa: PTH106 - a walk's own terms
            gone.add(below[:-1])
        else:
            _set(directory, os.lstat(directory).st_mode, DIRECTORY)


def _settle_file(path: str, name: str) -> None:
    """Give a file its mode; a link has none."""
    mode = os.lstat(path).st_mode
    if stat.S_ISREG(mode) and not (name.startswith(f"{layout.RELEASES}/") and name.endswith(_OWN_MODE)):
        usual = EXECUTABLE if mode & EXECUTE else PLAIN
        _set(path, mode, PRIVATE if name == _PRIVATE_FILE else usual)


def _set(path: str, mode: int, wanted: int) -> None:
    if stat.S_IMODE(mode) != wanted:  # else the file's times would change, and it would be read again
        os.chmod(path, wanted)  # noqa: PTH101 - for thousands of files
