"""Variables as configuration: how a name leads to a key, and a text becomes a value."""

from __future__ import annotations

import json

from .. import hidden
from ..errors import ConfigError, in_one_line
from ..origins import value_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

SETTINGS = ("prefix", "application", "separator")
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off", "")


def checked(table: dict[str, Any], who: str) -> dict[str, Any]:
    """The settings that say how names are read.

    Args:
        table: With `prefix`, `application` and `separator`, all optional.
        who: The provider, for messages.

    Raises:
        ConfigError: When one is of the wrong type, or all names would count.
    """
    for key in SETTINGS:
        if not isinstance(table.get(key, ""), str) or table.get(key) == "":
            raise ConfigError(f"the config provider {who} takes a string as {key}, found {table[key]!r}")
    return table


def path_of(name: str, state: dict[str, Any]) -> tuple[str, ...]:
    """Application and keys that the name of a variable stands for; empty when it isn't meant.

    Args:
        name: Such as `SHOP_DATABASE__URL`.
        state: As `checked` gives it.
    """
    prefix, application = state.get("prefix", ""), state.get("application")
    if not name.startswith(prefix) or name == prefix:
        return ()
    keys = [each.lower() for each in name[len(prefix) :].split(state.get("separator", "__"))]
    path = (application, *keys) if application else tuple(keys)
    return path if len(path) > 1 and all(path) else ()


def assign(config: dict[str, Any], path: tuple[str, ...], text: str, source: str) -> None:
    """Set a value, which takes the type of what it replaces.

    Args:
        config: Is changed.
        path: Application and keys.
        text: The value.
        source: What set it, for the error.

    Raises:
        ConfigError: When the text can't be of that type.
    """
    before = value_at(config, path)
    held = config
    for key in path[:-1]:
        inner = held.get(key)
        held[key] = inner = dict(inner) if isinstance(inner, dict) else {}
        held = inner
    held[path[-1]] = converted(text, before, path, source)


def converted(text: str, before: Any, path: tuple[str, ...], source: str) -> Any:  # noqa: ANN401 - any configured value
    """A text as a value of the type that there was before; as it is, when there was none.

    Args:
        text: The value.
        before: What it replaces.
        path: Application and keys.
        source: What set it, for the error.

    Raises:
        ConfigError: When it can't be of that type; without the text where that is a secret.
    """
    try:
        value = _typed(text, before)
    except (ValueError, TypeError, ArithmeticError) as error:
        shown = hidden.censored(text, path[1:])
        why = "" if shown == hidden.HIDDEN else f" ({in_one_line(error)})"
        kind = "true or false" if isinstance(before, bool) else f"of type {_kind(before)}"
        raise ConfigError(f"{source} is {shown!r}, but {'.'.join(path)} is {kind}{why}: correct it") from None
    return hidden.secret(value) if isinstance(before, hidden.Secret) else value


def _kind(before: Any) -> str:  # noqa: ANN401 - any configured value
    return type(hidden.plain(before)).__name__


def _typed(text: str, before: Any) -> Any:  # noqa: ANN401 - any configured value
    before = hidden.plain(before)
    kind = type(before)
    module = kind.__module__.partition(".")[0]
    if kind in _READERS:
        return _READERS[kind](text)
    if module == "datetime" and hasattr(kind, "fromisoformat"):
        return kind.fromisoformat(text)
    return kind(text) if module in {"pathlib", "decimal", "uuid"} else text


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise ValueError(f"one of {', '.join((*_TRUE, *_FALSE[:-1]))}")
    return word in _TRUE


def _of_kind(value: Any, kind: type) -> Any:  # noqa: ANN401 - a list or a table
    if type(value) is not kind:
        raise ValueError(f"JSON of a {kind.__name__} is wanted")
    return value


_READERS: dict[type, Callable[[str], Any]] = {
    bool: _boolean,
    int: int,
    float: float,
    bytes: lambda text: text.encode("utf-8", "surrogateescape"),
    dict: lambda text: _of_kind(json.loads(text), dict),
    list: lambda text: _of_kind(json.loads(text), list),
    tuple: lambda text: tuple(_of_kind(json.loads(text), list)),
    set: lambda text: set(_of_kind(json.loads(text), list)),
    frozenset: lambda text: frozenset(_of_kind(json.loads(text), list)),
}
