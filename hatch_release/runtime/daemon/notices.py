"""What the system tells its keeper, by sd_notify(3), and what of it an outer supervisor is told."""

from __future__ import annotations

import _socket
import os
import struct

from ..supervision import systemd
from .places import Address, remove, unwritable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

CALLED = "X_RELEASE_CALLED"
"""A console script is imported, and called now."""
REQUESTED = "X_RELEASE_REQUESTED"
"""The stop that has begun was asked for: the system is not to be brought back."""
OURS = (CALLED, REQUESTED, "MAINPID")
"""What is the keeper's business alone."""
_PRIVATE = 0o177
_SIZE = 1 << 16
_CREDENTIALS = struct.Struct("3i")


class Notices:
    """The socket that NOTIFY_SOCKET names for the system.

    Args:
        path: Where it is put; its directory is for this user alone.

    Raises:
        ReleaseError: When it can't be put there.
    """

    def __init__(self, path: str) -> None:
        """Open it."""
        self.path = path
        self._socket = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
        self._socket.settimeout(0)
        self._socket.setsockopt(_socket.SOL_SOCKET, _socket.SO_PASSCRED, 1)
        self.address = Address(path)
        try:
            remove(path)
            before = os.umask(_PRIVATE)
            try:
                self._socket.bind(self.address.name)
            finally:
                os.umask(before)
        except OSError as error:
            raise unwritable(path, error) from error

    def descriptors(self) -> tuple[int, ...]:
        """What has to stay open."""
        return (self._socket.fileno(), *self.address.descriptors())

    def fileno(self) -> int:
        """What to wait for."""
        return self._socket.fileno()

    def take(self, pid: int) -> Iterator[tuple[str, str]]:
        """What has come, as names and values.

        Args:
            pid: Of the system; what other processes say does not count (NotifyAccess=main of systemd).
        """
        while True:
            try:
                data, ancillary, _flags, _from = self._socket.recvmsg(_SIZE, 1024)
            except BlockingIOError:
                return
            if _sender(ancillary) == pid:
                for line in data.decode("utf-8", "replace").splitlines():
                    name, _, value = line.partition("=")
                    yield name, value

    def close(self) -> None:
        """Remove it."""
        self._socket.close()
        self.address.close()
        remove(self.path)


def pass_on(name: str, value: str) -> None:
    """Tell an outer supervisor, when there is one."""
    systemd.notify(f"{name}={value}")


def _sender(ancillary: list[tuple[int, int, bytes]]) -> int:
    """The process that a datagram came from; the kernel says so (unix(7), SCM_CREDENTIALS)."""
    for level, kind, data in ancillary:
        if level == _socket.SOL_SOCKET and kind == _socket.SCM_CREDENTIALS:
            return int(_CREDENTIALS.unpack(data[: _CREDENTIALS.size])[0])
    return 0
