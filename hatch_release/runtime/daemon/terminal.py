"""The pseudo-terminal that is a daemon's standard input, output and error."""

from __future__ import annotations

import fcntl
import os
import struct
import termios

from ..errors import ReleaseError

ROWS, COLUMNS = 24, 80
"""Its size as long as nobody is attached."""
_CHUNK = 1 << 16
_IFLAG, _OFLAG, _LFLAG = 0, 1, 3
_MOST_PENDING = 1 << 16
"""Bytes typed that the system has not read yet."""


class Terminal:
    """A pseudo-terminal, both ends of it, which stay open from one life of the system to the next.

    It is nobody's controlling terminal: neither ^C nor the keeper's end are signals to the system. Output passes as it
    was written, and ^S does not stop it.

    Raises:
        ReleaseError: When there is none to be had.
    """

    def __init__(self) -> None:
        """Open one."""
        try:
            self.master, self.slave = os.openpty()
        except OSError as error:
            raise ReleaseError(f"no pseudo-terminal can be opened: {error.strerror}") from error
        os.set_blocking(self.master, False)
        self._pending = b""
        self._fresh = termios.tcgetattr(self.slave)
        self._fresh[_IFLAG] &= ~(termios.IXON | termios.IXOFF)
        self._fresh[_OFLAG] &= ~termios.OPOST
        self._fresh[_LFLAG] &= ~termios.ISIG
        self.settle()
        self.resize(ROWS, COLUMNS)

    def settle(self) -> None:
        """Bring the terminal into the state that a new system expects."""
        termios.tcsetattr(self.slave, termios.TCSANOW, self._fresh)
        termios.tcflush(self.slave, termios.TCIFLUSH)
        self._pending = b""

    def resize(self, rows: int, columns: int) -> None:
        """Give it a size in characters."""
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self) -> bytes:
        """What the system has written; nothing when it has written nothing more."""
        try:
            return os.read(self.master, _CHUNK)
        except OSError:
            return b""

    def type(self, data: bytes) -> None:
        """Let somebody type; what the system does not read in time is dropped."""
        self._pending = (self._pending + data)[:_MOST_PENDING]
        self.flush()

    def flush(self) -> None:
        """Hand on what was typed, as far as there is room."""
        try:
            self._pending = self._pending[os.write(self.master, self._pending) :]
        except OSError:
            return

    @property
    def pending(self) -> bool:
        """Whether something that was typed still waits for room."""
        return bool(self._pending)
