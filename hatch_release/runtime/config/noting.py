"""What a provider may tell while it loads: what has set single keys; and what it may ask: the environment."""

from __future__ import annotations

import contextlib

from .merging import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

    from .origins import Notes, Path

_notes: list[tuple[Notes, str]] = []


@contextlib.contextmanager
def noted(notes: Notes, environment: str) -> Iterator[None]:
    """Collect what a provider tells into `notes`; `environment` is what it is told."""
    _notes.append((notes, environment))
    try:
        yield
    finally:
        _notes.pop()


def is_loading() -> bool:
    """Whether a provider loads at the moment."""
    return bool(_notes)


def environment() -> str:
    """What `config_env()` gives while a provider loads."""
    return _notes[-1][1] if _notes else "prod"


def note(path: Path, source: str) -> None:
    """Tell what has set a key.

    Args:
        path: Application and keys.
        source: Such as a file with a line.
    """
    if _notes:
        _notes[-1][0].keys[path] = source


def merge(
    config: Mapping[str, Any], more: Mapping[str, Any], source: str | Callable[[Path], str] = ""
) -> dict[str, Any]:
    """A configuration with another one merged into it, for a provider's `load`.

    Args:
        config: Left as it is.
        more: Wins.
        source: What `bin/NAME config` shows as the origin of its values, or a function that tells it for a path of
            application and keys; empty: the provider.
    """
    if source and _notes:
        _notes[-1][0].tables.append((more, source if callable(source) else lambda _path: source))
    return merged(config, more)
