"""What a supervisor tells a system by its environment: sd_notify(3), sd_listen_fds(3), as systemd defines them."""

from __future__ import annotations

import os
import time

FIRST_SOCKET = 3
"""SD_LISTEN_FDS_START."""
_MICROSECONDS = 1_000_000


def notify(state: str) -> bool:
    """Tell the supervisor a state, such as `READY=1`; false when nobody wants to know, or can't be told.

    Args:
        state: Lines of `NAME=VALUE`.
    """
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return False
    import socket

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as channel:
        try:
            channel.connect("\0" + address[1:] if address.startswith("@") else address)
            channel.sendall(state.encode())
        except OSError:
            return False
    return True


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

    Args:
        interval: Seconds between two; None: nobody wants any.
    """

    def __init__(self, interval: float | None) -> None:
        """The first is due after an interval."""
        self._interval = interval
        self._due = time.monotonic() + (interval or 0)

    def left(self) -> float | None:
        """Give a sign when one is due; how many seconds are left until the next."""
        if self._interval is None:
            return None
        now = time.monotonic()
        if now >= self._due:
            notify("WATCHDOG=1")
            self._due = now + self._interval
        return self._due - now


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
