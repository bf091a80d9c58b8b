"""The one base class of every error a user may cause, and exit codes; each door catches it in one place."""

from __future__ import annotations

from hatch_release.runtime.errors import ReleaseError

__all__ = ["FAILED", "INTERRUPTED", "ReleaseError", "in_one_line"]

FAILED = 1
"""The exit code of a command that found something wrong, or could not do what it was asked for."""
INTERRUPTED = 130
"""The exit code of a program that SIGINT ended, as shells give it."""


def in_one_line(error: BaseException, *, kind: bool = False) -> str:
    """What an error of others says, on one line.

    Args:
        error: Of any type; its message may have many lines, or none.
        kind: Whether its type is told too, as for code that the reader knows.
    """
    message = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {message}" if kind and message else message or name
