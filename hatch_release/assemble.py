"""The step `assemble`: what it needs all the while, around its stages (`stages.py`)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from hatch_release.assembly import Assembly
from hatch_release.cache.choice import cache_of
from hatch_release.cache.copier import Copier
from hatch_release.interpreter.facts import ask_ahead
from hatch_release.runtime.manifest import THREADS
from hatch_release.tree.permissions import paths_below
from hatch_release.units.ahead import Ahead

if TYPE_CHECKING:
    from hatch_release.release import Release


def assemble(release: Release) -> Release:
    """The step `assemble`: make the whole tree below `release.path`.

    Raises:
        ReleaseError: When any stage fails.
    """
    ask_ahead()
    with Copier() as copier, ThreadPoolExecutor(THREADS) as pool:
        cache = cache_of(release, copier.copy)
        assembly = Assembly(
            release=release,
            cache=cache,
            pool=pool,
            copy=copier.copy,
            ahead=Ahead(release, cache, pool),
        )
        assembly.others = paths_below(release.path)
        try:
            _run(assembly)
        except BaseException:
            # Before the tree is removed, whatever still writes to it has to end.
            pool.shutdown(cancel_futures=True)
            raise
    return release


def _run(assembly: Assembly) -> None:
    """Run the stages, which are imported while the units of the build before are being copied."""
    from hatch_release.stages import choose_interpreter, run_stages  # noqa: PLC0415 - as just said

    choose_interpreter(assembly)
    run_stages(assembly)
    assembly.ahead.keep()
