"""The system's side of being kept."""

from __future__ import annotations

import os

from . import systemd


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
