"""Which cache a build uses."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_release.cache.copy_worker import copy
from hatch_release.cache.store import Cache

if TYPE_CHECKING:
    from hatch_release.cache.copy_worker import Copying
    from hatch_release.release import Release


def cache_of(release: Release, copy: Copying = copy) -> Cache:
    """The cache that a release's options name.

    Args:
        release: What is built.
        copy: Copies the files of an entry.
    """
    directory = release.options.cache_dir
    return Cache(
        release.project.root / directory if directory else None,
        fresh=release.options.force,
        warn=release.progress.warn,
        copy=copy,
    )
