"""What hatchling loads: the registration of the builder."""

from __future__ import annotations

from hatchling.plugin import hookimpl

from hatch_release.builder import ReleaseBuilder


@hookimpl
def hatch_register_builder() -> type[ReleaseBuilder]:
    """Register the builder `release`."""
    return ReleaseBuilder
