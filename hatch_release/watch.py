"""Seeing to it that steps and plugins leave alone what is not theirs, so that whoever doesn't is named at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hatch_release.errors import ReleaseError
from hatch_release.runtime import layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hatch_release.release import Release

_FIXED = ("name", "project", "path", "install_path", "scratch", "plugins")
"""Fields of a release that nobody may change."""


class Watch:
    """Remembers what has to stay as it is while somebody's code runs.

    Args:
        release: What that code is given.
    """

    def __init__(self, release: Release) -> None:
        """Look what is there."""
        self._fixed = {name: getattr(release, name) for name in _FIXED}
        self._there = [each for each in _essential(release) if os.path.lexists(each)]

    def check(self, release: Release, who: str) -> None:
        """Refuse what must not have happened meanwhile.

        Args:
            release: What was given, or what that code has put in its place.
            who: Names that code.

        Raises:
            ReleaseError: When a fixed field was changed, or a file removed that a release can't do without.
        """
        for name, value in self._fixed.items():
            if getattr(release, name) is not value:
                raise ReleaseError(
                    f"{who} has changed the field {name} of the release, which is there to be read"
                )
        for each in self._there:
            if not os.path.lexists(each):
                below = each != release.path and each.is_relative_to(release.path)
                shown = each.relative_to(release.path) if below else f"the directory {each}"
                raise ReleaseError(f"{who} has removed {shown}, which no release can do without")


def _essential(release: Release) -> Iterator[Path]:
    """What a release can't do without."""
    yield from (release.path, release.scratch)
    yield release.path / layout.BIN / release.name
    yield from (release.path / layout.RELEASES / name for name in (layout.START_DATA, layout.COOKIE))
    boot = layout.START + layout.BOOT_SUFFIX
    yield from (
        release.version_path / name for name in (layout.ENV_SH, layout.VM_ARGS, layout.REMOTE_VM_ARGS, boot)
    )
