"""What the built-in providers have in common that read at a place: nothing is read where nothing is."""

from __future__ import annotations

from typing import Any

from ..provider import BuiltIn
from . import places


class Placed(BuiltIn):
    """Reads a file or a directory, whose place `init` says."""

    WHO = ""
    """The provider's name, for messages."""
    SETTINGS: tuple[str, ...] = ()
    """What `init` may say besides the place."""

    def init(self, term: Any) -> dict[str, Any]:  # noqa: ANN401 - what the option says
        """Check the place."""
        return places.checked(term, self.WHO, self.SETTINGS)

    def load(self, config: dict[str, dict[str, Any]], state: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401
        """Read what is there, if anything is."""
        path = places.located(state, self.WHO)
        return self.read(config, path, state) if path else config

    def read(
        self, config: dict[str, dict[str, Any]], path: str, state: dict[str, Any]
    ) -> dict[str, dict[str, Any]]:
        """The configuration with what is at an absolute path."""
        raise NotImplementedError
