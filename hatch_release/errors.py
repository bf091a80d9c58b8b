"""The one base class of every error a user may cause, and exit codes; each door catches it in one place."""

from __future__ import annotations

from hatch_release.runtime.errors import ReleaseError

__all__ = ["FAILED", "INTERRUPTED", "Keys", "OptionError", "ProjectFileError", "ReleaseError", "in_one_line"]

Keys = tuple[str | int, ...]
"""The way to a value in tables and lists."""

FAILED = 1
"""The exit code of a command that found something wrong, or could not do what it was asked for."""
INTERRUPTED = 130
"""The exit code of a program that SIGINT ended, as shells give it."""


class ProjectFileError(ReleaseError):
    """What is wrong with something that the project's file says: `located` puts file and line in front of it."""

    def __init__(self, message: str, *keys: str | int) -> None:
        """Say where it stands.

        Args:
            message: The one line, without the place.
            keys: The way to it from the top of `pyproject.toml`; what isn't there has no line.
        """
        super().__init__(message)
        self.keys: Keys = keys


class OptionError(ProjectFileError):
    """What is wrong with something that an option of the release says.

    Its keys are the option's name and, where it matters, the way inside its value.
    """


def in_one_line(error: BaseException, *, kind: bool = False) -> str:
    """What an error of others says, on one line.

    Args:
        error: Of any type; its message may have many lines, or none.
        kind: Whether its type is told too, as for code that the reader knows.
    """
    message = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {message}" if kind and message else message or name
