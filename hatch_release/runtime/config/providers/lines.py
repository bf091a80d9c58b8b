"""On which line a file sets a key: looked for only when somebody wants to know."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..origins import Path

_KEY = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\]|\\.)*"|'[^']*')"""
_KEYS = rf"{_KEY}(?:[ \t]*\.[ \t]*{_KEY})*"
_HEADER = rf"[ \t]*\[\[?[ \t]*({_KEYS})[ \t]*\]"
_SETTING = rf"[ \t]*({_KEYS})[ \t]*="
_LONG = "\"{3}|'{3}"


def teller(file: str, text: str, find: Callable[[str], Iterator[tuple[Path, int]]]) -> Callable[[Path], str]:
    """A function that tells file and line of a key.

    Args:
        file: Its path.
        text: What is in it.
        find: Gives each key's path with its line.
    """
    known: dict[Path, int] = {}

    def tell(path: Path) -> str:
        if not known:
            known.update(find(text))
        lines = (known[path[:length]] for length in range(len(path), 0, -1) if path[:length] in known)
        line = next(lines, None)
        return file if line is None else f"{file}:{line}"

    return tell


def of_json(text: str) -> Iterator[tuple[Path, int]]:
    """Each key of the tables in a JSON text with its line.

    Args:
        text: Valid JSON.
    """
    yield from _walk(text, _after_space(text, 0), (), [])


def _walk(text: str, position: int, path: Path, end: list[int]) -> Iterator[tuple[Path, int]]:
    """The keys of the value at `position`, which ends at what is put into `end`."""
    if text[position] != "{":
        end[:] = [json.JSONDecoder().raw_decode(text, position)[1]]
        return
    position = _after_space(text, position + 1)
    while text[position] != "}":
        line = text.count("\n", 0, position) + 1
        key, position = json.JSONDecoder().raw_decode(text, position)
        yield (*path, key), line
        position = _after_space(text, _after_space(text, position) + 1)  # behind the colon
        yield from _walk(text, position, (*path, key), end)
        position = _after_space(text, end[0])
        if text[position] == ",":
            position = _after_space(text, position + 1)
    end[:] = [position + 1]


def _after_space(text: str, position: int) -> int:
    while text[position : position + 1] in {" ", "\t", "\r", "\n"}:
        position += 1
    return position


def of_toml(text: str) -> Iterator[tuple[Path, int]]:
    """Each key at the beginning of a line of a TOML text with that line; those of inline tables have the table's.

    Args:
        text: Valid TOML.
    """
    table: Path = ()
    quote = ""
    for number, line in enumerate(text.split("\n"), 1):
        inside, quote = quote, _open_quote(line, quote)
        if inside:
            continue  # of a string over several lines
        header, setting = re.match(_HEADER, line), re.match(_SETTING, line)
        if header:
            table = _path(header[1])
        elif setting:
            yield (*table, *_path(setting[1])), number


def _open_quote(line: str, quote: str) -> str:
    """The quotes of a string over several lines that is open at the end of a line; `quote` is open at its beginning."""
    for found in re.finditer(_LONG, line):
        if not quote:
            quote = found[0]
        elif quote == found[0]:
            quote = ""
    return quote


def _path(keys: str) -> Path:
    """The keys of a dotted key."""
    return tuple(json.loads(each) if each[0] == '"' else each.strip("'") for each in re.findall(_KEY, keys))
