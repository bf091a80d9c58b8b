"""What hatchling loads: the registration of the builder and of the build hook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatchling.plugin import hookimpl

if TYPE_CHECKING:
    from hatch_release.build_hook import ReleaseBuildHook
    from hatch_release.builder import ReleaseBuilder


@hookimpl
def hatch_register_builder() -> type[ReleaseBuilder]:
    """Register the builder `release`."""
    from hatch_release.builder import ReleaseBuilder  # noqa: PLC0415 - hatchling loads this file in every build

    return ReleaseBuilder


@hookimpl
def hatch_register_build_hook() -> type[ReleaseBuildHook]:
    """Register the build hook `release`."""
    from hatch_release.build_hook import ReleaseBuildHook  # noqa: PLC0415 - as above

    return ReleaseBuildHook
