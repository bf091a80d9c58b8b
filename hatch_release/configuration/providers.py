"""The config providers that every release can name, as a plugin gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_release.hookspecs import hookimpl
from hatch_release.runtime.config.provider import BUILT_IN

if TYPE_CHECKING:
    from collections.abc import Mapping


@hookimpl
def release_config_providers() -> Mapping[str, str]:
    """Ours, by their short names."""
    return BUILT_IN
