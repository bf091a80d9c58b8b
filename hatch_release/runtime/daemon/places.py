"""Where a daemon has its files: `log/` and `pipe/` below RELEASE_TMP, for their owner alone."""

from __future__ import annotations

import os
import stat

from ..errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

LOGS = "log"
PIPES = "pipe"
_PRIVATE = 0o700
_OTHERS = 0o077
_LONGEST_ADDRESS = 107
"""Bytes of a Unix socket's path (`sun_path`, without its final zero)."""
_LONGEST_NAME = 80
"""Bytes of a node's name, so that its sockets can be reached by way of /proc."""


class Places:
    """The files of one daemon.

    Args:
        environment: RELEASE_TMP and RELEASE_NODE.

    Raises:
        ReleaseError: When the node's name can't be that of a file.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Nothing is made yet."""
        self.node = _checked(environment["RELEASE_NODE"])
        self.temporary = os.path.abspath(environment["RELEASE_TMP"])
        self.logs = os.path.join(self.temporary, LOGS)
        self.pipes = os.path.join(self.temporary, PIPES)
        self.lock = self._pipe("lock")
        self.attach = self._pipe("attach")
        self.notify = self._pipe("notify")

    def _pipe(self, kind: str) -> str:
        return os.path.join(self.pipes, f"{self.node}.{kind}")

    def make(self, *, log: bool = True) -> None:
        """Make the directories.

        Args:
            log: Whether that of the log is wanted.

        Raises:
            ReleaseError: When they can't be written, or belong to somebody else.
        """
        for directory in (self.temporary, *([self.logs] if log else ()), self.pipes):
            try:
                os.makedirs(directory, _PRIVATE, exist_ok=True)
                if directory != self.temporary:  # which may be a directory for all
                    _take(directory, private=directory == self.pipes)
            except OSError as error:
                raise unwritable(directory, error) from error

    def tidy(self) -> None:
        """Remove the directory of pipes when nobody else has anything in it."""
        try:
            os.rmdir(self.pipes)
        except OSError:
            return


class Address:
    """A context in which a socket's path is short enough, however long it is.

    Args:
        path: Of the socket. Its directory exists.
    """

    def __init__(self, path: str) -> None:
        """The directory of a long path is opened."""
        self._directory: int | None = None
        self.name = path
        """What to bind or connect to, in this process."""
        if len(os.fsencode(path)) > _LONGEST_ADDRESS:
            directory, name = os.path.split(path)
            self._directory = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
            self.name = f"/proc/self/fd/{self._directory}/{name}"

    def for_others(self) -> str:
        """The same for other processes of this user, as long as the context is open."""
        return (
            self.name.replace("/proc/self/", f"/proc/{os.getpid()}/", 1) if self.descriptors() else self.name
        )

    def descriptors(self) -> tuple[int, ...]:
        """What has to stay open."""
        return () if self._directory is None else (self._directory,)

    def __enter__(self) -> str:
        return self.name

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the directory."""
        if self._directory is not None:
            os.close(self._directory)
            self._directory = None


def unwritable(path: str, error: OSError) -> ReleaseError:
    """What to say when a file or directory below RELEASE_TMP can't be written."""
    return ReleaseError(
        f"cannot write {path} ({error.strerror}): set RELEASE_TMP to a directory that can be written"
    )


def remove(path: str) -> None:
    """Remove a file, if there is one."""
    try:
        os.unlink(path)
    except FileNotFoundError:
        return


def _checked(node: str) -> str:
    """A node's name that can be that of a file."""
    bad = "/" in node or node.startswith(".") or not node.isprintable()
    if bad or not 0 < len(os.fsencode(node)) <= _LONGEST_NAME:
        raise ReleaseError(
            f"RELEASE_NODE is {node!r}: a daemon's files are named after it, so set it to a name without "
            f"slashes of at most {_LONGEST_NAME} bytes"
        )
    return node


def _take(directory: str, *, private: bool) -> None:
    """Make sure that a directory is ours, and closed to others if it has to be."""
    found = os.stat(directory)
    if found.st_uid != os.geteuid():
        raise ReleaseError(
            f"{directory} belongs to another user (id {found.st_uid}): set RELEASE_TMP to a directory of your own"
        )
    if private and stat.S_IMODE(found.st_mode) & _OTHERS:
        os.chmod(directory, _PRIVATE)
