"""The provider `json`: a file that holds `{application: {key: value}}`."""

from __future__ import annotations

import json
from typing import Any

from ..errors import ConfigError
from ..merging import checked
from ..noting import merge
from ..provider import BuiltIn
from . import lines, places

WHO = "json"


class JsonFile(BuiltIn):
    """Merges a JSON file into the configuration."""

    def init(self, term: Any) -> dict[str, Any]:  # noqa: ANN401 - what the option says
        """Check the path."""
        return places.checked(term, WHO)

    def load(self, config: dict[str, dict[str, Any]], state: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401
        """Read the file."""
        path = places.located(state, WHO)
        if not path:
            return config
        try:
            text = places.text(path)
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ConfigError(f"{path} is no JSON: {error}") from None
        return merge(config, checked(values, path), lines.teller(path, text, lines.of_json))
