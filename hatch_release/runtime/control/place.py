"""A directory that belongs to one user alone, open so that nobody can put another one in its place."""

from __future__ import annotations

import errno
import os
import stat

from ..errors import ReleaseError

PRIVATE = 0o700
_PRIVATE_FILE = 0o600
_OTHERS = 0o077


class RefusedError(ReleaseError):
    """The directory is not what it should be; somebody may have planted it."""


class Place:
    """The open directory of a node.

    Args:
        path: Where it is.
        descriptor: Of the directory.
        made: The directories that were made for it, the inner ones last.
    """

    def __init__(self, path: str, descriptor: int, made: tuple[str, ...] = ()) -> None:
        """It is open until `close`."""
        self.path = path
        self.descriptor = descriptor
        self._made = made

    def through(self, file: str) -> str:
        """The path of a file in it, short enough for a socket."""
        return f"/proc/self/fd/{self.descriptor}/{file}"

    def holds(self, name: str, file: int) -> bool:
        """Whether the open `file` is the one that has the name."""
        try:
            found = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(file))

    def has(self, name: str) -> bool:
        """Whether a socket or a file has the name, and no link to one."""
        try:
            found = os.stat(name, dir_fd=self.descriptor, follow_symlinks=False)
        except OSError:
            return False
        return stat.S_ISSOCK(found.st_mode) or stat.S_ISREG(found.st_mode)

    def write(self, name: str, text: str) -> None:
        """Write a file for this user alone, in the place of any other."""
        fresh = f".{name}.new"
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
        file = os.open(fresh, flags, _PRIVATE_FILE, dir_fd=self.descriptor)
        try:
            os.write(file, text.encode())
        finally:
            os.close(file)
        os.rename(fresh, name, src_dir_fd=self.descriptor, dst_dir_fd=self.descriptor)

    def read(self, name: str) -> str:
        """Read a file.

        Raises:
            OSError: When it can't be read.
        """
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.descriptor)
        try:
            return os.read(file, 100).decode("ascii", "replace")
        finally:
            os.close(file)

    def close(self) -> None:
        """Close it."""
        os.close(self.descriptor)

    def remove(self, *files: str) -> None:
        """Remove files from it, and what was made for it and is empty then. It need not be open."""
        try:
            for file in files:
                os.unlink(f"{self.path}/{file}")
            for directory in reversed(self._made):
                os.rmdir(directory)
        except OSError:
            return  # others use it, or somebody has removed it


def open_private(path: str) -> int:
    """Open a directory that is this user's alone, and that can be written.

    Args:
        path: Where it is.

    Raises:
        RefusedError: When it is somebody else's, or no directory.
        OSError: When it can't be opened or written.
    """
    try:
        file = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError as error:
        if error.errno in {errno.ELOOP, errno.ENOTDIR}:
            raise RefusedError(f"{path} is no directory: remove it") from error
        raise
    try:
        _check(path, file)
    except BaseException:
        os.close(file)
        raise
    return file


def _check(path: str, file: int) -> None:
    """Refuse a directory that is somebody else's, and close ours to others."""
    found = os.fstat(file)
    if found.st_uid != os.geteuid():
        raise RefusedError(
            f"{path} belongs to the user with the number {found.st_uid}: run the release as that user, remove it, "
            "or set RELEASE_TMP to a directory of your own"
        )
    if stat.S_IMODE(found.st_mode) & _OTHERS:
        os.fchmod(file, PRIVATE)
    if not os.access(f"/proc/self/fd/{file}", os.W_OK, effective_ids=True):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES), path)
