"""Merging configurations: tables deeply, anything else is replaced; what comes later wins."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

Config = dict[str, dict[str, Any]]
"""`{application: {key: value}}`."""


def merged(base: Mapping[Any, Any], more: Mapping[Any, Any]) -> dict[Any, Any]:
    """`base` with `more` merged into it, as a new table; what both hold as tables is merged in turn.

    Args:
        base: Left as it is.
        more: Wins.
    """
    result = dict(base)
    for key, value in more.items():
        before = result.get(key)
        if isinstance(value, dict):
            result[key] = merged(before if isinstance(before, dict) else {}, value)
        else:
            result[key] = value
    return result


def copied(value: Mapping[Any, Any]) -> dict[Any, Any]:
    """The tables of a configuration anew, so that a change in place doesn't reach the original."""
    result = dict(value)
    for key, each in value.items():
        if type(each) is dict:
            result[key] = copied(each)
    return result


def checked(config: object, who: str) -> Config:
    """A configuration that has the right shape.

    Args:
        config: Anything.
        who: Has made it, for the error.

    Raises:
        ConfigError: When it isn't `{application: {key: value}}`.
    """
    if not isinstance(config, dict):
        raise ConfigError(
            f"{who} gave {_kind(config)}: expected a table of applications, each a table by key"
        )
    for application, values in config.items():
        if not isinstance(application, str) or not isinstance(values, dict):
            raise ConfigError(
                f"{who} gave {_kind(values)} for the application {application!r}: expected a table by key"
            )
        wrong = next((key for key in values if not isinstance(key, str)), None)
        if wrong is not None:
            raise ConfigError(f"{who} gave {application} the key {wrong!r}: keys are strings")
    return config


def _kind(value: object) -> str:
    return f"a value of type {type(value).__name__}"
