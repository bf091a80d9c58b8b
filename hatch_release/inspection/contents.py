"""What a directory or an archive holds: one way to walk through both, without unpacking anything."""

from __future__ import annotations

import gzip
import os
import posixpath
import stat
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from hatch_release.errors import ReleaseError, in_one_line
from hatch_release.runtime import layout
from hatch_release.tree import zstd

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

DIRECTORY = "directory"
MAGIC = {b"\x28\xb5\x2f\xfd": "tar.zst", b"\x1f\x8b": "tar.gz", b"PK\x03\x04": "zip"}
"""What files of each format begin with; names of files may be anything."""
TAR_MAGIC = (257, b"ustar")
DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, zstd.ZstdError, EOFError, NotImplementedError)
LINKS = 40
"""How many links may lead to a file, as on Linux."""


@dataclass(frozen=True, kw_only=True)
class Item:
    """A file, or a link to one."""

    path: str
    """A POSIX path, relative to what is walked through."""
    size: int
    """Bytes; 0 for a link."""
    mode: int
    """Kind and permissions, as in `stat.st_mode`."""
    link: str | None
    """Where a link leads, as it is written."""
    read: Callable[[], IO[bytes]]
    """Opens it: once, and only while it is visited."""


def format_of(source: Path) -> str:
    """What `source` is: `directory`, `tar.zst`, `tar.gz`, `zip` or `tar`.

    Raises:
        ReleaseError: When it is none of these, or can't be read.
    """
    try:
        if source.is_dir():
            return DIRECTORY
        with source.open("rb") as file:
            beginning = file.read(512)
    except OSError as error:
        raise ReleaseError(f"{source} can't be read: {error.strerror}") from error
    for magic, name in MAGIC.items():
        if beginning.startswith(magic):
            return name
    offset, magic = TAR_MAGIC
    if beginning[offset:].startswith(magic):
        return "tar"
    raise ReleaseError(
        f"{source} is neither a release's directory nor an archive of one (tar.zst, tar.gz or zip)"
    )


def walk(source: Path, visit: Callable[[Item], None]) -> None:
    """Call `visit` with each file and link of a directory or an archive, in its own order.

    Raises:
        ReleaseError: When it is no archive, damaged, or can't be read.
    """
    kind = format_of(source)
    try:
        for item in _items(source, kind):
            visit(item)
    except DAMAGE as error:
        raise ReleaseError(
            f"{source} is damaged or cut short ({in_one_line(error)}): copy it again, or make it again"
        ) from error
    except OSError as error:
        raise ReleaseError(f"{error.filename or source} can't be read: {in_one_line(error)}") from error


def _items(source: Path, kind: str) -> Iterator[Item]:
    """What a directory or an archive of that kind holds."""
    if kind == DIRECTORY:
        yield from _of_directory(source)
    elif kind == "zip":
        yield from _of_zip(source)
    else:
        with source.open("rb") as file:
            yield from _of_tar(_plain(kind, file))


def _plain(kind: str, file: IO[bytes]) -> IO[bytes]:
    """A tar file as it was before it was compressed."""
    if kind == "tar.zst":
        return zstd.read_zst(file)
    return cast("IO[bytes]", gzip.open(file)) if kind == "tar.gz" else file


def _of_directory(root: Path) -> Iterator[Item]:
    """The files below a directory, but for what was written at run time."""
    for directory, names, files in os.walk(root):
        base = Path(directory)
        if base == root and layout.TMP in names:
            names.remove(layout.TMP)
        links = [name for name in names if (base / name).is_symlink()]
        names.sort()
        for name in sorted([*files, *links]):
            path = base / name
            status = path.lstat()
            is_link = stat.S_ISLNK(status.st_mode)
            yield Item(
                path=path.relative_to(root).as_posix(),
                size=0 if is_link else status.st_size,
                mode=status.st_mode,
                link=str(path.readlink()) if is_link else None,
                read=lambda path=path: path.open("rb"),  # type: ignore[misc]
            )


def _of_tar(stream: IO[bytes]) -> Iterator[Item]:
    """The files of a tar file, read from its beginning to its end."""
    with tarfile.open(fileobj=stream, mode="r|", errors="surrogateescape", encoding="utf-8") as archive:
        for member in archive:
            if member.isfile() or member.issym():
                kind = stat.S_IFREG if member.isfile() else stat.S_IFLNK
                yield Item(
                    path=_clean(member.name),
                    size=member.size,
                    mode=kind | member.mode,
                    link=member.linkname if member.issym() else None,
                    read=lambda member=member: archive.extractfile(member),  # type: ignore[misc,arg-type]
                )
    while stream.read(1 << 20):
        pass  # a checksum at the end of the compressed data is compared when the end is read


def _of_zip(source: Path) -> Iterator[Item]:
    """The files of a zip file."""
    with zipfile.ZipFile(source) as archive:
        for member in archive.infolist():
            mode = member.external_attr >> 16
            if not member.is_dir():
                is_link = stat.S_ISLNK(mode)
                yield Item(
                    path=_clean(member.filename),
                    size=0 if is_link else member.file_size,
                    mode=mode or stat.S_IFREG,
                    link=os.fsdecode(archive.read(member)) if is_link else None,
                    read=lambda member=member: archive.open(member),  # type: ignore[misc]
                )


def _clean(name: str) -> str:
    """A member's name without `./` in front."""
    return posixpath.normpath(name)


def without_link(path: str, links: dict[str, str]) -> str | None:
    """The file that `path` leads to, through links to files and to directories.

    Args:
        path: Relative to the root.
        links: Where each link leads, by its path.

    Returns:
        A path that is no link; None when it leads out of the root, or in a circle.
    """
    for _ in range(LINKS):
        parts = path.split("/")
        prefixes = ["/".join(parts[: number + 1]) for number in range(len(parts))]
        link = next((each for each in prefixes if each in links), None)
        if link is None:
            return path
        path = posixpath.normpath(posixpath.join(posixpath.dirname(link), links[link], path[len(link) + 1 :]))
        if path.startswith(("/", "..")):
            return None
    return None
