"""Packing an assembled version into one file, the same bytes for the same tree.

The archive holds what the tree holds, without a directory around it and without `tmp/`: unpack it with
`mkdir demo && tar -xf ARCHIVE -C demo`. Entries are sorted, belong to owner 0 and group 0, and have one time; their
modes are those of the tree, which do not depend on the umask of the build (`modes.py`).
"""

from __future__ import annotations

import contextlib
import gzip
import os
import secrets
import stat
import tarfile
import time
import zipfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from hatch_release.errors import ReleaseError
from hatch_release.hookspecs import hookimpl
from hatch_release.runtime import layout
from hatch_release.tree import zstd

if TYPE_CHECKING:
    from hatch_release.release import Release

EPOCH = 315_532_800
"""The time of all entries unless SOURCE_DATE_EPOCH says otherwise: 1980-01-01, the oldest that zip knows."""
ZIP_NEWEST = 4_354_819_198
"""2107-12-31 23:59:58, the newest that zip knows."""
BLOCK = 1 << 20

LINK_MODE = 0o777

# Measured on a web service with numpy (149 MB): level 7 gives 48.9 MB in 7 s, level 9 48.6 MB in 22 s.
GZIP_LEVEL = 7
ZIP_LEVEL = 9


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One file, directory or link of the tree."""

    name: str
    """Its POSIX path in the archive."""
    source: Path
    mode: int
    """Kind and permissions, as in `stat.st_mode`."""
    size: int
    """Bytes of a file, 0 for others."""
    time: int
    """Seconds since 1970."""


Report = Callable[[int], None]
"""Told how many more bytes have been read."""
Writer = Callable[["Release", BinaryIO, Sequence[Entry], Report], None]
"""Writes the entries in their order as an archive of the release."""


def archive_name(name: str, version: str, target: str, format: str) -> str:  # noqa: A002 - what users call it
    """The file name of an archive, `NAME-VSN-TARGET.FORMAT`.

    Args:
        name: The release's name.
        version: Its version.
        target: The target triple.
        format: The archive format's name.
    """
    return f"{name}-{version}-{target}.{format}"


def write_archive(
    release: Release,
    destination: Path,
    writer: Writer,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Pack the tree of a release.

    The archive is written under another name beside `destination`, and renamed when it is whole. The time of
    its entries is that of SOURCE_DATE_EPOCH, when set.

    Args:
        release: Everything below its `path` has been written.
        destination: The archive to write; one of that name is replaced.
        writer: Writes the format.
        progress: Told the bytes that have been read, and those that there are.

    Returns:
        `destination`.

    Raises:
        ReleaseError: When the archive can't be written.
    """
    entries = list(_entries(release.path, _time()))
    total = sum(entry.size for entry in entries)
    done = 0

    def report(size: int) -> None:
        nonlocal done
        done += size
        if progress:
            progress(done, total)

    try:
        with _replacing(destination) as stream:
            writer(release, stream, entries, report)
    except (OSError, UnicodeError, zstd.ZstdError) as error:
        raise ReleaseError(
            f"the archive {destination} can't be written: {_reason(error)}: make room and allow writing "
            "there, or set the option path to another place"
        ) from error
    return destination


def _reason(error: Exception) -> str:
    """What went wrong, and with which file when it is known."""
    if not isinstance(error, OSError):
        return str(error)
    reason = error.strerror or str(error)
    return f"{reason} ({error.filename})" if error.filename else reason


def _time() -> int:
    """The time of all entries (https://reproducible-builds.org/specs/source-date-epoch/)."""
    value = os.environ.get("SOURCE_DATE_EPOCH", "")
    if not value:
        return EPOCH
    if not (value.isascii() and value.isdigit()):
        raise ReleaseError(
            f"SOURCE_DATE_EPOCH is '{value}': set it to a whole number of seconds since 1970, or unset it"
        )
    return int(value)


def _entries(tree: Path, seconds: int) -> Iterator[Entry]:
    """What the archive holds, sorted, each directory before what is in it."""
    found = []
    for directory, names, files in os.walk(tree):
        if Path(directory) == tree and layout.TMP in names:
            names.remove(layout.TMP)
        found += [Path(directory, name) for name in (*names, *files)]
    for path in sorted(found, key=lambda path: [os.fsencode(part) for part in path.parts]):
        status = path.lstat()
        name = path.relative_to(tree).as_posix()
        yield Entry(
            name=name,
            source=path,
            mode=_mode(path, status.st_mode),
            size=status.st_size if stat.S_ISREG(status.st_mode) else 0,
            time=seconds,
        )


def _mode(path: Path, mode: int) -> int:
    """The kind and mode of one entry; a link has the same everywhere."""
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        return kind | LINK_MODE
    if kind not in {stat.S_IFREG, stat.S_IFDIR}:
        raise ReleaseError(f"{path} is neither a file, a directory nor a link: remove it from the release")
    return mode


@contextlib.contextmanager
def _replacing(destination: Path) -> Iterator[BinaryIO]:
    """A file that becomes `destination` when all has been written, and vanishes otherwise."""
    draft = destination.with_name(f".{destination.name}.{secrets.token_hex(4)}")
    try:
        with draft.open("xb") as stream:
            yield stream
        draft.replace(destination)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise


class _Reader:
    """A file that reports what is read of it."""

    def __init__(self, file: BinaryIO, report: Report) -> None:
        self._file = file
        self._report = report

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        data = self._file.read(size)
        self._report(len(data))
        return data


def _write_tar(stream: IO[bytes], entries: Sequence[Entry], report: Report) -> None:
    """A tar file in GNU's format: every tar reads its long names as they are, that of busybox too."""
    with tarfile.TarFile(
        fileobj=stream,
        mode="w",
        format=tarfile.GNU_FORMAT,
        encoding="utf-8",
        errors="surrogateescape",
        copybufsize=BLOCK,
    ) as archive:
        for entry in entries:
            if stat.S_ISREG(entry.mode):
                with entry.source.open("rb") as file:
                    archive.addfile(_tar_header(entry), cast("IO[bytes]", _Reader(file, report)))
            else:
                archive.addfile(_tar_header(entry))


def _tar_header(entry: Entry) -> tarfile.TarInfo:
    """The header of one entry."""
    header = tarfile.TarInfo(entry.name)
    header.mode = stat.S_IMODE(entry.mode)
    header.mtime = entry.time
    header.size = entry.size
    if stat.S_ISDIR(entry.mode):
        header.type = tarfile.DIRTYPE
    elif stat.S_ISLNK(entry.mode):
        header.type = tarfile.SYMTYPE
        header.linkname = str(entry.source.readlink())
    return header


def _write_tar_zst(_release: Release, stream: BinaryIO, entries: Sequence[Entry], report: Report) -> None:
    """A tar file compressed by zstandard on all processors."""
    with zstd.compressing(stream) as compressed:
        _write_tar(compressed, entries, report)


def _write_tar_gz(_release: Release, stream: BinaryIO, entries: Sequence[Entry], report: Report) -> None:
    """A tar file compressed by gzip, with neither name nor time in gzip's own header."""
    with gzip.GzipFile(
        filename="", mode="wb", compresslevel=GZIP_LEVEL, fileobj=stream, mtime=0
    ) as compressed:
        _write_tar(cast("IO[bytes]", compressed), entries, report)


def _write_zip(_release: Release, stream: BinaryIO, entries: Sequence[Entry], report: Report) -> None:
    """A zip file with Unix modes and links, as Info-ZIP's `unzip` restores them."""
    with zipfile.ZipFile(stream, "w", compression=zipfile.ZIP_DEFLATED, compresslevel=ZIP_LEVEL) as archive:
        for entry in entries:
            header = _zip_header(entry)
            if stat.S_ISREG(entry.mode):
                with entry.source.open("rb") as file, archive.open(header, "w") as target:
                    while block := file.read(BLOCK):
                        target.write(block)
                        report(len(block))
            else:
                link = str(entry.source.readlink()) if stat.S_ISLNK(entry.mode) else ""
                archive.writestr(header, os.fsencode(link))


def _zip_header(entry: Entry) -> zipfile.ZipInfo:
    """The header of one entry."""
    is_directory = stat.S_ISDIR(entry.mode)
    when = time.gmtime(min(max(entry.time, EPOCH), ZIP_NEWEST))
    header = zipfile.ZipInfo(entry.name + "/" * is_directory, when[:6])
    header.create_system = 3  # Unix, on whatever system this runs
    header.external_attr = entry.mode << 16 | (0x10 if is_directory else 0)
    header.compress_type = zipfile.ZIP_DEFLATED if stat.S_ISREG(entry.mode) else zipfile.ZIP_STORED
    header.file_size = entry.size
    return header


FORMATS: Mapping[str, Writer] = MappingProxyType(
    {"tar.zst": _write_tar_zst, "tar.gz": _write_tar_gz, "zip": _write_zip}
)
"""What writes each of our formats."""


@hookimpl
def release_archive_formats() -> Mapping[str, Writer]:
    """The usual ones."""
    return FORMATS
