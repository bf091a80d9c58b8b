"""Unpacks an archive that comes from elsewhere, and writes nothing outside the directory that is given.

The rules are those of tarfile's `data_filter` (PEP 706), which Python 3.10 has only since 3.10.12, for tar and
zip files alike: no absolute names, no way out by `..` or through a link, files, directories and links only,
nothing set-user-ID or writable for others.
"""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import stat
import tarfile
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from hatch_release.errors import ReleaseError, in_one_line
from hatch_release.tree.zstd import ZstdError, read_zst

if TYPE_CHECKING:
    from collections.abc import Callable

_BLOCK = 1 << 20
_READERS: dict[str, Callable[[IO[bytes]], Any]] = {
    ".tar.gz": lambda stream: gzip.GzipFile(fileobj=stream),
    ".tar.xz": lzma.LZMAFile,
    ".tar.zst": read_zst,
}
SUFFIXES = (*_READERS, ".zip")
"""How the names of archives end that can be unpacked."""
_DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    ZstdError,
    EOFError,
    FileExistsError,  # the same name twice, as a file and as a directory
    IsADirectoryError,
    NotADirectoryError,
    NotImplementedError,  # zipfile's word for a compression that it doesn't know
)


def unpack(archive: Path, destination: Path, *, skip: str = "") -> None:
    """Unpack `archive`, whose name ends as one of `SUFFIXES`, into the new directory `destination`.

    Args:
        archive: A tar file, compressed by gzip, xz or zstandard, or a zip file.
        destination: Made here.
        skip: What lies below this directory of the archive is left out.

    Raises:
        ReleaseError: The archive is damaged, or holds something that has no place below `destination`.
    """
    destination.mkdir(parents=True)
    target = _Target(archive, destination.resolve(), skip.strip("/"))
    try:
        if archive.name.endswith(".zip"):
            _unpack_zip(archive, target)
        else:
            _unpack_tar(archive, target)
        target.finish()
    except _DAMAGE as error:
        raise ReleaseError(
            f"the archive {archive} is damaged ({in_one_line(error)}): fetch or make it again"
        ) from error


def _unpack_tar(archive: Path, target: _Target) -> None:
    """Unpack a tar file in one pass."""
    reader = next(reader for suffix, reader in _READERS.items() if archive.name.endswith(suffix))
    with archive.open("rb") as file, reader(file) as stream:
        with tarfile.open(fileobj=stream, mode="r|") as members:
            for member in members:
                if member.isdir():
                    target.directory(member.name)
                elif member.isfile():
                    target.file(member.name, member.mode, members.extractfile(member))
                elif member.issym():
                    target.link(member.name, member.linkname)
                elif member.islnk():
                    target.same(member.name, member.linkname)
                else:
                    raise target.refused(member.name, "is neither a file, a directory nor a link")
        while stream.read(_BLOCK):
            pass  # the checksum is behind the last file


def _unpack_zip(archive: Path, target: _Target) -> None:
    """Unpack a zip file; Unix modes and links are in the upper half of the attributes."""
    with zipfile.ZipFile(archive) as members:
        for member in members.infolist():
            mode = member.external_attr >> 16
            if member.is_dir():
                target.directory(member.filename)
            elif stat.S_ISLNK(mode):
                target.link(member.filename, os.fsdecode(members.read(member)))
            else:
                with members.open(member) as stream:
                    target.file(member.filename, mode, stream)


@dataclass
class _Target:
    """The directory that is unpacked to.

    Links are made when all files are written, so that nothing is written through one.
    """

    archive: Path
    root: Path
    skip: str
    links: list[tuple[Path, str]] = field(default_factory=list)

    def directory(self, name: str) -> None:
        """Make a directory."""
        path = self._place(name)
        if path:
            path.mkdir(parents=True, exist_ok=True)

    def file(self, name: str, mode: int, stream: IO[bytes] | None) -> None:
        """Write a file."""
        path = self._place(name)
        if path is None or stream is None:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            shutil.copyfileobj(stream, file, _BLOCK)
        path.chmod(0o755 if mode & stat.S_IXUSR else 0o644)

    def same(self, name: str, other: str) -> None:
        """Write a file that was packed before once more (a hard link)."""
        path, source = self._place(name), self._place(other)
        if path is None:
            return
        if source is None or not source.is_file():
            raise self.refused(name, f"is a link to {other}, which was not packed before it")
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, path)

    def link(self, name: str, to: str) -> None:
        """Note a symbolic link."""
        path = self._place(name)
        if path is None:
            return
        if Path(to).is_absolute() or not self._inside(path.parent / to):
            raise self.refused(name, f"is a link out of it, to {to}")
        self.links.append((path, to))

    def finish(self) -> None:
        """Make the links, none of which leads out, not even by way of others."""
        for path, to in self.links:
            self._check(path.parent, path, to)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.symlink_to(to)
        for path, to in self.links:
            self._check(path, path, to)

    def _check(self, reached: Path, link: Path, to: str) -> None:
        """Refuse `link` unless what `reached` leads to is below the root."""
        if not Path(os.path.realpath(reached)).is_relative_to(self.root):
            raise self.refused(str(link.relative_to(self.root)), f"is a link out of it, to {to}")

    def refused(self, name: str, reason: str) -> ReleaseError:
        """The error for an entry that can't be unpacked."""
        return ReleaseError(f"{name} in the archive {self.archive} {reason}: don't use this archive")

    def _place(self, name: str) -> Path | None:
        """Where the entry `name` goes; None when it is left out."""
        path = self.root / name
        if Path(name).is_absolute() or not self._inside(path):
            raise self.refused(name, "has a name that leads out of it")
        path = Path(os.path.normpath(path))
        left_out = self.skip and path.is_relative_to(self.root / self.skip)
        return None if left_out else path

    def _inside(self, path: Path) -> bool:
        """Whether `path`, read without looking at links, is below the root."""
        return Path(os.path.normpath(path)).is_relative_to(self.root)
