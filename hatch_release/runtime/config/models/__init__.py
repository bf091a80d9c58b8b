"""`read`: the configuration of an application as an object of the program's own type.

A dataclass is filled by `dataclass.py`; types of pydantic and msgspec by these, when the application has them
(`libraries.py`). Every value that doesn't fit is reported at once, each with what has set it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from .. import hidden, store
from ..errors import ConfigError
from .problems import Problems

if TYPE_CHECKING:
    from ..store import Key

T = TypeVar("T")


def read(application: str, *, into: type[T], key: Key = ()) -> T:
    """What is configured for an application, as an object of a type.

    Texts become what the type asks for, since variables and secret files hold nothing else: numbers, true and false,
    dates, paths, members of enumerations, lists (as JSON, or with commas).

    Args:
        application: As for `get_env`.
        into: A dataclass, or a type of pydantic or msgspec.
        key: Of a table of the application to read instead of all of it.

    Raises:
        ConfigError: When values are missing or don't fit; a line for each.
    """
    keys = (key,) if isinstance(key, str) else tuple(key)
    values = store.fetch_env(application, keys) if keys else store.all_env(application)
    path = (application, *keys)
    if not isinstance(values, dict):
        raise ConfigError(
            f"{'.'.join(path)} is {hidden.censored(values, keys)!r}, and no table to read {_name(into)} from"
        )
    problems = Problems(path, _name(into))
    filled = _filler(into)(into, values, problems)
    problems.raise_all()
    return filled  # type: ignore[no-any-return]


def _filler(into: Any) -> Any:  # noqa: ANN401 - a class, and what fills it
    from . import dataclass, libraries

    if not isinstance(into, type):
        raise ConfigError(f"read() takes a class as into, found {into!r}")
    for fits, fill in (
        (libraries.is_pydantic, libraries.fill_pydantic),
        (libraries.is_msgspec, libraries.fill_msgspec),
        (dataclass.is_dataclass, dataclass.fill),
    ):
        if fits(into):
            return fill
    raise ConfigError(
        f"{_name(into)} is no dataclass, and no type of pydantic or msgspec: read() can't fill it"
    )


def _name(into: Any) -> str:  # noqa: ANN401 - a class
    return str(getattr(into, "__qualname__", into))
