"""The manifest of a version: the checksum of every file that it owns, and the check against it.

`releases/VSN/manifest.sha256` holds one line for each file, `DIGEST  PATH`, sorted, the path relative to
the release's root: `cd ROOT && sha256sum -c releases/VSN/manifest.sha256` reads it. It holds what has a
version in its path: `lib/NAME-VSN/`, `python-X.Y.Z/` and `releases/VSN/`.

Files that all versions in a root share by name (`bin/NAME`, overlays at the top level) are those of the
version that was installed last, so they have a list of their own in the same format,
`releases/VSN/shared.sha256`. It is checked as long as the root holds a single version. `releases/COOKIE`,
`releases/start.data` and `tmp/` differ between installations on purpose and are in neither.
"""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor

from . import layout
from .errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SHARED = "shared.sha256"
"""Name of the list of the files that every version writes, beside `layout.MANIFEST`."""

BLOCK = 1 << 20
THREADS = min(8, os.cpu_count() or 1)
PIECES = 4 * THREADS
"""In how many pieces files are given to the threads: each handing over costs as much as hashing a small file."""
DIGEST_SIZE = 64
SEPARATORS = (b"  ", b" *")
"""Between digest and path, for a text and for a binary file; sha256sum takes both as the same on POSIX."""

# As GNU sha256sum does: a line whose path holds one of these is marked with a backslash in front.
_ESCAPES = {b"\\": b"\\\\", b"\n": b"\\n", b"\r": b"\\r"}
_MARK = b"\\"


def digest(path: str) -> str:
    """The SHA-256 of a file's contents, in hexadecimal digits.

    Args:
        path: The file; a link is followed.

    Raises:
        OSError: When it can't be read.
    """
    checksum = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:
        while block := file.read(BLOCK):
            checksum.update(block)
    return checksum.hexdigest()


def digests(root: str, paths: Iterable[str]) -> dict[str, str]:
    """The digests of many files, by path, hashed on all processors.

    Args:
        root: What the paths are relative to.
        paths: The files.

    Raises:
        OSError: When one can't be read.
    """
    listed = list(paths)
    pieces = [listed[number::PIECES] for number in range(PIECES)]
    with ThreadPoolExecutor(THREADS) as pool:
        found = pool.map(lambda piece: [(path, digest(f"{root}/{path}")) for path in piece], pieces)
        return dict(pair for pairs in found for pair in pairs)


def pack(entries: dict[str, str]) -> bytes:
    """A manifest with the digests by path that `entries` holds, sorted by the bytes of the path."""
    return b"".join(_line(os.fsencode(path), entries[path]) for path in sorted(entries, key=os.fsencode))


def unpack(data: bytes) -> dict[str, str]:
    """The digests by path of a manifest.

    Raises:
        ValueError: When a line is not one of a manifest; it tells the line's number.
    """
    entries = {}
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        marked = line.startswith(_MARK)
        text = line[1:] if marked else line
        path = text[DIGEST_SIZE + 2 :]
        if not path or text[DIGEST_SIZE : DIGEST_SIZE + 2] not in SEPARATORS:
            raise ValueError(f"line {number} is not 'DIGEST  PATH'")
        entries[os.fsdecode(_unescape(path) if marked else path)] = text[:DIGEST_SIZE].decode(
            "ascii", "replace"
        )
    if data and not data.endswith(b"\n"):
        raise ValueError("its last line is cut off")
    return entries


def read(root: str, version: str, name: str = layout.MANIFEST) -> dict[str, str]:
    """The digests by path that a version's manifest holds.

    Args:
        root: The release's root.
        version: The version.
        name: `layout.MANIFEST` or `SHARED`.

    Raises:
        ReleaseError: When it is missing, can't be read, or is damaged.
    """
    path = f"{root}/{layout.RELEASES}/{version}/{name}"
    try:
        with open(path, "rb") as file:
            return unpack(file.read())
    except OSError as error:
        reason = error.strerror
    except ValueError as error:
        reason = str(error)
    raise ReleaseError(
        f"the manifest {path} can't be read ({reason}): install the release again from its archive"
    )


def verify(root: str, version: str) -> list[str]:
    """Compare the files of a version with its manifest.

    Args:
        root: The release's root.
        version: The version to check.

    Returns:
        The problems, one line each, sorted by path: `missing: PATH`, `changed: PATH`, or
        `unreadable: PATH (why)`.

    Raises:
        ReleaseError: When the manifest itself is missing, can't be read, or is damaged.
    """
    expected = read(root, version)
    shared = f"{root}/{layout.RELEASES}/{version}/{SHARED}"
    if os.path.exists(shared) and versions(root) == [version]:
        expected.update(read(root, version, SHARED))
    with ThreadPoolExecutor(THREADS) as pool:
        problems = pool.map(lambda path: _problem(root, path, expected[path]), sorted(expected))
        return [problem for problem in problems if problem]


def versions(root: str) -> list[str]:
    """The versions in a root, sorted by name: the directories of `releases/`."""
    try:
        with os.scandir(f"{root}/{layout.RELEASES}") as entries:
            return sorted(entry.name for entry in entries if entry.is_dir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _problem(root: str, path: str, expected: str) -> str:
    """What is wrong with one file, or an empty string."""
    shown = os.fsdecode(_escape(os.fsencode(path)))
    try:
        return "" if digest(f"{root}/{path}") == expected else f"changed: {shown}"
    except (FileNotFoundError, NotADirectoryError):
        return f"missing: {shown}"
    except IsADirectoryError:
        return f"changed: {shown}"
    except OSError as error:
        return f"unreadable: {shown} ({error.strerror})"


def _line(path: bytes, checksum: str) -> bytes:
    """One line of a manifest."""
    escaped = _escape(path)
    return (_MARK if escaped != path else b"") + checksum.encode("ascii") + b"  " + escaped + b"\n"


def _escape(path: bytes) -> bytes:
    """The path with what would break a line escaped."""
    for plain, escaped in _ESCAPES.items():
        path = path.replace(plain, escaped)
    return path


def _unescape(path: bytes) -> bytes:
    """The path that was escaped; an unknown escape stays as it is."""
    plain = {escaped: plain for plain, escaped in _ESCAPES.items()}
    found = []
    at = 0
    while at < len(path):
        width = 2 if path[at : at + 2] in plain else 1
        piece = path[at : at + width]
        found.append(plain.get(piece, piece))
        at += width
    return b"".join(found)
