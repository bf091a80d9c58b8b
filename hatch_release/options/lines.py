"""On which line of the project's file something stands, and errors that say so."""

from __future__ import annotations

import bisect
import contextlib
import io
import re
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from hatch_release.errors import OptionError, ProjectFileError, ReleaseError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hatch_release.errors import Keys

PYPROJECT = "pyproject.toml"
FILES = {PYPROJECT: (), "hatch.toml": ("tool", "hatch")}
"""The files that hatchling reads, the one that counts first last, and which keys theirs leave out."""
_FAULT = re.compile(r" \(at line (?P<line>\d+), column (?P<column>\d+)\)$")
_ENDINGS = ("", "]", "]}")
"""What makes TOML of a beginning that ends inside a list, or inside a list of a table on one line."""


def read_pyproject(file: Path) -> dict[str, Any]:
    """What a file of the project holds.

    Args:
        file: `pyproject.toml`, or one that is written as it is.

    Raises:
        OSError: When it can't be read.
        ReleaseError: When it is no TOML; names the line.
    """
    text = ""
    try:
        text = file.read_text(encoding="utf-8")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ReleaseError(f"{file} is no text in UTF-8: {error.reason} at byte {error.start}") from error
    except tomllib.TOMLDecodeError as error:
        # At the end of the file the parser names no line.
        found = _FAULT.search(str(error))
        line = found["line"] if found else max(text.count("\n"), 1)
        what = f"{_FAULT.sub('', str(error))}, column {found['column']}" if found else str(error)
        raise ReleaseError(f"{file.name}:{line}: this is no TOML: {what}") from error


@contextlib.contextmanager
def located(root: Path, given: Mapping[str, Keys] | None = None) -> Iterator[None]:
    """Put file and line in front of what is wrong with the project's file, as compilers and editors have them.

    Args:
        root: The project's root.
        given: The ways to the options that the project's file gives (`Options.given`).

    Raises:
        ReleaseError: Such an error, with its place.
    """
    try:
        yield
    except ProjectFileError as error:
        raise ReleaseError(with_line(error, root, given)) from error


def with_line(error: ReleaseError, root: Path, given: Mapping[str, Keys] | None = None) -> str:
    """What is wrong, with file and line in front where it stands in the project's file.

    Args:
        error: Any error.
        root: The project's root.
        given: As in `located`.
    """
    where = ""
    if isinstance(error, OptionError):
        where = _locate_option(root, given or {}, *error.keys)
    elif isinstance(error, ProjectFileError):
        where = locate(root, error.keys)
    return f"{where}: {error}" if where else str(error)


def _locate_option(root: Path, given: Mapping[str, Keys], option: str | int, *inside: str | int) -> str:
    """Where an option stands or, as far as it is there, something in it."""
    way = given.get(str(option))
    if way is None:
        return ""
    found = (locate(root, (*way, *inside[:length])) for length in range(len(inside), -1, -1))
    return next(filter(None, found), "")


def locate(root: Path, keys: Keys) -> str:
    """Where something stands, as `pyproject.toml:14`; an empty string for what is in no file of the project.

    Args:
        root: The project's root.
        keys: The way to it from the top of `pyproject.toml`.
    """
    for name, left_out in reversed(FILES.items()):
        if not keys or keys[: len(left_out)] != left_out:
            continue
        try:
            text = (root / name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue
        if line := line_of(text, keys[len(left_out) :]):
            return f"{name}:{line}"
    return ""


def line_of(text: str, keys: Keys) -> int | None:
    """The line on which the statement begins that sets a key or opens its table, or an item of a list; from 1.

    TOML is read by a statement after the other: the shortest beginning of the text that is TOML and has the key
    ends with that statement, and the one before, without it, where the statement begins.

    Args:
        text: A file of TOML.
        keys: The way to the value. A way that leads into what is no table ends there: that value names something
            which holds the rest.

    Returns:
        None when it is not there.
    """
    lines = list(io.StringIO(text))
    ends = range(len(lines) + 1)
    found = bisect.bisect_left(ends, x=True, key=lambda end: _has(_read(lines, end)[1], keys))
    return _read(lines, found - 1)[0] + 1 if 0 < found < len(ends) else None


def _read(lines: list[str], end: int) -> tuple[int, dict[str, Any]]:
    """The longest beginning of some lines, `end` at most, that is TOML: its end, and what it holds."""
    for number in range(end, 0, -1):
        for ending in _ENDINGS:
            with contextlib.suppress(tomllib.TOMLDecodeError):
                return number, tomllib.loads("".join(lines[:number]) + ending)
    return 0, {}


def _has(value: Any, keys: Keys) -> bool:  # noqa: ANN401 - what TOML holds
    """Whether a way of keys leads to anything."""
    for key in keys:
        is_item = isinstance(value, list) and isinstance(key, int) and key < len(value)
        if not is_item and not (isinstance(value, Mapping) and key in value):
            return not isinstance(value, (Mapping, list))
        value = value[key]
    return True
