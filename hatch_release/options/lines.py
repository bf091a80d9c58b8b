"""On which line of the project's file an option stands."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from pathlib import Path

FILES = {"pyproject.toml": (), "hatch.toml": ("tool", "hatch")}
"""The files that hatchling reads, the one that counts first last, and which keys theirs leave out."""
_INDEX = re.compile(r"\[\d+\]")


def read_toml(file: Path) -> dict[str, Any]:
    """What a file of TOML holds.

    Raises:
        OSError: When it can't be read.
        ValueError: When it is no TOML.
    """
    return tomllib.loads(file.read_text(encoding="utf-8"))


def locate(root: Path, place: str) -> str:
    """Where a key stands, as `pyproject.toml:14`; an empty string for what is in no file of the project.

    Args:
        root: The project's root.
        place: Keys with dots between them, as messages name them; an index of a list may follow each.
    """
    keys = _keys(place)
    for name, left_out in reversed(FILES.items()):
        if keys[: len(left_out)] != list(left_out) or not keys:
            continue
        try:
            text = (root / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if line := line_of(text, keys[len(left_out) :]):
            return f"{name}:{line}"
    return ""


def line_of(text: str, keys: list[str]) -> int | None:
    """The line on which the statement begins that sets a key or opens its table, counted from 1.

    TOML is read by a statement after the other: the shortest beginning of the text that is TOML and has the key
    ends with that statement, and the one before, without it, where the statement begins.

    Args:
        text: A file of TOML.
        keys: The way to the key.

    Returns:
        None when the key is not there.
    """
    lines = text.splitlines(keepends=True)
    before = 0
    for number in range(1, len(lines) + 1):
        value = _parsed("".join(lines[:number]))
        if value is None:
            continue
        if _has(value, keys):
            return before + 1
        before = number
    return None


def _keys(place: str) -> list[str]:
    """The keys of a place; none when it is no way of keys."""
    value: Any = _parsed(f"{_INDEX.sub('', place)} = 0")
    keys = []
    while isinstance(value, Mapping):
        ((key, value),) = value.items()
        keys.append(key)
    return keys


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None


def _has(value: object, keys: list[str]) -> bool:
    """Whether a way of keys leads to anything."""
    for key in keys:
        if not isinstance(value, Mapping) or key not in value:
            return False
        value = value[key]
    return True
