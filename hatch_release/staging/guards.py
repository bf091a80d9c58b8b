"""What keeps a short piece of work whole: a lock on its directory, and signals held off."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from types import FrameType

HELD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
NO_LOCKS = {errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP}
"""What `flock` answers where directories can't be locked, as on NFS: one run at a time is up to the user."""


@contextlib.contextmanager
def locked(directory: Path) -> Iterator[None]:
    """Hold the `flock` on a directory, waiting for it.

    Args:
        directory: Any directory that may be read.

    Raises:
        OSError: When the directory can't be opened.
    """
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def held_signals() -> Iterator[list[int]]:
    """Hold off the signals that end the program; those that arrived are delivered at the end.

    Handlers and not a signal mask: a mask counts for one thread, and Python runs handlers in the main thread
    whichever thread was sent the signal. In other threads this does nothing.

    Yields:
        The numbers of the signals that have arrived so far, growing.
    """
    arrived: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield arrived
        return

    def note(number: int, _frame: FrameType | None) -> None:
        arrived.append(number)

    # None: a handler that Python did not set and can't set again.
    handlers = {each: signal.getsignal(each) for each in HELD}
    held = {each: handler for each, handler in handlers.items() if handler not in {None, signal.SIG_IGN}}
    for each in held:
        signal.signal(each, note)
    try:
        yield arrived
    finally:
        for each, handler in held.items():
            signal.signal(each, handler)
        for number in dict.fromkeys(arrived):
            signal.raise_signal(number)
