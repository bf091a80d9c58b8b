"""The system's side of being kept (`daemon/`): what its keeper is told, and when."""

from __future__ import annotations

import os

from . import systemd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


def is_kept() -> bool:
    """Whether this process is the system of a keeper (`life.py`), and not only a child of one."""
    return os.environ.get("RELEASE_KEEPER") == str(os.getppid())


def called() -> None:
    """A console script is imported and is called now."""
    if is_kept():
        systemd.notify("X_RELEASE_CALLED=1")


def stop_requested() -> None:
    """The stop that begins was asked for."""
    if is_kept():
        systemd.notify("X_RELEASE_REQUESTED=1")


def watchdog(answers: Callable[[], bool] | None = None) -> systemd.Watchdog:
    """What gives the keeper signs of life, when it wants any.

    Args:
        answers: Whether what they stand for still lives.
    """
    return systemd.Watchdog(systemd.watchdog_interval() if is_kept() else None, answers)


def beat() -> Callable[[], None]:
    """Give the keeper signs of life from a thread, which show that the interpreter runs.

    Returns:
        What ends that.
    """
    dog = watchdog()
    if dog.left() is None:
        return lambda: None
    import threading
    import time

    # Bound now: a program may replace them by functions that need an event loop.
    sleep = time.sleep
    goes_on = True

    def give() -> None:
        while goes_on:
            sleep(dog.left() or 0)

    def end() -> None:
        nonlocal goes_on
        goes_on = False

    threading.Thread(target=give, name="heart", daemon=True).start()
    return end
