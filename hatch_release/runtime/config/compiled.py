"""`compile_env`: values that must be at run time what they were when the release was assembled."""

from __future__ import annotations

from . import hidden
from .errors import ConfigError
from .origins import value_at

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .store import Key, Store

UNSET = "$unset"
"""Stands for no value, in what was recorded."""


def compile_env(application: str, key: Key, default: Any = None) -> Any:  # noqa: ANN401 - any configured value
    """A configured value that the program takes for fixed: the one that the release was assembled with.

    The call is found in the compiled code when the release is assembled, as far as application and key are constants.
    A boot whose configuration holds another value is refused. Outside of a release it is `get_env`.

    Args:
        application: As for `get_env`.
        key: As for `get_env`.
        default: What to give when there is none.
    """
    from .store import current, get_env

    path = (application, key) if isinstance(key, str) else (application, *key)
    recorded = current().compiled
    if path in recorded:
        return default if recorded[path] == UNSET else recorded[path]
    return get_env(application, key, default)


def check(store: Store) -> None:
    """Refuse a configuration that differs from what the release was assembled with.

    Args:
        store: The final configuration.

    Raises:
        ConfigError: When a value that `compile_env` reads is another one; names both and what to do.
    """
    for path, value in store.compiled.items():
        found = value_at(store.values, path)
        now = found if _is_there(store, path) else UNSET
        if type(now) is not type(value) or now != value:
            raise ConfigError(_difference(path, value, now))


def _is_there(store: Store, path: tuple[str, ...]) -> bool:
    held: Any = store.values
    for key in path:
        if not isinstance(held, dict) or key not in held:
            return False
        held = held[key]
    return True


def _difference(path: tuple[str, ...], before: Any, now: Any) -> str:  # noqa: ANN401 - any configured value
    application, *keys = path
    place = f"key {keys[0]}" if len(keys) == 1 else f"path {'.'.join(keys)}"
    return (
        f"the application {application} has another value for the {place} at run time than when the release was "
        "assembled. It is read with compile_env, so the program may behave otherwise than expected:\n\n"
        f"  * when it was assembled the value was {_shown(before, keys)}\n"
        f"  * at run time the value is {_shown(now, keys)}\n\n"
        "To correct this, you may:\n\n"
        "  * make the value at run time the one that it was assembled with\n"
        "  * set the value in the build-time configuration, and assemble the release again\n"
        "  * turn this check off by the option validate-compile-env = false\n"
    )


def _shown(value: Any, keys: list[str]) -> str:  # noqa: ANN401 - any configured value
    return "not set" if value == UNSET else repr(hidden.censored(value, keys))
