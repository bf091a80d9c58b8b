"""Values by annotation: what a value has to be, and how a text becomes that."""

from __future__ import annotations

import collections.abc
import contextlib
import enum
import json
import types
import typing
from typing import TYPE_CHECKING, Any

from ..hidden import Secret, secret

if TYPE_CHECKING:
    from collections.abc import Callable

    from .problems import Problems

Path = tuple[Any, ...]
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")
_LISTS: dict[Any, Any] = {
    list: list, set: set, frozenset: frozenset,
    collections.abc.Sequence: list, collections.abc.MutableSequence: list, collections.abc.Collection: list,
    collections.abc.Iterable: list, collections.abc.Set: frozenset, collections.abc.MutableSet: set,
}  # fmt: skip
_TABLES = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
_FROM_TEXT = ("pathlib", "decimal", "uuid", "ipaddress", "fractions", "zoneinfo")
"""Modules whose classes are made of a text."""


def convert(value: Any, hint: Any, problems: Problems, path: Path) -> Any:  # noqa: ANN401
    """A value as an annotation asks for it; meaningless when there are new problems.

    Args:
        value: Any configured value.
        hint: The annotation, resolved.
        problems: Gains what doesn't fit.
        path: Where the value is.
    """
    hint = _bare(hint)
    origin = typing.get_origin(hint)
    if origin in {typing.Union, types.UnionType}:
        return _one_of(value, typing.get_args(hint), problems, path)
    if origin is typing.Literal:
        return _literal(value, typing.get_args(hint), problems, path)
    kind = origin or hint
    if kind in _LISTS or kind is tuple:
        return _collection(value, kind, typing.get_args(hint), problems, path)
    if kind in _TABLES:
        return _table(value, typing.get_args(hint), problems, path)
    return _scalar(value, kind, problems, path)


def _bare(hint: Any) -> Any:  # noqa: ANN401 - any annotation
    """An annotation without what only type checkers want to know."""
    while True:
        if typing.get_origin(hint) in {typing.Annotated, typing.Final}:
            hint = typing.get_args(hint)[0]
        elif hasattr(hint, "__supertype__"):  # a NewType
            hint = hint.__supertype__
        elif type(hint).__name__ == "TypeAliasType":
            hint = hint.__value__
        elif isinstance(hint, typing.TypeVar):
            hint = hint.__bound__ or Any
        else:
            return hint


def _one_of(value: Any, hints: tuple[Any, ...], problems: Problems, path: Path) -> Any:  # noqa: ANN401
    """The first alternative that a value is already, else the first that it can be made to."""
    if value is None and type(None) in hints:
        return None
    alternatives = [each for each in hints if each is not type(None)]
    exact = [each for each in alternatives if _plain_type(value) is (typing.get_origin(each) or each)]
    trials = []
    for hint in (*exact, *alternatives):
        trial = _trial(problems)
        result = convert(value, hint, trial, path)
        if not trial.found:
            return result
        trials.append(trial)
    if len(alternatives) == 1 or exact:
        problems.found += trials[0].found
    else:
        problems.unfit(path, " or ".join(map(_name, hints)), value)
    return None


def _trial(problems: Problems) -> Problems:
    return type(problems)(problems.base, problems.model)


def _literal(value: Any, choices: tuple[Any, ...], problems: Problems, path: Path) -> Any:  # noqa: ANN401
    for each in choices:
        if type(each) is _plain_type(value) and each == value:
            return value
    for each in choices:
        if isinstance(value, str) and not isinstance(each, bool) and str(each) == value:
            return each
    problems.unfit(path, " or ".join(map(repr, choices)), value)
    return None


def _collection(value: Any, kind: Any, hints: tuple[Any, ...], problems: Problems, path: Path) -> Any:  # noqa: ANN401
    """A list, set or tuple, with each item as it has to be."""
    items = _items(value)
    if items is None:
        problems.unfit(path, "a list", value)
        return None
    if kind is tuple and hints and hints[-1] is not Ellipsis:
        if len(hints) != len(items):
            problems.unfit(path, f"{len(hints)} items", value)
            return None
        return tuple(
            convert(item, hint, problems, (*path, number))
            for number, (item, hint) in enumerate(zip(items, hints, strict=True))
        )
    hint = hints[0] if hints else Any
    found = [convert(item, hint, problems, (*path, number)) for number, item in enumerate(items)]
    try:
        return (tuple if kind is tuple else _LISTS[kind])(found)
    except TypeError:
        problems.unfit(path, "items that a set can hold", value)
        return None


def _items(value: Any) -> list[Any] | None:  # noqa: ANN401 - any configured value
    """The items of a list, or of a text: JSON, or separated by commas."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return list(value)
    if not isinstance(value, str):
        return None
    hide: Callable[[Any], Any] = secret if isinstance(value, Secret) else lambda each: each
    if value.strip().startswith("["):
        try:
            found = json.loads(value)
        except ValueError:
            return None
        return [hide(each) for each in found]
    return [hide(each.strip()) for each in value.split(",") if each.strip()]


def _table(value: Any, hints: tuple[Any, ...], problems: Problems, path: Path) -> Any:  # noqa: ANN401
    if isinstance(value, str):
        with contextlib.suppress(ValueError):
            value = json.loads(value)
    if not isinstance(value, dict):
        problems.unfit(path, "a table", value)
        return None
    of_keys, of_values = hints or (Any, Any)
    return {
        convert(key, of_keys, problems, (*path, key)): convert(each, of_values, problems, (*path, key))
        for key, each in value.items()
    }


def _scalar(value: Any, kind: Any, problems: Problems, path: Path) -> Any:  # noqa: ANN401
    """A value that is of a class, or can be made to."""
    from . import dataclass

    if kind is Any or kind is object:
        return value
    if dataclass.is_dataclass(kind) and isinstance(value, dict):
        return dataclass.fill(kind, value, problems, path)
    if isinstance(kind, type):
        if isinstance(value, kind) and not (isinstance(value, bool) and kind in {int, float}):
            return value
        try:
            return _made(value, kind)
        except (ValueError, TypeError, KeyError, ArithmeticError):
            pass
    problems.unfit(path, _name(kind), value)
    return None


def _made(value: Any, kind: Any) -> Any:  # noqa: ANN401
    """A value of a class, made of another.

    Raises:
        ValueError: When it can't be; or TypeError, KeyError, ArithmeticError.
    """
    if issubclass(kind, enum.Enum):
        return _member(value, kind)
    if kind is float and type(value) is int:
        return float(value)
    module, text = kind.__module__.partition(".")[0], isinstance(value, str)
    if text and kind in _READERS:
        made = _READERS[kind](value)
        return secret(made) if isinstance(value, Secret) and kind is not bool else made
    if module == "datetime":
        return _moment(value, kind)
    if module in _FROM_TEXT and (
        text or (module in {"decimal", "fractions"} and not isinstance(value, bool))
    ):
        return kind(str(value) if module == "decimal" else value)
    raise ValueError(kind)


def _member(value: Any, kind: Any) -> Any:  # noqa: ANN401 - a member of an enumeration
    """The member with this value, else with this name, else with a value that is written so."""
    for each in kind:
        if each.value == value and type(each.value) is _plain_type(value):
            return each
    if not isinstance(value, str):
        return kind(value)
    names = {each.lower(): member for each, member in kind.__members__.items()}
    written = {str(each.value): each for each in kind}
    return written[value] if value in written else names[value.lower()]


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in (*_TRUE, *_FALSE):
        raise ValueError(word)
    return word in _TRUE


def _moment(value: Any, kind: Any) -> Any:  # noqa: ANN401 - a date, time or duration
    """A date, a time, or both, as ISO 8601 writes them; a duration in seconds."""
    if kind.__name__ == "timedelta":
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise TypeError(value)
        return kind(seconds=float(value))
    if not isinstance(value, str):
        raise TypeError(value)
    return kind.fromisoformat(value[:-1] + "+00:00" if value[-1:] in {"Z", "z"} else value)


_READERS: dict[Any, Callable[[str], Any]] = {
    bool: _boolean,
    int: int,
    float: float,
    bytes: lambda text: text.encode("utf-8", "surrogateescape"),
}


def _plain_type(value: Any) -> type:  # noqa: ANN401 - any configured value
    """The type of a value, whether it is secret or not."""
    return type(value.reveal()) if isinstance(value, Secret) else type(value)


def _name(hint: Any) -> str:  # noqa: ANN401 - any annotation
    """How messages name what an annotation asks for."""
    known = {
        int: "a whole number",
        float: "a number",
        str: "a string",
        bool: "true or false",
        type(None): "nothing",
    }
    if hint in known:
        return known[hint]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return " or ".join(each.value if isinstance(each.value, str) else each.name for each in hint)
    if hasattr(hint, "__dataclass_fields__"):
        return f"a table for {hint.__name__}"
    return getattr(hint, "__name__", "") if isinstance(hint, type) else str(hint).replace("typing.", "")
