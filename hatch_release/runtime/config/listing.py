"""`config [APP [KEY]] [--json] [--reveal]`: the effective configuration, with what has set each value."""

from __future__ import annotations

import json
import sys

from . import hidden, plain, store
from .errors import ConfigError, nearest
from .origins import leaves, origin, value_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from .origins import Path

USAGE = "config takes [APPLICATION [KEY]] [--json] [--reveal]"
_FLAGS = ("--json", "--reveal")


def show(arguments: list[str]) -> int:
    """Print the configuration; give the exit code.

    Args:
        arguments: Of the command.
    """
    try:
        flags, path = _parsed(arguments)
        rows = list(_rows(path, reveal="--reveal" in flags))
    except ConfigError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
    if "--json" in flags:
        json.dump([_entry(*row) for row in rows], sys.stdout, indent=2)
        sys.stdout.write("\n")
    else:
        _print(rows)
    return 0


def _parsed(arguments: list[str]) -> tuple[set[str], Path]:
    """The flags, and application and keys."""
    flags = {each for each in arguments if each.startswith("-")}
    unknown = sorted(flags.difference(_FLAGS))
    if unknown:
        raise ConfigError(f"unknown option {unknown[0]}, {nearest(unknown[0], _FLAGS)}: {USAGE}")
    words = [each for each in arguments if not each.startswith("-")]
    if len(words) > 2:  # noqa: PLR2004 - as the usage says
        raise ConfigError(f"found {len(words)} arguments: {USAGE}")
    return flags, tuple(words)


def _rows(path: Path, *, reveal: bool) -> Iterator[tuple[Path, Any, str]]:
    """Path, value and origin of all that is at `path`.

    Raises:
        ConfigError: When nothing is.
    """
    current = store.current()
    begin: Path = ()
    if path:
        name, *keys = path
        # A key may be the way into a table, unless a key is spelt so.
        key = tuple(keys) if not keys or keys[0] in store.all_env(name) else tuple(keys[0].split("."))
        store.fetch_env(name, key)
        begin = (store.spelling(current.values, name), *key)
    for place, value in leaves(value_at(current.values, begin), begin):
        shown = value if reveal else hidden.censored(value, place[1:])
        yield place, hidden.plain(shown) if reveal else shown, origin(current.layers, place)


def _entry(place: Path, value: Any, source: str) -> dict[str, Any]:  # noqa: ANN401 - any configured value
    """A row as JSON holds it; a value that JSON does not know as `sys.config` would hold it, or by its `repr`."""
    try:
        held = plain.encode(value)
    except plain.NotPlainError:
        held = repr(value)
    return {"application": place[0], "key": list(map(str, place[1:])), "value": held, "source": source}


def _print(rows: list[tuple[Path, Any, str]]) -> None:
    """Print a table: `application.key`, the value as Python writes it, its origin."""
    lines = [(".".join(map(str, place)), _written(value), source) for place, value, source in rows]
    widths = [min(_WIDEST, max((len(line[column]) for line in lines), default=0)) for column in (0, 1)]
    for name, value, source in lines:
        sys.stdout.write(f"{name:<{widths[0]}}  {value:<{widths[1]}}  {source}".rstrip() + "\n")


def _written(value: Any) -> str:  # noqa: ANN401 - any configured value
    """A value as Python writes it; sets in the same order each time."""
    if type(value) in {set, frozenset} and value:
        items = "{" + ", ".join(sorted(map(_written, value))) + "}"
        return items if type(value) is set else f"frozenset({items})"
    return hidden.HIDDEN if value == hidden.HIDDEN else repr(value)


_WIDEST = 40
