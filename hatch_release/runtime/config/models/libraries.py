"""Filling types of pydantic and msgspec, with these libraries of the application's own."""

from __future__ import annotations

import sys
import typing

from .. import hidden
from ..errors import in_one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .problems import Problems


def is_pydantic(into: Any) -> bool:  # noqa: ANN401 - any class
    """Whether a class is pydantic's: a model, or a dataclass of it."""
    return "pydantic" in sys.modules and (
        hasattr(into, "model_validate") or hasattr(into, "__pydantic_validator__")
    )


def fill_pydantic(into: Any, values: dict[str, Any], problems: Problems) -> Any:  # noqa: ANN401 - an object of the class
    """An object of pydantic's; meaningless when there are new problems.

    Args:
        into: The class.
        values: What it is made of.
        problems: Gains what doesn't fit.
    """
    pydantic: Any = sys.modules["pydantic"]
    try:
        return pydantic.TypeAdapter(into).validate_python(hidden.plain(values))
    except pydantic.ValidationError as error:
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            problems.add(tuple(each["loc"]), each["msg"])
    return None


def is_msgspec(into: Any) -> bool:  # noqa: ANN401 - any class
    """Whether a class is a Struct of msgspec."""
    return "msgspec" in sys.modules and hasattr(into, "__struct_fields__")


def fill_msgspec(into: Any, values: dict[str, Any], problems: Problems) -> Any:  # noqa: ANN401 - an object of the class
    """An object of msgspec's; meaningless when there are new problems.

    msgspec tells one problem at a time, so each field is tried alone first.

    Args:
        into: The class.
        values: What it is made of.
        problems: Gains what doesn't fit.
    """
    plain = hidden.plain(values)
    before = len(problems.found)
    _try_fields(into, plain, problems, ())
    if len(problems.found) > before:
        return None
    msgspec: Any = sys.modules["msgspec"]
    try:
        return msgspec.convert(plain, into, strict=False)
    except msgspec.ValidationError as error:
        problems.add((), in_one_line(error))
    return None


def _try_fields(into: Any, values: dict[str, Any], problems: Problems, path: tuple[Any, ...]) -> None:  # noqa: ANN401
    """Note each field that doesn't fit, those of nested structs too."""
    msgspec: Any = sys.modules["msgspec"]
    hints = typing.get_type_hints(into, include_extras=True)
    for field in msgspec.structs.fields(into):
        place = (*path, field.encode_name)
        if field.encode_name not in values:
            if field.required:
                problems.add(place, "missing")
            continue
        value, hint = values[field.encode_name], hints[field.name]
        if is_msgspec(hint) and isinstance(value, dict):
            _try_fields(hint, value, problems, place)
            continue
        try:
            msgspec.convert(value, hint, strict=False)
        except msgspec.ValidationError as error:
            problems.add(place, str(error))
