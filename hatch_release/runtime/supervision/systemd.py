"""What a supervisor tells a system by its environment: sd_notify(3), sd_listen_fds(3), as systemd defines them."""

from __future__ import annotations

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _socket
    from collections.abc import Callable

FIRST_SOCKET = 3
"""SD_LISTEN_FDS_START."""
_MICROSECONDS = 1_000_000
_FAR = 64
"""Where duplicates of descriptors begin, out of the way of those that programs expect."""
_IMPATIENCE = 0.1
"""Which part of an interval passes before what gave no answer is asked again."""


def notify(state: str) -> bool:
    """Tell the supervisor a state, such as `READY=1`; false when nobody wants to know, or can't be told.

    Args:
        state: Lines of `NAME=VALUE`.
    """
    channel = _connect()
    if channel is None:
        return False
    try:
        channel.sendall(state.encode())
    except OSError:
        return False
    finally:
        channel.close()
    return True


def _connect() -> _socket.socket | None:
    """A connection to the supervisor; None when there is none to be had."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return None
    import _socket

    channel = _socket.socket(_socket.AF_UNIX, _socket.SOCK_DGRAM | _socket.SOCK_CLOEXEC)
    try:
        channel.connect("\0" + address[1:] if address.startswith("@") else address)
    except OSError:
        channel.close()
        return None
    return channel


def watchdog_interval() -> float | None:
    """Seconds between two signs of life: half of what the supervisor waits for; None when it wants none."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    try:
        return int(os.environ["WATCHDOG_USEC"]) / _MICROSECONDS / 2
    except (KeyError, ValueError):
        return None


class Watchdog:
    """Gives signs of life.

    It keeps its connection, so that it reaches the supervisor also when the process has become another user's.

    Args:
        interval: Seconds between two; None: nobody wants any.
        answers: Whether what the signs stand for lives; as long as it does not, there is none.
    """

    def __init__(self, interval: float | None, answers: Callable[[], bool] | None = None) -> None:
        """The first is due after an interval."""
        self._interval = interval
        self._answers = answers or _always
        self._due = time.monotonic() + (interval or 0)
        self._channel = None if interval is None else _connect()
        self._inode = os.fstat(self._channel.fileno()).st_ino if self._channel else 0

    def left(self) -> float | None:
        """Give a sign when one is due; how many seconds are left until the next."""
        if self._interval is None:
            return None
        now = time.monotonic()
        if now >= self._due:
            if self._answers():
                self._give()
                self._due = now + self._interval
            else:
                self._due = now + self._interval * _IMPATIENCE
        return self._due - now

    def _give(self) -> None:
        """Give a sign."""
        try:
            # A program may have closed what is not its own, and the number be that of something else by now.
            if self._channel and os.fstat(self._channel.fileno()).st_ino == self._inode:
                self._channel.send(b"WATCHDOG=1")
                return
        except OSError:
            pass
        notify("WATCHDOG=1")


def _always() -> bool:
    return True


def listening(process: int | None = None) -> list[int]:
    """The descriptors of the listening sockets that the supervisor handed over.

    Args:
        process: To whom; this process unless said otherwise.
    """
    if os.environ.get("LISTEN_PID") != str(process or os.getpid()):
        return []
    try:
        number = int(os.environ.get("LISTEN_FDS", "0"))
    except ValueError:
        return []
    return list(range(FIRST_SOCKET, FIRST_SOCKET + number))


class Sockets:
    """Keeps the listening sockets that the supervisor handed over for applications that are started again.

    What has taken a socket closes it at its end, and may take the variables away (sd_listen_fds(3), unset_environment).
    """

    def __init__(self) -> None:
        """Keep a duplicate of each."""
        self._variables = {name: value for name, value in os.environ.items() if name.startswith("LISTEN_")}
        self._kept: dict[int, int] = {}
        numbers = listening()
        if numbers:
            import fcntl

            for number in numbers:
                try:
                    self._kept[number] = fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, _FAR)
                except OSError:
                    continue  # somebody has closed it

    def restore(self, *, anyhow: bool = False) -> None:
        """Put back the sockets that were closed.

        Args:
            anyhow: Also where another file has the number by now; for a process that becomes another program.
        """
        if self._kept:
            os.environ.update(self._variables)
        for number, kept in self._kept.items():
            if anyhow or not _is_open(number):
                try:
                    os.dup2(kept, number, inheritable=True)
                except OSError:
                    continue  # as above


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True
