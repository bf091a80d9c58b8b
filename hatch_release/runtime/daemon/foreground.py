"""`start` with heart: a keeper in the foreground, without a terminal of its own and without a log."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` takes long to make enumerations of it
import os
import sys
import time

from ..errors import ReleaseError
from . import detaching
from .command import current_directory
from .heart import Heart
from .keeper import Keeper
from .life import Start, environment_of_system
from .name_lock import NameLock
from .notices import Notices
from .places import Places
from .report import Report

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import NoReturn

    from .console import Sources

_OF_THE_TERMINAL = (signal.SIGINT, signal.SIGQUIT, signal.SIGWINCH, signal.SIGHUP)
"""Signals that a terminal sends to all processes in its foreground."""
_OURS = (signal.SIGPIPE, signal.SIGXFSZ)
"""What Python ignores, and programs expect to have its default action."""


class Foreground:
    """The console of a system in the foreground: whatever the keeper itself was started with."""

    def __init__(self) -> None:
        """On a terminal the two share a process group, so that ^C and ^Z are for both."""
        self._shares = os.isatty(0)

    def sources(self) -> Sources:
        """Nothing is waited for."""
        return {}

    def left(self) -> float | None:
        """Nothing is due."""
        return None

    def resized(self) -> bool:
        """The terminal itself tells the system."""
        return False

    def forwards(self, number: int) -> bool:
        """Whether a signal has to be handed on, since the system did not get it as well."""
        return not (self._shares and number in _OF_THE_TERMINAL)

    def prepare(self) -> None:
        """In a new process: a group of its own, to be ended with all that it has left behind."""
        if not self._shares:
            os.setpgid(0, 0)
        for number in _OURS:
            signal.signal(number, signal.SIG_DFL)

    def begin(self) -> None:
        """A new life begins."""

    def drain(self) -> None:
        """Its output never came here."""

    def note(self, text: str) -> None:
        """Say what the keeper has to say."""
        try:
            sys.stderr.write(f"{time.strftime('%Y-%m-%d %H:%M:%S')} heart: {text}\n")
            sys.stderr.flush()
        except OSError:
            return

    def end(self, text: str) -> None:
        """How the system ended is how the keeper ends."""

    def close(self) -> None:
        """The end."""


def keep(command: list[str]) -> Callable[[], NoReturn]:
    """Prepare to keep a system in the foreground.

    Args:
        command: The words that start it.

    Raises:
        ReleaseError: When a file can't be written, the name is in use, or a variable is wrong.
    """
    detaching.open_streams()
    places = Places(os.environ)
    heart = Heart(os.environ)
    places.make(log=False)
    lock = NameLock(places.lock, places.node)
    lock.take()
    try:
        notices = Notices(places.notify)
    except ReleaseError:
        lock.release()
        raise
    given = dict(os.environ)

    def run() -> NoReturn:
        console = Foreground()
        environment = environment_of_system(given, notices.address.for_others(), heart.timeout)
        start = Start(command, environment, current_directory(), console.prepare)
        keeper = Keeper(start, notices, console, heart=heart, lock=lock, report=Report(-1))
        keeper.run()
        places.tidy()
        os._exit(keeper.status if keeper.status >= 0 else 128 - keeper.status)

    return run
