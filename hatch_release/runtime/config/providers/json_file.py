"""The provider `json`: a file that holds `{application: {key: value}}`."""

from __future__ import annotations

import json
from typing import Any

from ..errors import ConfigError
from ..merging import checked
from ..noting import merge
from . import lines, places
from .placed import Placed


class JsonFile(Placed):
    """Merges a JSON file into the configuration."""

    WHO = "json"

    def read(
        self, config: dict[str, dict[str, Any]], path: str, _state: dict[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """Read the file."""
        try:
            text = places.text(path)
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path} is no JSON: {error}") from None
        return merge(config, checked(values, path), lines.teller(path, text, lines.of_json))
