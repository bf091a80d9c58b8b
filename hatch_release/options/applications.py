"""The option `applications`: what one may say of an application, as types of options (`option_types.py`)."""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from hatch_release.options.kinds import (
    COUNT,
    REFERENCE,
    SECONDS,
    STRING,
    Kind,
    Place,
    also,
    either,
    list_of,
    one_of,
    table,
    table_by_name,
)
from hatch_release.runtime.bootfile import MODES

if TYPE_CHECKING:
    from collections.abc import Mapping

_NAME = re.compile(r"[\w.-]+(:[\w.-]+)?")
"""An application's name, as entry points have them, maybe with its distribution's name before it."""
_PORT = range(1, 65536)


def _startable(application: Mapping[str, object], place: Place) -> None:
    """An application has one way to be started, and only a command has to say when it is ready."""
    if {"start", "command"} <= application.keys():
        place.wrong("found both 'start' and 'command': keep the one that starts the application")
    elif "ready" in application and "command" not in application:
        place.wrong("found 'ready' without 'command': anything else is ready once it is entered or runs")


def _one_sign(ready: Mapping[str, object], place: Place) -> None:
    """A command is ready by one sign."""
    if ("port" in ready) == ("command" in ready):
        place.wrong("expected either 'port' or 'command', which answers once the application is ready")


def _not_empty(words: tuple[str, ...], place: Place) -> None:
    """A command begins with a program."""
    if not words:
        place.wrong("expected a program and its arguments, found an empty list")


def _finite(kind: Kind) -> Kind:
    """A number of `kind` that JSON can tell."""
    return replace(kind, accepts=lambda value: kind.accepts(value) and math.isfinite(value))


_COMMAND = also(list_of(STRING, "strings"), _not_empty)
_PATIENCE = Kind(
    ("a number of seconds from 0",),
    lambda value: isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < math.inf,
)
_READY = also(
    table(
        "a table { port, seconds } or { command, seconds }",
        {
            "port": Kind(("a port from 1 to 65535",), lambda value: type(value) is int and value in _PORT),
            "command": _COMMAND,
            "seconds": _finite(SECONDS),
        },
    ),
    _one_sign,
)
_MODE = replace(one_of(*MODES), refine=lambda value, _place: {"mode": value})
_APPLICATION = table(
    "a table { mode, start, command, restarts, within, shutdown, ready }",
    {
        "mode": one_of(*MODES),
        "start": REFERENCE,
        "command": _COMMAND,
        "restarts": COUNT,
        "within": _finite(SECONDS),
        "shutdown": _PATIENCE,
        "ready": _READY,
    },
)
APPLICATIONS = table_by_name(
    "a table of applications by name", _NAME, either(_MODE, also(_APPLICATION, _startable))
)
"""Held as a table for each; a mode alone becomes a table too."""
