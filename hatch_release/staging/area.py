"""Where a version is assembled: a directory beside the release's root, merged into it at the very end.

`.NAME.assembling-XXXXXXXX/` holds `tree/`, `scratch/` and `lock`. Its owner holds a `flock` on `lock` as long
as it lives, so a directory whose lock can be had was left by a killed run, and whoever comes next puts right
what that run had half done. Directories are made, recovered and merged under a `flock` on the directory that
they are in, so two runs at once wait for each other.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.errors import ReleaseError
from hatch_release.runtime import manifest
from hatch_release.staging.guards import held_signals, locked
from hatch_release.staging.merge import TREE, merge, plan, undo
from hatch_release.tree.manifest import conflicts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import TracebackType

    from typing_extensions import Self

    from hatch_release.staging.comparison import Digests

__all__ = ["Staging", "conflicts", "recover"]

SCRATCH = "scratch"
LOCK = "lock"
TREE_MODE = 0o755
HINT = "make room and allow writing there, or set the option path to another place"
NO_SPACE = {errno.ENOSPC, errno.EDQUOT, errno.EROFS}


class Staging:
    """A context: on entry a place to assemble in, on exit no trace of it, whatever happened."""

    path: Path
    """The tree to be assembled."""
    scratch: Path
    """A directory for intermediate files."""
    recovered: list[str]
    """What was put right on entry after killed runs, a line each."""

    def __init__(self, root: Path, on_rename: Callable[[Path, Path], None] | None = None) -> None:
        """Nothing happens yet.

        Args:
            root: The release's root, which need not exist; a link to it is followed.
            on_rename: Called before each rename with its source and target; for tests.
        """
        self._root = Path(os.path.realpath(root))
        self._home = _home(self._root)
        self._on_rename = on_rename
        self._made: list[Path] = []
        self._directory: Path | None = None
        self._lock = -1

    def __enter__(self) -> Self:
        """Put right what killed runs left, and make the directory.

        Raises:
            ReleaseError: When that can't be done there.
        """
        try:
            with _explained(f"{self._root} can't be assembled"):
                self._make_parents()
                with locked(self._home):
                    self.recovered = _recover(self._root, self._home)
                    with held_signals():
                        self._make()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """Remove the directory, and the parents made for it that are empty.

        Raises:
            ReleaseError: When assembling has failed for want of space, or a failed merge can't be undone.
        """
        with held_signals():
            self._close()
        if isinstance(error, OSError) and error.errno in NO_SPACE:
            raise ReleaseError(f"{self._root} can't be assembled: {_reason(error)}: {HINT}") from error

    def install(self, version: str, ours: Digests | None = None, theirs: Digests | None = None) -> None:
        """Merge the tree into the root, or make it the root when there is none.

        Equal parts are left alone, others are replaced as a whole (`lib/X`, `python-X.Y.Z`, `releases/VSN`,
        single files elsewhere); what this version had before and nobody uses any more is removed. Other
        versions, foreign files and `tmp/` stay. Signals that end the program are held off meanwhile; one that
        arrives before the end undoes everything.

        Args:
            version: The version that the tree holds.
            ours: Gives the checksums of files of the tree; None: they are taken.
            theirs: The same of files of the root.

        Raises:
            ReleaseError: When it can't be done; the root is then as it was before.
        """
        directory = self.path.parent
        with _explained(f"{version} can't be installed in {self._root}"), locked(self._home):
            _recover(self._root, self._home)
            if not self._root.exists():
                self._rename(self.path, self._root)
                return
            ours = ours or functools.partial(manifest.digests, os.fspath(self.path))
            theirs = theirs or functools.partial(manifest.digests, os.fspath(self._root))
            operations = plan(self._root, self.path, version, ours, theirs)
            if not operations:
                return
            with held_signals() as arrived:
                merge(self._root, directory, operations, self._rename, lambda: _interrupt(arrived))

    def _rename(self, source: Path, target: Path) -> None:
        """Rename, telling whoever wants to know first."""
        if self._on_rename:
            self._on_rename(source, target)
        source.rename(target)

    def _make_parents(self) -> None:
        """Make the directories that the staging directory goes into, and remember which are new."""
        missing = []
        directory = self._home
        while not directory.exists():
            missing.append(directory)
            directory = directory.parent
        for each in reversed(missing):
            each.mkdir(exist_ok=True)
            self._made.append(each)

    def _make(self) -> None:
        """Make the staging directory and take its lock."""
        self._directory = Path(tempfile.mkdtemp(prefix=_prefix(self._root), dir=self._home))
        self._lock = os.open(self._directory / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        self.path = self._directory / TREE
        self.scratch = self._directory / SCRATCH
        self.scratch.mkdir()
        self.path.mkdir()
        self.path.chmod(TREE_MODE)

    def _close(self) -> None:
        """Remove what was made."""
        try:
            if self._directory and self._directory.exists():
                with _explained(f"{self._directory} can't be cleaned up", "the next run tries again"):
                    with locked(self._home):
                        undo(self._root, self._directory)
                    _empty(self._directory)
                    # Others look under the same lock: they never see a directory whose lock is gone already.
                    with locked(self._home):
                        _remove(self._directory)
            for each in reversed(self._made):
                with contextlib.suppress(OSError):
                    each.rmdir()
        finally:
            if self._lock >= 0:
                os.close(self._lock)
                self._lock = -1


def recover(root: Path, rename: Callable[[Path, Path], None] = os.rename) -> list[str]:
    """Put right what killed runs left beside a root: undo half-done merges, remove their directories.

    Args:
        root: The release's root, which need not exist.
        rename: How to rename.

    Returns:
        What was done, a line each.

    Raises:
        ReleaseError: When it can't be done.
    """
    root = Path(os.path.realpath(root))
    home = _home(root)
    if not home.is_dir():
        return []
    with _explained(f"what a killed run left beside {root} can't be put right"), locked(home):
        return _recover(root, home, rename)


def _recover(root: Path, home: Path, rename: Callable[[Path, Path], None] = os.rename) -> list[str]:
    """Put right what killed runs left; the lock on `home` is held."""
    lines = []
    for directory in sorted(home.iterdir()):
        if not re.fullmatch(re.escape(_prefix(root)) + "[a-z0-9_]{8}", directory.name):
            continue
        with _dead(directory) as dead:
            if dead:
                undone = undo(root, directory, rename)
                _empty(directory)
                _remove(directory)
                what = "its unfinished installation was undone, and " if undone else ""
                lines.append(f"An earlier run was killed: {what}{directory.name} was removed")
    return lines


@contextlib.contextmanager
def _dead(directory: Path) -> Iterator[bool]:
    """Whether nobody works in a staging directory; if so, its lock is ours meanwhile."""
    try:
        descriptor = os.open(directory / LOCK, os.O_RDWR)
    except FileNotFoundError:
        yield True
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        yield False
    else:
        yield True
    finally:
        os.close(descriptor)


def _empty(directory: Path) -> None:
    """Remove all of a staging directory but its lock: until that goes, nobody takes it for a dead one."""
    for entry in directory.iterdir():
        if entry.name == LOCK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            _remove_tree(entry)
        else:
            entry.unlink()


def _remove(directory: Path) -> None:
    """Remove an emptied staging directory; the lock on the directory around it is held."""
    (directory / LOCK).unlink(missing_ok=True)
    directory.rmdir()


def _remove_tree(path: Path) -> None:
    """Remove a tree, directories that don't allow it too."""
    try:
        shutil.rmtree(path)
    except PermissionError:
        for directory, _names, _files in os.walk(path):
            Path(directory).chmod(0o700)
        shutil.rmtree(path)


def _home(root: Path) -> Path:
    """Where staging directories go: beside the root, or inside when it is a mount that nothing moves into."""
    return root if root.is_mount() else root.parent


def _prefix(root: Path) -> str:
    """What the names of staging directories begin with."""
    return f".{root.name}.assembling-"


def _interrupt(arrived: list[int]) -> None:
    """Stop when a signal has arrived."""
    if arrived:
        raise KeyboardInterrupt


@contextlib.contextmanager
def _explained(what: str, hint: str = HINT) -> Iterator[None]:
    """Turn what the system refuses into one line."""
    try:
        yield
    except OSError as error:
        raise ReleaseError(f"{what}: {_reason(error)}: {hint}") from error


def _reason(error: OSError) -> str:
    """What the system says, and about which file."""
    reason = error.strerror or str(error)
    return f"{reason} ({error.filename})" if error.filename else reason
