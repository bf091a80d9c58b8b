"""What goes wrong with configuration."""

from __future__ import annotations

from ..errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class ConfigError(ReleaseError):
    """A configuration that can't be read, or lacks what is asked for."""


def nearest(word: object, known: Iterable[object]) -> str:
    """A hint that names the one of `known` that was probably meant, else all of them.

    Args:
        word: What was asked for.
        known: What there is.
    """
    import difflib

    names = sorted(map(str, known))
    close = difflib.get_close_matches(str(word), names, 1)
    return f"did you mean '{close[0]}'?" if close else f"there is {', '.join(names) or 'none'}"


def in_one_line(error: BaseException) -> str:
    """Type and message of an error of others, on one line."""
    message = " ".join(str(error).split())
    name = type(error).__name__
    return f"{name}: {message}" if message else name
