"""Secrets: values that work as what they are, and don't show when they are displayed.

A secret is a string, bytes or a number of a type of its own. Programs use it as such; its `repr`, which is what
tracebacks, logs of containers and debuggers show, hides it. `str(value)` and `f"{value}"` give the value itself, since
connection strings and headers are made that way.
"""

from __future__ import annotations

import os
import re

from . import noting
from .errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Any

HIDDEN = "[secret]"
_marked: set[str] = set()
"""The texts of the secrets that providers have marked, for `scrub`."""
_TELLTALE = (
    r"passw(or)?d|passphrase|(^|[_.-])pwd$|secret|token|(api|private|access|signing|encryption|license)_?-?key"
    r"|^key$|credential|cookie|(^|[_.-])auth($|[_.-])|authorization|(^|[_.-])dsn$|(^|[_.-])salt$"
)
_TELLS_NONE = (
    r"(^|[_.-])(url|uri|path|file|dir|directory|ttl|timeout|length|size|limit|count|lifetime|expiry|header|algorithm|name"
    r"|id|enabled|required)$|^(max|min)[_.-]"
)
_IN_URL = r"(?<=://)([^/@:\s]*):([^/@\s]+)@"
_SHORTEST = 4
"""How long a secret has to be to be looked for in texts: shorter ones stand everywhere."""


class Secret:
    """What all secrets have in common."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Nothing of the value."""
        return HIDDEN

    def reveal(self) -> Any:  # noqa: ANN401 - str, bytes, int or float
        """The value as one of the plain type."""
        return _plain_type(self)(self)


class SecretText(Secret, str):
    """A secret string."""

    __slots__ = ()

    def __str__(self) -> str:
        """The value itself."""
        return str.__str__(self)


class SecretBytes(Secret, bytes):
    """Secret bytes."""

    __slots__ = ()


class SecretInt(Secret, int):
    """A secret whole number."""

    __slots__ = ()

    def __str__(self) -> str:
        """The value itself."""
        return int.__repr__(self)


class SecretFloat(Secret, float):
    """A secret number."""

    __slots__ = ()

    def __str__(self) -> str:
        """The value itself."""
        return float.__repr__(self)


_TYPES: dict[type, type[Secret]] = {str: SecretText, bytes: SecretBytes, int: SecretInt, float: SecretFloat}


def secret(value: Any) -> Any:  # noqa: ANN401 - the same type as it is given
    """Mark a value as secret.

    Args:
        value: A string, bytes or a number; of a table, list or tuple everything in it is marked.

    Returns:
        The value, of a type whose `repr` hides it.

    Raises:
        ConfigError: When it is of another type.
    """
    if isinstance(value, Secret):
        return value
    kind = _TYPES.get(type(value))
    if kind is not None:
        if noting.is_loading():
            _marked.add(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))
        return kind(value)  # type: ignore[call-arg]
    if type(value) is dict:
        return {key: secret(each) for key, each in value.items()}
    if type(value) in {list, tuple}:
        return type(value)(secret(each) for each in value)
    raise ConfigError(
        f"secret() takes a string, bytes, a number or a collection of them, found {type(value).__name__}"
    )


def _plain_type(value: Secret) -> type:
    return next(plain for plain, kind in _TYPES.items() if isinstance(value, kind))


def plain(value: Any) -> Any:  # noqa: ANN401 - any configured value
    """A value with everything in it that is secret revealed."""
    if isinstance(value, Secret):
        return value.reveal()
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if type(value) in {list, tuple, set, frozenset}:
        return type(value)(plain(each) for each in value)
    return value


def looks_secret(name: object) -> bool:
    """Whether the name of a key or variable says that its value is secret; `token_url` and `max_tokens` don't."""
    if not isinstance(name, str) or not re.search(_TELLTALE, name, re.IGNORECASE):
        return False
    return not re.search(_TELLS_NONE, name, re.IGNORECASE)


def censored(value: Any, path: Iterable[object] = ()) -> Any:  # noqa: ANN401 - any configured value
    """A value as it may be shown: without secrets, those in the credentials of URLs included.

    Args:
        value: Any configured value.
        path: The keys that lead to it.
    """
    if isinstance(value, Secret) or any(map(looks_secret, path)):
        return _all_hidden(value)
    if isinstance(value, dict):
        return {key: censored(each, (key,)) for key, each in value.items()}
    if type(value) in {list, tuple, set, frozenset}:
        return type(value)(censored(each) for each in value)
    if isinstance(value, str) and "://" in value:
        return re.sub(_IN_URL, rf"\1:{HIDDEN}@", value)
    return value


def _all_hidden(value: Any) -> Any:  # noqa: ANN401 - any configured value
    """The shape of a value; what tells nothing (None, true, false, what is empty) stays."""
    if isinstance(value, dict):
        return {key: _all_hidden(each) for key, each in value.items()}
    if value is None or isinstance(value, bool) or (not isinstance(value, (int, float)) and not value):
        return value
    return HIDDEN


def scrub(text: str, *configurations: Any) -> str:  # noqa: ANN401 - any configured value
    """A text without the secrets that are known: those marked, those configured, and those in the environment.

    Args:
        text: Such as a traceback.
        configurations: What has been configured so far.
    """
    known = {
        value for name, value in os.environ.items() if looks_secret(name) and not _is_path(value)
    } | _marked
    for each in configurations:
        known.update(_secrets_in(each))
    known.update(_password(value) for value in os.environ.values() if "://" in value)
    for value in sorted((each for each in known if len(each) >= _SHORTEST), key=len, reverse=True):
        text = text.replace(value, HIDDEN)
    return text


def _is_path(value: str) -> bool:
    """Whether the value of a variable is where something is: PWD, SSH_AUTH_SOCK, a file that holds a secret."""
    return value.startswith("/") and os.path.exists(value)


def _secrets_in(value: Any, *, marked: bool = False) -> Iterator[str]:  # noqa: ANN401 - any configured value
    """The texts under keys that look secret, and the passwords in URLs."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _secrets_in(each, marked=marked or looks_secret(key))
    elif isinstance(value, (list, tuple, set, frozenset)):
        for each in value:
            yield from _secrets_in(each, marked=marked)
    elif isinstance(value, str):
        yield str(value) if marked or isinstance(value, Secret) else _password(value)
    elif isinstance(value, bytes) and (marked or isinstance(value, Secret)):
        yield bytes(value).decode("utf-8", "replace")


def _password(text: str) -> str:
    """The password in the credentials of a URL; empty when there is none."""
    found = re.search(_IN_URL, text) if "://" in text else None
    return found[2] if found else ""
