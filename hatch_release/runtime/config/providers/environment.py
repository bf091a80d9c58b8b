"""The provider `env`: environment variables with a prefix.

`{ provider = "env", init = { prefix = "SHOP_", application = "shop" } }` makes `SHOP_DATABASE__URL` the key `url` in
the table `database` of `shop`. Without `application` the first part of the name is the application.
"""

from __future__ import annotations

import os

from .. import hidden
from ..errors import ConfigError, nearest
from ..noting import note
from ..provider import BuiltIn
from . import variables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

WHO = "env"


class Environment(BuiltIn):
    """Takes values from environment variables."""

    def init(self, term: Any) -> dict[str, Any]:  # noqa: ANN401 - what the option says
        """Check the settings; a string is the prefix."""
        table = {"prefix": term} if isinstance(term, str) else term
        if not isinstance(table, dict) or not table.get("prefix"):
            raise ConfigError(
                f'the config provider {WHO} needs a prefix, as in {{ prefix = "SHOP_", application = "shop" }}, '
                f"found {term!r}"
            )
        for key in table:
            if key not in variables.SETTINGS:
                raise ConfigError(
                    f"the config provider {WHO} has no setting '{key}': {nearest(key, variables.SETTINGS)}"
                )
        return variables.checked(dict(table), WHO)

    def load(self, config: dict[str, dict[str, Any]], state: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401
        """Take what is set."""
        config = dict(config)
        for name in sorted(os.environ):
            path = variables.path_of(name, state)
            if path:
                text, source = os.environ[name], f"environment variable {name}"
                secret = hidden.looks_secret(path[-1])
                variables.assign(config, path, hidden.secret(text) if secret else text, source)
                note(path, source)
        return config
