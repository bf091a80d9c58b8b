"""Filling dataclasses: a value becomes what a field's annotation asks for, or is noted as a problem."""

from __future__ import annotations

import difflib
import sys
import typing

from ..errors import ConfigError, in_one_line
from .values import convert

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .problems import Problems


def is_dataclass(into: Any) -> bool:  # noqa: ANN401 - any annotation
    """Whether a class is a dataclass."""
    return isinstance(into, type) and hasattr(into, "__dataclass_fields__")


def fill(into: Any, values: dict[str, Any], problems: Problems, path: tuple[Any, ...] = ()) -> Any:  # noqa: ANN401
    """An object of a dataclass; meaningless when there are new problems.

    Args:
        into: The dataclass.
        values: What it is made of. A key may be spelt with `-` for `_`; what no field asks for is left alone, unless
            it looks like the key of a field that is not set.
        problems: Gains what doesn't fit.
        path: Where the values are.
    """
    before = len(problems.found)
    hints = _hints(into)
    given: dict[str, Any] = {}
    left = dict(values)
    unset = []
    for name, field in into.__dataclass_fields__.items():
        if not _is_wanted(field):
            continue
        key = name if name in values else name.replace("_", "-")
        if key in values:
            del left[key]
            hint = getattr(hints[name], "type", hints[name])  # of an InitVar
            given[name] = convert(values[key], hint, problems, (*path, key))
        else:
            unset.append((name, field))
    for name, field in unset:
        _tell_unset(name, left, problems, path, required=_is_required(field))
    if len(problems.found) > before:
        return None
    try:
        return into(**given)
    except (ValueError, TypeError) as error:
        problems.add(path, in_one_line(error))
        return None


def _hints(into: Any) -> dict[str, Any]:  # noqa: ANN401 - a class
    try:
        return typing.get_type_hints(into)
    except (NameError, TypeError) as error:
        raise ConfigError(
            f"the annotations of {into.__qualname__} can't be read: {in_one_line(error)}"
        ) from error


def _is_wanted(field: Any) -> bool:  # noqa: ANN401 - a dataclasses.Field
    """Whether the constructor takes a field; InitVar is one that it takes, ClassVar is none."""
    return bool(field.init) and field._field_type.name != "_FIELD_CLASSVAR"  # noqa: SLF001 - nothing public says it


def _is_required(field: Any) -> bool:  # noqa: ANN401 - a dataclasses.Field
    missing = sys.modules["dataclasses"].MISSING
    return field.default is missing and field.default_factory is missing


def _tell_unset(
    name: str, left: dict[str, Any], problems: Problems, path: tuple[Any, ...], *, required: bool
) -> None:
    """Note a field that is missing, or one whose key seems to be misspelt."""
    close = difflib.get_close_matches(name, left, 1, 0.8)
    if close:
        problems.add((*path, close[0]), f"unknown key, did you mean '{name}'?")
    elif required:
        problems.add((*path, name), "missing")
