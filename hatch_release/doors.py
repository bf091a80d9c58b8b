"""What all doors have in common: how they end, and which wheel a release is made of."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from collections.abc import Iterator

WHEEL_ALONE = "_HATCH_RELEASE_WHEEL"
"""Set while a wheel is built for a release: the build hook then has nothing to do."""
_COLLECTED = 100_000
"""How many objects more there are before Python looks for cycles."""


def verbose() -> bool:
    """Whether the user wants to see where an error comes from (`hatch -v`)."""
    return os.environ.get("HATCH_VERBOSE", "0") not in {"", "0"}


@contextlib.contextmanager
def wheel_alone() -> Iterator[None]:
    """Build a wheel without a release of it."""
    os.environ[WHEEL_ALONE] = "1"
    try:
        yield
    finally:
        del os.environ[WHEEL_ALONE]


@contextlib.contextmanager
def collector_at_rest() -> Iterator[None]:
    """Let Python look for cycles seldom, and not at its end: a build makes many objects, and keeps most to its end."""
    before = gc.get_threshold()
    gc.set_threshold(_COLLECTED)
    atexit.register(gc.freeze)
    try:
        yield
    finally:
        gc.set_threshold(*before)


@contextlib.contextmanager
def ending_signals() -> Iterator[None]:
    """Leave as an interrupted program on SIGTERM and SIGHUP, so that everything is cleaned up on the way."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python handles signals in the main thread alone
        return
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGHUP)}
    changed = {each: handler for each, handler in before.items() if handler is signal.SIG_DFL}
    for each in changed:
        signal.signal(each, _end)
    try:
        yield
    finally:
        for each, handler in changed.items():
            signal.signal(each, handler)


def _end(signal_number: int, _frame: object) -> NoReturn:
    """Raise what ends a program."""
    sys.exit(128 + signal_number)
