"""The provider `runtime`: a configuration file that runs at every boot."""

from __future__ import annotations

import os
from typing import Any

from .. import files, noting
from ..errors import ConfigError, in_one_line
from ..merging import merged
from .placed import Placed


class RuntimeFile(Placed):
    """Runs a file that calls `config(...)`, as `config/runtime.py` is run."""

    WHO = "runtime"

    def read(
        self, config: dict[str, dict[str, Any]], path: str, _state: dict[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """Run the file."""
        base = os.environ.get("RELEASE_ROOT", "")
        try:
            done = files.evaluate(path, noting.environment(), may_import=False, base=base)
        except ConfigError:
            raise
        except Exception as error:
            directory, name = os.path.split(path)
            where = files.shown(f"{directory}/{files.place_of(error, directory, name)}", base)
            raise ConfigError(
                f"the run-time configuration {where} failed with {in_one_line(error)}"
            ) from error
        for place, source in done.notes.items():
            noting.note(place, source)
        return merged(config, done.values)
