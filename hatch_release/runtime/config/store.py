"""The configuration of this process, and what programs ask of it.

It is there before any code of the program runs when `bin/NAME` has started the process. A process that was started in
another way, a child of the release or a program in development, loads it when it first asks.
"""

from __future__ import annotations

import _thread
import re
import sys

from .errors import ConfigError, nearest
from .merging import copied
from .origins import Layer, Notes, origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .merging import Config

Key = str | tuple[str, ...]
"""A key of an application, or the keys that lead to a value inside of its tables."""


class Store:
    """The configuration of a process.

    Args:
        values: The configuration so far.
        layers: What each source has contributed, in order.
    """

    def __init__(self, values: Config | None = None, layers: list[Layer] | None = None) -> None:
        """Nothing was found by `compile_env` when the release was assembled."""
        self.values = values or {}
        self.layers = layers or []
        self.compiled: dict[tuple[str, ...], Any] = {}
        """What `compile_env` has found then, by application and keys."""


_current: Store | None = None
_lock = _thread.RLock()  # `threading` itself would be imported for nothing at many starts
_MISSING = object()
_PUT = "put_env"
"""The source of what programs set themselves."""


def install(store: Store | None) -> None:
    """Make `store` the configuration of this process."""
    global _current  # noqa: PLW0603 - a process has one
    _current = store


def current() -> Store:
    """The configuration of this process; loaded when that has not been done.

    Raises:
        ConfigError: When it can't be loaded.
    """
    if _current is not None:
        return _current
    with _lock:
        if _current is None:
            install(_load())
    store: Store = _current  # type: ignore[assignment,unused-ignore]  # set a line before
    return store


def _load() -> Store:
    """The configuration of the release that this process belongs to, else that of the project that is worked on."""
    finder: Any = next((each for each in sys.meta_path if hasattr(each, "release_payload")), None)
    if finder is not None:
        from .boot import load

        return load(finder)
    from .development import load as load_project

    return load_project()


def get_env(application: str, key: Key, default: Any = None) -> Any:  # noqa: ANN401 - any configured value
    """A configured value.

    Args:
        application: As the configuration names it, or another spelling of the same (`my-shop`, `my_shop`).
        key: Of the application; a tuple of keys leads into tables.
        default: What to give when there is none.
    """
    found = _find(current().values, application, key)
    return default if found is _MISSING else found


def fetch_env(application: str, key: Key) -> Any:  # noqa: ANN401 - any configured value
    """A configured value that must be there.

    Args:
        application: As for `get_env`.
        key: As for `get_env`.

    Raises:
        ConfigError: When there is none; names the nearest key.
    """
    values = current().values
    found = _find(values, application, key)
    if found is not _MISSING:
        return found
    held = values.get(spelling(values, application))
    if held is None:
        raise ConfigError(
            f"no configuration for the application '{application}': {nearest(application, values)}"
        )
    path = (key,) if isinstance(key, str) else tuple(key)
    for position, each in enumerate(path):
        if not isinstance(held, dict) or each not in held:
            inside = ".".join((application, *path[:position]))
            known = held if isinstance(held, dict) else ()
            raise ConfigError(f"no key '{each}' in the configuration of {inside}: {nearest(each, known)}")
        held = held[each]
    raise AssertionError(path)  # what was not found has been told


def put_env(application: str, key: str, value: Any) -> None:  # noqa: ANN401 - any value
    """Set a value, for this process and until it ends.

    Args:
        application: As for `get_env`.
        key: Of the application.
        value: Anything.
    """
    store = current()
    caller = sys._getframe(1)  # noqa: SLF001 - what tells a line without making a traceback
    with _lock:
        name = spelling(store.values, application)
        before = store.values
        store.values = {**before, name: {**before.get(name, {}), key: value}}
        if not store.layers or store.layers[-1].source != _PUT:
            store.layers.append(Layer(_PUT, before, before, Notes()))
        where = f"{_PUT} in {caller.f_globals.get('__name__', '?')}:{caller.f_lineno}"
        # One layer for all of them: a program may call this as long as it runs.
        store.layers[-1].after = store.values
        store.layers[-1].notes.keys[name, key] = where


def all_env(application: str) -> dict[str, Any]:
    """Everything that is configured for an application; a table of its own, empty when there is nothing.

    Args:
        application: As for `get_env`.
    """
    values = current().values
    return copied(values.get(spelling(values, application), {}))


def source_of(path: tuple[str, ...]) -> str:
    """What has set a value: a file and line, or a provider; empty when nobody has.

    Args:
        path: Application and keys.
    """
    store = current()
    return origin(store.layers, (spelling(store.values, path[0]), *path[1:]))


def _find(values: Config, application: str, key: Key) -> Any:  # noqa: ANN401 - any configured value
    held: Any = values.get(application)
    if held is None:
        held = values.get(spelling(values, application), _MISSING)
    for each in (key,) if isinstance(key, str) else key:
        if not isinstance(held, dict) or each not in held:
            return _MISSING
        held = held[each]
    return held


def spelling(values: Config, application: str) -> str:
    """How the configuration spells an application's name (PEP 503 compares names)."""
    if application in values:
        return application
    wanted = normalized(application)
    return next((each for each in values if normalized(each) == wanted), application)


def normalized(name: str) -> str:
    """A name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
