"""The provider `toml`: a file whose tables are applications.

Python 3.10 has no `tomllib`: there the release needs the distribution `tomli`, which is the same.
"""

from __future__ import annotations

from typing import Any

from ..errors import ConfigError
from ..merging import checked
from ..noting import merge
from . import lines, places
from .placed import Placed


def _reader() -> Any:  # noqa: ANN401 - one of two modules
    """`tomllib`, or `tomli` where there is none.

    Raises:
        ConfigError: When neither is there.
    """
    try:
        import tomllib  # type: ignore[import-not-found,unused-ignore]  # Python 3.11 and newer
    except ModuleNotFoundError:
        pass
    else:
        return tomllib
    try:
        return __import__("tomli")
    except ModuleNotFoundError as error:
        raise ConfigError(
            "reading TOML needs tomli on Python 3.10: add \"tomli; python_version < '3.11'\" to the "
            "project's dependencies"
        ) from error


def parse(text: str, path: str) -> dict[str, Any]:
    """The tables of a TOML file.

    Args:
        text: What is in it.
        path: Of the file, for messages.

    Raises:
        ConfigError: When it is no TOML.
    """
    reader = _reader()
    try:
        found: dict[str, Any] = reader.loads(text)
    except ValueError as error:  # TOMLDecodeError is one
        raise ConfigError(f"{path} is no TOML: {error}") from None
    return found


class TomlFile(Placed):
    """Merges a TOML file into the configuration."""

    WHO = "toml"

    def init(self, term: Any) -> dict[str, Any]:  # noqa: ANN401 - what the option says
        """Check the path, and that TOML can be read."""
        _reader()
        return super().init(term)

    def read(
        self, config: dict[str, dict[str, Any]], path: str, _state: dict[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """Read the file."""
        text = places.text(path)
        return merge(config, checked(parse(text, path), path), lines.teller(path, text, lines.of_toml))
