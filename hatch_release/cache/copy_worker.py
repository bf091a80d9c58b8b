"""Copying the files of a tree, hashed on the way; also a program that does so for others (`copier.py`).

The program reads jobs from its input, `[SOURCE, DESTINATION, [[PATH, MODE, DIGEST, LINK], ...], BESIDE]` in one line
each, and answers each with a line: `{"copies": ...}` as `copy` gives it, `{"damaged": WHAT}` or `{"refused": [ERRNO,
TEXT, FILE]}`. It ends with its input, or when who started it has ended, and imports little, since a build waits for it.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence
    from typing import Any, Protocol

    from typing_extensions import Self

    State = tuple[int, ...]
    Row = Sequence[Any]
    """Path, mode, SHA-256 (empty: it is not known) and the target of a symbolic link, which has neither."""
    Copy = Sequence[Any]
    """State and digest of the copy; the state of the file beside it if that holds the same, else None."""

    class Copying(Protocol):
        """Copies files, as `copy` does."""

        def __call__(
            self, source: str, destination: str, rows: Sequence[Row], beside: str = ""
        ) -> Sequence[Copy | None]:
            """As `copy`."""


SIZE = 2
"""Where in its state the size of a file is, in bytes."""
_BLOCK = 1 << 18
_USUAL_ATTRIBUTES = frozenset({"security.selinux"})
"""Extended attributes that the system gives to all files."""
_DIRECTORY = 0o755


class DamagedError(Exception):
    """A file isn't what was stored."""


def state(found: os.stat_result) -> State:
    """What tells a file from another one, and from itself before it was changed."""
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def copy(
    source: str,
    destination: str,
    rows: Sequence[Row],
    beside: str = "",
    before_each: Callable[[], None] = lambda: None,
) -> list[Copy | None]:
    """Copy files, and compare each with its checksum, and with what another tree holds in its place.

    Args:
        source: The tree to copy.
        destination: A directory; made. What it holds is left of another copy: files that are right stay, others go.
        rows: The files.
        beside: A tree that may hold the same files.
        before_each: Called before each file.

    Returns:
        What is known about each then; nothing about links.

    Raises:
        DamagedError: When a file can't be read, or isn't what it was.
        OSError: When the destination can't be written.
    """
    left = _left(destination, {row[0] for row in rows if not row[3]})
    for directory in sorted({row[0].rpartition("/")[0] for row in rows}):
        os.makedirs(f"{destination}/{directory}", exist_ok=True)  # noqa: PTH103 - pathlib takes long to import
    copies = []
    for row in rows:
        before_each()
        copies.append(
            (row[0] in left and _keep(destination, row, beside)) or _copy(source, destination, row, beside)
        )
    return copies


def _left(tree: str, wanted: Collection[str], below: str = "") -> set[str]:
    """The files that a tree holds of those that are wanted, relative to it; whatever else it holds is removed."""
    directory = f"{tree}/{below}" if below else tree
    try:
        if not stat.S_ISDIR(os.lstat(directory).st_mode):  # a link's target is somebody else's
            os.unlink(directory)  # noqa: PTH108 - as above
            return set()
    except FileNotFoundError:
        return set()
    wanted = wanted if _is_plain_directory(directory) else ()
    found: set[str] = set()
    for entry in list(os.scandir(directory)):
        path = f"{below}/{entry.name}" if below else entry.name
        if entry.is_dir(follow_symlinks=False):
            found |= _left(tree, wanted, path)
        elif entry.is_file(follow_symlinks=False) and path in wanted:
            found.add(path)
        else:
            os.unlink(entry.path)  # noqa: PTH108 - as above
    if not found:
        os.rmdir(directory)  # noqa: PTH106 - as above
    return found


def _is_plain_directory(path: str) -> bool:
    """Whether a directory, which can be read and written then, is one that we would make."""
    os.chmod(path, _DIRECTORY)  # noqa: PTH101 - as above
    return _is_ours(os.lstat(path)) and not _attributes(path)


def _keep(destination: str, row: Row, beside: str) -> Copy | None:
    """Leave a file where it is, if it can't be told from a copy; otherwise it is removed."""
    path, mode, expected, _ = row
    target = f"{destination}/{path}"
    with _Other(f"{beside}/{path}" if beside else "") as other:
        try:
            found = _read_plain(target, mode, other)
        except OSError:
            found = None
        if found and found[1] == expected:
            return *found, other.state if other.is_equal() else None
    os.unlink(target)  # noqa: PTH108 - as above
    return None


def _read_plain(path: str, mode: int, other: _Other) -> tuple[State, str] | None:
    """State and checksum of a file that has one name, is ours, and has no attributes that a copy would not have."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        found = os.fstat(descriptor)
        if found.st_nlink > 1 or not _is_ours(found) or _attributes(descriptor):
            return None
        checksum = hashlib.sha256()
        while block := os.read(descriptor, _BLOCK):
            checksum.update(block)
            other.compare(block)
        return _settled(descriptor, mode), checksum.hexdigest()
    finally:
        os.close(descriptor)


def _is_ours(found: os.stat_result) -> bool:
    return (found.st_uid, found.st_gid) == (os.geteuid(), os.getegid())


def _attributes(file: str | int) -> set[str]:
    """The extended attributes of a file but those that the system gives to all."""
    try:
        return {*os.listxattr(file)} - _USUAL_ATTRIBUTES
    except OSError:  # the file system has none
        return set()


def _copy(source: str, destination: str, row: Row, beside: str) -> Copy | None:
    path, mode, expected, link = row
    target = f"{destination}/{path}"
    if link:
        os.symlink(link, target)  # noqa: PTH211 - as above
        return None
    origin = f"{source}/{path}"
    with _Other(f"{beside}/{path}" if beside else "") as other:
        try:
            digest, after = copy_file(origin, target, mode, other)
        except OSError as error:
            if error.filename == origin:
                raise DamagedError(f"{path}: {error.strerror}") from error
            raise
        if expected and digest != expected:
            raise DamagedError(f"{path} has changed")
        return after, digest, other.state if other.is_equal() else None


def copy_file(origin: str, target: str, mode: int, other: _Other | None = None) -> tuple[str, State]:
    """Copy a file, and give the checksum of what was read and the copy's state; an error names the file to blame."""
    checksum = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        for block in _blocks(origin):
            checksum.update(block)
            _write(descriptor, block, target)
            if other:
                other.compare(block)
        return checksum.hexdigest(), _settled(descriptor, mode)
    finally:
        os.close(descriptor)


def _settled(descriptor: int, mode: int) -> State:
    """Give a file its mode, of which umask may have taken something away; its state then."""
    found = os.fstat(descriptor)
    if stat.S_IMODE(found.st_mode) != mode:
        os.fchmod(descriptor, mode)
        found = os.fstat(descriptor)
    return state(found)


class _Other:
    """A context: a file that is compared while another one is read. Whatever fails, it is not equal.

    Args:
        path: The file; empty: there is none.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1
        self.state: State = ()
        """Before it was read."""

    def __enter__(self) -> Self:
        if self._path:
            try:
                self._descriptor = os.open(
                    self._path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
                )
                self.state = state(os.fstat(self._descriptor))
            except OSError:
                self._leave()
        return self

    def __exit__(self, *_error: object) -> None:
        self._leave()

    def _leave(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def compare(self, block: bytes) -> None:
        """Read as much of it as `block` holds."""
        if self._descriptor >= 0:
            try:
                same = os.read(self._descriptor, len(block)) == block
            except OSError:
                same = False
            if not same:
                self._leave()

    def is_equal(self) -> bool:
        """Whether it holds the same, now that the end of the other one is reached."""
        try:
            return self._descriptor >= 0 and not os.read(self._descriptor, 1)
        except OSError:
            return False


def _blocks(path: str) -> Iterator[bytes]:
    """The contents of a file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while block := _read(descriptor, path):
            yield block
    finally:
        os.close(descriptor)


def _read(descriptor: int, path: str) -> bytes:
    try:
        return os.read(descriptor, _BLOCK)
    except OSError as error:
        error.filename = path
        raise


def _write(descriptor: int, block: bytes, path: str) -> None:
    """Write all of a block; the system's refusal names the file."""
    try:
        view = memoryview(block)
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        error.filename = path
        raise


def _answer(job: Sequence[Any], before_each: Callable[[], None]) -> dict[str, Any]:
    """Do a job, and say how it ended."""
    try:
        source, destination, rows, beside = job
        return {"copies": copy(source, destination, rows, beside, before_each)}
    except DamagedError as error:
        return {"damaged": str(error)}
    except OSError as error:
        return {"refused": [error.errno, error.strerror, error.filename]}


def main() -> None:
    """Do one job after the other."""
    build = os.getppid()

    def end_with_it() -> None:
        """Whoever comes next removes what a killed build left: nothing may be added meanwhile."""
        if os.getppid() != build:
            os._exit(1)

    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(json.loads(line), end_with_it)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
