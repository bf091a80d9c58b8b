"""The provider `secrets`: a directory with a file for each secret.

Docker mounts such directories at `/run/secrets`, Kubernetes anywhere, and systemd names one in CREDENTIALS_DIRECTORY:
`{ provider = "secrets", init = { env = "CREDENTIALS_DIRECTORY", application = "shop" } }`. The file's name is the key;
its text, without the end of its last line, the value, marked as secret.
"""

from __future__ import annotations

import os
from typing import Any

from .. import hidden
from ..errors import ConfigError
from ..noting import note
from . import places, variables
from .placed import Placed


class SecretFiles(Placed):
    """Takes values from the files of a directory."""

    WHO = "secrets"
    SETTINGS = variables.SETTINGS

    def init(self, term: Any) -> dict[str, Any]:  # noqa: ANN401 - what the option says
        """Check path and settings."""
        return variables.checked(super().init(term), self.WHO)

    def read(
        self, config: dict[str, dict[str, Any]], path: str, state: dict[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """Read the files. What begins with a dot is Kubernetes' own."""
        config = dict(config)
        try:
            names = sorted(os.listdir(path))
        except OSError as error:
            raise ConfigError(
                f"the config provider {self.WHO} can't read {path}: {error.strerror or error}"
            ) from error
        for name in names:
            file = f"{path}/{name}"
            keys = () if name.startswith(".") or not os.path.isfile(file) else variables.path_of(name, state)
            if keys:
                variables.assign(config, keys, _secret(file), file)
                note(keys, file)
        return config


def _secret(file: str) -> Any:  # noqa: ANN401 - a text, or bytes
    """What a file holds."""
    data = places.content(file)
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return hidden.secret(data)
    return hidden.secret(text.removesuffix("\n").removesuffix("\r"))
