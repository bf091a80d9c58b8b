"""The provider `dotenv`: a file of `NAME=value` lines, read like environment variables.

Without `prefix` every name counts. A name that the environment sets too is left to the environment.
Source of the syntax: what python-dotenv, Docker Compose and systemd's EnvironmentFile have in common. `export ` may
stand before a name; a value may be in quotes, and go over several lines then; `#` after white space begins a comment.
Nothing is expanded.
"""

from __future__ import annotations

import re

from .. import hidden
from ..errors import ConfigError
from ..noting import note
from . import places, variables
from .placed import Placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_LINE = re.compile(r"(?:[ \t]*export[ \t]+|[ \t]*)([A-Za-z_][\w.-]*)[ \t]*=[ \t]*", re.ASCII)
_QUOTED = {
    '"': re.compile(r'"((?:[^"\\]|\\.)*)"[ \t]*(?:#[^\n]*)?(?:\n|\Z)', re.DOTALL),
    "'": re.compile(r"'([^']*)'[ \t]*(?:#[^\n]*)?(?:\n|\Z)", re.DOTALL),
}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\n": ""}


def parse(text: str, path: str) -> Iterator[tuple[str, str, int]]:
    """Each name with its value and line.

    Args:
        text: Of the file.
        path: Of the file, for messages.

    Raises:
        ConfigError: When a line is none of what is allowed; without its value.
    """
    text = text.replace("\r\n", "\n")
    position = 0
    while position < len(text):
        line = text.count("\n", 0, position) + 1
        end = text.find("\n", position)
        end = len(text) if end < 0 else end
        rest = text[position:end].strip()
        if not rest or rest.startswith("#"):
            position = end + 1
            continue
        found = _LINE.match(text, position)
        if found is None or found.end() > end:
            raise ConfigError(f"{path}:{line} is no NAME=value")
        value, position = _value(text, found.end(), end, f"{path}:{line}")
        yield found[1], value, line


def _value(text: str, begin: int, end: int, where: str) -> tuple[str, int]:
    """The value that begins at `begin`, and where the next line does; `end` is the end of the first line."""
    quote = text[begin : begin + 1]
    if quote not in _QUOTED:
        return re.split(r"(?:^|[ \t])#", text[begin:end], maxsplit=1)[0].strip(), end + 1
    found = _QUOTED[quote].match(text, begin)
    if found is None:
        raise ConfigError(f"{where} has a quote that is not closed, or something behind it")
    if quote == "'":
        return found[1], found.end()
    return re.sub(
        r"\\(.)", lambda each: _ESCAPES.get(each[1], each[1]), found[1], flags=re.DOTALL
    ), found.end()


class DotenvFile(Placed):
    """Takes values from a `.env` file."""

    WHO = "dotenv"
    SETTINGS = variables.SETTINGS

    def init(self, term: Any) -> dict[str, Any]:  # noqa: ANN401 - what the option says
        """Check path and settings."""
        return variables.checked(super().init(term), self.WHO)

    def read(
        self, config: dict[str, dict[str, Any]], path: str, state: dict[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """Read the file."""
        config = dict(config)
        for name, text, line in parse(places.text(path), path):
            keys, source = variables.path_of(name, state), f"{path}:{line}"
            if keys:
                secret = hidden.looks_secret(keys[-1])
                variables.assign(config, keys, hidden.secret(text) if secret else text, source)
                note(keys, source)
        return config
