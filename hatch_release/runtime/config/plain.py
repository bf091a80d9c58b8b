"""Plain data: what configuration may hold, and how it is written as JSON without losing its type.

What JSON knows is written as it is. Everything else is a table with one key that begins with `$`:

    {"$date": "2026-01-31"}   {"$bytes": "aGVsbG8="}   {"$tuple": [1, 2]}   {"$path": "/var/lib"}

Read back, it is what it was. A table whose keys are no strings, or begin with `$`, is written as `{"$table": [[key,
value], ...]}`.
"""

from __future__ import annotations

from . import hidden
from .errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable
    from typing import Any

_AS_IS = (str, int, bool, type(None))
_COLLECTIONS = {"$tuple": tuple, "$set": set, "$frozenset": frozenset}
_NAMES: dict[type, str] = {kind: tag for tag, kind in _COLLECTIONS.items()}
MARK = '"$'
"""Stands in every text that holds more than JSON knows."""


class NotPlainError(ConfigError):
    """A value that can't be written.

    Args:
        path: The keys that lead to it.
        value: What it is.
    """

    def __init__(self, path: tuple[object, ...], value: object) -> None:
        """Tell the place and the type, not the value."""
        kind = type(value)
        name = (
            kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
        )
        self.path, self.type_name = path, name
        super().__init__(f"{'.'.join(map(str, path))} is of type {name}")


def encode(value: Any, path: tuple[object, ...] = ()) -> Any:  # noqa: ANN401 - any plain data
    """What JSON can hold of `value`, from which `decode` makes it again.

    Args:
        value: Plain data.
        path: The keys that lead to it, for the error.

    Raises:
        NotPlainError: When it is, or holds, something else.
    """
    kind = type(value)
    if kind in _AS_IS:
        return value
    if kind is dict:
        return _encode_table(value, path)
    if kind is list or kind in _NAMES:
        items = [encode(each, (*path, index)) for index, each in enumerate(value)]
        if kind is list:
            return items
        return {_NAMES[kind]: items if kind is tuple else sorted(items, key=repr)}
    return _encode_other(value, path)


def _encode_other(value: Any, path: tuple[object, ...]) -> Any:  # noqa: ANN401 - any plain data
    """What JSON knows nothing of, and numbers."""
    kind = type(value)
    if kind is float:
        return value if value - value == 0 else {"$float": repr(value)}  # not infinite, and a number
    if isinstance(value, hidden.Secret):
        return {"$secret": encode(value.reveal())}
    for tag, (module, name, write, _read) in _MORE.items():
        if (kind.__module__.partition(".")[0], kind.__qualname__) == (module, name):
            return {tag: write(value)}
    raise NotPlainError(path, value)


def _encode_table(value: dict[Any, Any], path: tuple[object, ...]) -> Any:  # noqa: ANN401 - one of two shapes
    if all(type(key) is str and not key.startswith("$") for key in value):
        return {key: encode(each, (*path, key)) for key, each in value.items()}
    return {
        "$table": [[encode(key, (*path, key)), encode(each, (*path, key))] for key, each in value.items()]
    }


def decode(value: Any) -> Any:  # noqa: ANN401 - any plain data
    """What `encode` was given.

    Args:
        value: From JSON.

    Raises:
        ConfigError: When a table has a key with `$` that means nothing.
    """
    if type(value) is list:
        return [decode(each) for each in value]
    if type(value) is not dict:
        return value
    if len(value) == 1:
        ((tag, held),) = value.items()
        if tag.startswith("$"):
            return _decode_tagged(tag, held)
    return {key: decode(each) for key, each in value.items()}


def _decode_tagged(tag: str, held: Any) -> Any:  # noqa: ANN401 - any plain data
    try:
        if tag in _COLLECTIONS:
            return _COLLECTIONS[tag](decode(each) for each in held)
        if tag == "$table":
            return {decode(key): decode(each) for key, each in held}
        if tag == "$secret":
            return hidden.secret(decode(held))
        if tag == "$float":
            return float(held)
        if tag in _MORE:
            return _MORE[tag][3](held)
    except (ValueError, TypeError, KeyError) as error:
        raise ConfigError(f"{tag} with {held!r}, which it can't hold") from error
    raise ConfigError(f"the key {tag}, which is none of those that are known")


def _write_bytes(value: bytes) -> str:
    import base64

    return base64.b64encode(value).decode("ascii")


def _read_bytes(text: str) -> bytes:
    import base64

    return base64.b64decode(text, validate=True)


def _write_moment(value: dt.datetime | dt.time) -> Any:  # noqa: ANN401 - a text, or one with its zone
    """A date and time, or a time of day, with all that there is to it."""
    text = value.replace(tzinfo=None, fold=0).isoformat()
    more: dict[str, Any] = {"fold": 1} if value.fold else {}
    zone = value.tzinfo
    if zone is not None:
        kind = f"{type(zone).__module__}.{type(zone).__qualname__}"
        key = getattr(zone, "key", None)
        if kind == "datetime.timezone":
            offset, *name = zone.__getinitargs__()  # type: ignore[attr-defined]  # as pickle asks
            more |= {"offset": _write_delta(offset), "name": name[0] if name else None}
        elif kind.startswith("zoneinfo.") and key:
            more["zone"] = key
        else:
            raise NotPlainError((), zone)
    return [text, more] if more else text


def _zone(more: dict[str, Any]) -> dt.tzinfo | None:
    import datetime as dt

    if "zone" in more:
        import zoneinfo

        return zoneinfo.ZoneInfo(more["zone"])
    if "offset" not in more:
        return None
    offset = _read_delta(more["offset"])
    if more["name"] is not None:
        return dt.timezone(offset, more["name"])
    return dt.timezone(offset) if offset else dt.timezone.utc


def _read_moment(kind: str) -> Callable[[Any], Any]:
    def read(held: Any) -> Any:  # noqa: ANN401 - a date and time, or a time of day
        import datetime as dt

        text, more = (held, {}) if isinstance(held, str) else held
        value = getattr(dt, kind).fromisoformat(text)
        return value.replace(tzinfo=_zone(more), fold=more.get("fold", 0))

    return read


def _read_date(text: str) -> dt.date:
    import datetime as dt

    return dt.date.fromisoformat(text)


def _write_delta(value: dt.timedelta) -> list[int]:
    return [value.days, value.seconds, value.microseconds]


def _read_delta(held: list[int]) -> dt.timedelta:
    import datetime as dt

    return dt.timedelta(*held)


def _path(name: str) -> Callable[[str], Any]:
    def read(text: str) -> Any:  # noqa: ANN401 - one of pathlib's classes
        import pathlib

        return getattr(pathlib, name)(text)

    return read


def _decimal(text: str) -> Any:  # noqa: ANN401 - a decimal.Decimal, imported by those who use one
    return __import__("decimal").Decimal(text)


def _uuid(text: str) -> Any:  # noqa: ANN401 - a uuid.UUID, imported by those who use one
    return __import__("uuid").UUID(text)


# Tag: module and name of the type, how it is written, how it is read. (A type is known by its name, so that none of
# the modules is imported for values that don't need it. `pathlib` is a package from Python 3.13 on.)
_MORE: dict[str, tuple[str, str, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "$bytes": ("builtins", "bytes", _write_bytes, _read_bytes),
    "$datetime": ("datetime", "datetime", _write_moment, _read_moment("datetime")),
    "$date": ("datetime", "date", lambda value: value.isoformat(), _read_date),
    "$time": ("datetime", "time", _write_moment, _read_moment("time")),
    "$duration": ("datetime", "timedelta", _write_delta, _read_delta),
    "$path": ("pathlib", "PosixPath", str, _path("Path")),
    "$windows-path": ("pathlib", "WindowsPath", str, _path("PureWindowsPath")),
    "$pure-path": ("pathlib", "PurePosixPath", str, _path("PurePosixPath")),
    "$pure-windows-path": ("pathlib", "PureWindowsPath", str, _path("PureWindowsPath")),
    "$decimal": ("decimal", "Decimal", str, _decimal),
    "$uuid": ("uuid", "UUID", str, _uuid),
}
