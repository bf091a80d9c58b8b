"""Leaving the terminal, the session and the descriptors of whoever typed `daemon`."""

from __future__ import annotations

import os
import sys

from ..supervision import systemd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

_UMASK = 0o077
_STREAMS = 3


def open_streams() -> None:
    """See to it that the numbers of the standard streams are taken, so that nothing else gets them."""
    while (descriptor := os.open(os.devnull, os.O_RDWR)) < _STREAMS:
        os.set_inheritable(descriptor, True)  # noqa: FBT003 - its only argument
    os.close(descriptor)


def detach(kept: Iterable[int]) -> int:
    """Go on in two processes.

    Args:
        kept: Descriptors that the daemon keeps besides listening sockets of a supervisor; all others are closed in it.

    Returns:
        In the caller the daemon's process id; in the daemon 0. It is in a session of its own that it does not lead,
        without a terminal, in the root directory, and what it writes is for its owner alone.
    """
    sockets = systemd.listening()
    read, write = os.pipe()
    child = os.fork()
    if child:
        os.close(write)
        os.waitpid(child, 0)
        pid = int(os.read(read, 20) or 0)
        os.close(read)
        return pid
    os.setsid()
    pid = os.fork()
    if pid:
        os.write(write, str(pid).encode())
        os._exit(0)
    if sockets:
        os.environ["LISTEN_PID"] = str(os.getpid())
    os.chdir("/")
    os.umask(_UMASK)
    _close_all_but({*kept, *sockets})
    return 0


def _close_all_but(kept: set[int]) -> None:
    """Close descriptors; the standard streams lead nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in range(_STREAMS):
        os.dup2(nowhere, number)
    for name in os.listdir("/proc/self/fd"):
        if int(name) >= _STREAMS and int(name) not in kept:
            try:
                os.close(int(name))
            except OSError:
                continue  # that of the listing itself
    sys.stdin = sys.stdout = sys.stderr = open(  # noqa: SIM115 - until the end
        os.devnull, "w", encoding="utf-8"
    )
