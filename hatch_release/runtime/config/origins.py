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
_MISSING = object()


class Layer:
    """What one source has contributed.

    Args:
        source: What set the values of which nothing is noted.
        before: The configuration before it.
        after: The configuration after it.
        notes: What set single keys, by their path; or a function that knows.
    """

    def __init__(
        self,
        source: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        notes: Mapping[Path, str] | Callable[[], Mapping[Path, str]],
    ) -> None:
        """Keep it all: nothing is worked out before somebody asks."""
        self.source, self.before, self.after, self.notes = source, before, after, notes

    def sets(self, path: Path) -> str:
        """What of this source has set the value at `path`; empty when it hasn't."""
        if callable(self.notes):
            self.notes = self.notes()
        for length in range(len(path), 0, -1):
            if path[:length] in self.notes:
                return self.notes[path[:length]]
        now = value_at(self.after, path)
        before = value_at(self.before, path)
        return "" if now is _MISSING or now is before or _equal(now, before) else self.source


def _equal(one: object, other: object) -> bool:
    try:
        return type(one) is type(other) and bool(one == other)
    except Exception:  # noqa: BLE001 - a value of a provider's own making
        return False


def value_at(config: Any, path: Path) -> Any:  # noqa: ANN401 - any configured value
    """What a configuration holds at `path`; a value of its own when there is nothing."""
    for key in path:
        if not isinstance(config, dict) or key not in config:
            return _MISSING
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
