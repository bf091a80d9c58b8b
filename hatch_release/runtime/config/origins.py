"""Where each value came from: worked out only when somebody asks.

Loading keeps, for every source in turn, the configuration before and after it, and what the source itself noted about
single keys. The last source after which a value is another one has set it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

Path = tuple[Any, ...]
"""Application, key, and what follows inside of tables."""
MISSING: Any = object()
"""Stands for no value."""


class Notes:
    """What a source has noted about what set its values.

    Args:
        keys: What set single keys, by their path; or a function that knows.
    """

    def __init__(self, keys: Mapping[Path, str] | Callable[[], Mapping[Path, str]] | None = None) -> None:
        """Keep it: nothing is worked out before somebody asks."""
        self._read = keys if callable(keys) else None
        self.keys: dict[Path, str] = {} if keys is None or callable(keys) else dict(keys)
        self.tables: list[tuple[Mapping[Any, Any], Callable[[Path], str]]] = []
        """Configurations that were merged as a whole, each with a function that tells what set a key of it."""

    def find(self, path: Path) -> str:
        """What set the value at `path`; empty when nothing is noted."""
        if self._read is not None:
            self.keys, self._read = dict(self._read()), None
        for length in range(len(path), 0, -1):
            if path[:length] in self.keys:
                return self.keys[path[:length]]
        holds = (tell for table, tell in reversed(self.tables) if value_at(table, path) is not MISSING)
        return next((tell(path) for tell in holds), "")


class Layer:
    """What one source has contributed.

    Args:
        source: What set the values of which nothing is noted.
        before: The configuration before it.
        after: The configuration after it.
        notes: What is known better.
    """

    def __init__(
        self, source: str, before: Mapping[str, Any], after: Mapping[str, Any], notes: Notes
    ) -> None:
        """Keep it all: nothing is worked out before somebody asks."""
        self.source, self.before, self.after, self.notes = source, before, after, notes

    def sets(self, path: Path) -> str:
        """What of this source has set the value at `path`; empty when it hasn't."""
        noted = self.notes.find(path)
        if noted:
            return noted
        now = value_at(self.after, path)
        before = value_at(self.before, path)
        return "" if now is MISSING or now is before or _equal(now, before) else self.source


def _equal(one: object, other: object) -> bool:
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # noqa: BLE001 - a value of a provider's own making
        return False


def value_at(config: Any, path: Path) -> Any:  # noqa: ANN401 - any configured value
    """What a configuration holds at `path`; a value of its own when there is nothing."""
    for key in path:
        if not isinstance(config, dict) or key not in config:
            return MISSING
        config = config[key]
    return config


def origin(layers: list[Layer], path: Path) -> str:
    """What has set the value at `path`; empty when nobody has.

    Args:
        layers: In the order of loading.
        path: Of a value, or of a table.
    """
    return next((found for layer in reversed(layers) if (found := layer.sets(path))), "")


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:  # noqa: ANN401 - any configured value
    """Every value that isn't a table, and every empty table, with its path."""
    if isinstance(value, dict) and value:
        for key, each in value.items():
            yield from leaves(each, (*path, key))
    else:
        yield path, value
