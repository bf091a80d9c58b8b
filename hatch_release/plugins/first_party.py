"""What is built in, registered through the same hooks as everybody's plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_release import checks, steps
from hatch_release.configuration import providers
from hatch_release.interpreter import source
from hatch_release.tree import archive, commands, overlays, templates

if TYPE_CHECKING:
    from collections.abc import Mapping

FIRST_PARTY: Mapping[str, object] = {
    "steps": steps,
    "archives": archive,
    "interpreters": source,
    "providers": providers,
    "templates": templates,
    "commands": commands,
    "overlays": overlays,
    "checks": checks,
}
"""Modules by the name of the plugin that they are."""
