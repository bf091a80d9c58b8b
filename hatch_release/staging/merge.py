"""Merging a new version into a release root, so that all of it happens or nothing does.

What is to be done is planned first and written to a journal. Then each part of the root that changes is set
aside and the new one renamed into its place, `releases/start.data` last. Renaming the journal is the commit:
as long as it has its name, `undo` puts everything back, in this process or in the next one.

A staging directory holds `tree/` (what is new), `replaced/` (what was set aside, by number of the operation)
and `journal`.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.errors import ReleaseError
from hatch_release.runtime import layout
from hatch_release.staging.comparison import equal_parts
from hatch_release.tree.manifest import listed, unit, used_by_others

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from hatch_release.staging.comparison import Digests

Rename = Callable[[Path, Path], None]
"""Renames the first path to the second, as `os.rename` does."""

TREE = "tree"
REPLACED = "replaced"
JOURNAL = "journal"
COMMITTED = "committed"


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One change to the root."""

    path: str
    """What changes, a POSIX path relative to the root."""
    adds: bool
    """Whether the new tree holds it."""
    replaces: bool
    """Whether the root holds it before."""


def plan(root: Path, tree: Path, version: str, ours: Digests, theirs: Digests) -> list[Operation]:
    """What has to change in the root to make it hold the tree.

    Args:
        root: The release's root.
        tree: The new version.
        version: Its name. What this version listed before, and neither the tree holds nor another version
            lists, is removed.
        ours: The checksums of files of the tree.
        theirs: The checksums of files of the root.

    Returns:
        The operations in their order; none for what is equal already.

    Raises:
        ReleaseError: When a file of the tree has the name of a directory in the root.
    """
    paths = list(_units(tree, root))
    equal = equal_parts(root, tree, paths, ours, theirs)
    operations = [
        Operation(path=path, adds=True, replaces=os.path.lexists(root / path))
        for path in paths
        if path not in equal
    ]
    for operation in operations:
        _check_kind(root, tree, operation.path)
    operations += [Operation(path=path, adds=False, replaces=True) for path in _stale(root, tree, version)]
    return sorted(operations, key=lambda operation: (_rank(operation.path), operation.path))


def merge(
    root: Path, staging: Path, operations: Sequence[Operation], rename: Rename, check: Callable[[], None]
) -> None:
    """Carry out what was planned; whatever is raised in the middle, everything is undone first.

    Args:
        root: The release's root.
        staging: The staging directory.
        operations: What to do.
        rename: How to rename.
        check: Called before each operation and before the commit; it may raise.
    """
    (staging / REPLACED).mkdir()
    _write_journal(staging, operations)
    try:
        for number, operation in enumerate(operations):
            check()
            _carry_out(root, staging, number, operation, rename)
        check()
        rename(staging / JOURNAL, staging / COMMITTED)
    except BaseException:
        undo(root, staging)
        raise
    _prune(root, operations)


def undo(root: Path, staging: Path, rename: Rename = os.rename) -> bool:
    """Put everything back that an unfinished merge has changed. It may itself be cut off and run again.

    Args:
        root: The release's root.
        staging: The staging directory of the merge.
        rename: How to rename.

    Returns:
        Whether there was an unfinished merge.
    """
    journal = staging / JOURNAL
    if not journal.exists():
        return False
    # Without the root, somebody has removed the release since: nothing is left to put back.
    if root.is_dir():
        operations = [Operation(**each) for each in json.loads(journal.read_text(encoding="ascii"))]
        for number, operation in reversed(list(enumerate(operations))):
            _undo_one(root, staging, number, operation, rename)
    journal.unlink()
    return True


def _units(tree: Path, root: Path, below: str = "") -> Iterator[str]:
    """What is placed as a whole: the units, files elsewhere, and directories that the root lacks."""
    for entry in sorted(os.scandir(tree / below), key=lambda entry: entry.name):
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.is_dir(follow_symlinks=False) and not _is_unit(path) and (root / path).is_dir():
            yield from _units(tree, root, path)
        else:
            yield path


def _is_unit(path: str) -> bool:
    """Whether a directory is replaced as a whole."""
    return unit(f"{path}/file") == path


def _check_kind(root: Path, tree: Path, path: str) -> None:
    """Refuse to replace a directory, which may hold anybody's files, by a file."""
    if not _is_unit(path) and _is_directory(root / path) and not _is_directory(tree / path):
        raise ReleaseError(
            f"{root / path} is a directory, and the new release has a file of that name: remove one of them"
        )


def _stale(root: Path, tree: Path, version: str) -> list[str]:
    """What the version listed before and nobody has or lists now."""
    others = used_by_others(root, version)
    try:
        before = listed(root, version)
    except ReleaseError:
        return []
    if others is None:
        return []
    used = {unit(path) for entries in others.values() for path in entries}
    return [
        name
        for name in {unit(path) for path in before} - used
        if not os.path.lexists(tree / name) and os.path.lexists(root / name)
    ]


def _rank(path: str) -> int:
    """The order: what nobody sees yet, then what all versions share, then what names the booting version."""
    if path == f"{layout.RELEASES}/{layout.START_DATA}":
        return 2
    return int(path.startswith((f"{layout.BIN}/", f"{layout.RELEASES}/")) and not _is_unit(path))


def _write_journal(staging: Path, operations: Sequence[Operation]) -> None:
    """Write the journal; it is on the disk, whole, before it has its name."""
    draft = staging / f"{JOURNAL}.draft"
    with draft.open("w", encoding="ascii") as file:
        json.dump([asdict(operation) for operation in operations], file)
        file.flush()
        os.fsync(file.fileno())
    draft.replace(staging / JOURNAL)
    descriptor = os.open(staging, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _carry_out(root: Path, staging: Path, number: int, operation: Operation, rename: Rename) -> None:
    """Set the old one aside and place the new one."""
    target, new = root / operation.path, staging / TREE / operation.path
    aside = staging / REPLACED / str(number)
    if operation.replaces and operation.adds and not _is_directory(target) and not _is_directory(new):
        _duplicate(target, aside)
    elif operation.replaces:
        rename(target, aside)
    if operation.adds:
        rename(new, target)


def _duplicate(file: Path, aside: Path) -> None:
    """Give the old file a second name, so that the first is never missing while the new one takes it."""
    try:
        os.link(file, aside, follow_symlinks=False)
    except OSError:
        # File systems without hard links. Copied under another name first: a half copy is never put back.
        draft = aside.with_suffix(".draft")
        shutil.copy2(file, draft, follow_symlinks=False)
        draft.rename(aside)


def _undo_one(root: Path, staging: Path, number: int, operation: Operation, rename: Rename) -> None:
    """Put one part back. What has been done of it is seen from what is where."""
    target, new = root / operation.path, staging / TREE / operation.path
    aside = staging / REPLACED / str(number)
    if operation.replaces:
        if os.path.lexists(aside):
            if os.path.lexists(target) and (_is_directory(target) or _is_directory(aside)):
                rename(target, new)
            rename(aside, target)
    elif os.path.lexists(target) and not os.path.lexists(new):
        rename(target, new)


def _prune(root: Path, operations: Sequence[Operation]) -> None:
    """Remove the directories that the removals have emptied."""
    for operation in operations:
        if not operation.adds:
            directory = (root / operation.path).parent
            with contextlib.suppress(OSError):
                while directory != root:
                    directory.rmdir()
                    directory = directory.parent


def _is_directory(path: Path) -> bool:
    """Whether `path` is a directory and no link to one."""
    return path.is_dir() and not path.is_symlink()
