"""Seeing to it that steps and plugins leave alone what is not theirs, so that whoever doesn't is named at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

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

    def harm(self, release: Release) -> str:
        """What has happened meanwhile and must not, in words that follow a name; nothing when all is well.

        Args:
            release: What was given, or what that code has put in its place.
        """
        for name, value in self._fixed.items():
            if getattr(release, name) is not value:
                return f"has changed the field {name} of the release, which is there to be read"
        for each in self._there:
            if not os.path.lexists(each):
                below = each != release.path and each.is_relative_to(release.path)
                shown = each.relative_to(release.path) if below else f"the directory {each}"
                return f"has removed {shown}, which no release can do without"
        return ""


def _essential(release: Release) -> Iterator[Path]:
    """What a release can't do without."""
    yield from (release.path, release.scratch)
    yield release.path / layout.BIN / release.name
    yield from (release.path / layout.RELEASES / name for name in (layout.START_DATA, layout.COOKIE))
    boot = layout.START + layout.BOOT_SUFFIX
    yield from (
        release.version_path / name for name in (layout.ENV_SH, layout.VM_ARGS, layout.REMOTE_VM_ARGS, boot)
    )
