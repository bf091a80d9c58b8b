"""`hatch-release cache`: where the cache is, what it holds, and making it smaller."""

from __future__ import annotations

import contextlib
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hatch_release.cache import upkeep
from hatch_release.cache.store import Cache
from hatch_release.commands.group import NearestGroup
from hatch_release.errors import ReleaseError
from hatch_release.sizes import megabytes

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.group("cache", cls=NearestGroup)
def command() -> None:
    """What was made once and is kept for later builds."""


@command.command("dir")
def directory() -> None:
    """Say where the cache is."""
    click.echo(_cache().directory)


@command.command()
def info() -> None:
    """Say what the cache holds, by kind."""
    found = upkeep.entries(_cache())
    sizes: Counter[str] = Counter()
    for each in found:
        sizes[each.kind] += each.size
    numbers = Counter(each.kind for each in found)
    for kind in sorted(numbers):
        click.echo(f"{kind:<14}{numbers[kind]:>6}{megabytes(sizes[kind]):>12}")
    click.echo(f"{'all':<14}{len(found):>6}{megabytes(sum(sizes.values())):>12}")


@command.command()
@click.option("--days", default=upkeep.DAYS, show_default=True, help="Remove what was unused for longer.")
@click.option(
    "--gigabytes",
    default=upkeep.GIGABYTES,
    show_default=True,
    help="Then remove what was unused for longest, until the rest is smaller.",
)
def prune(days: float, gigabytes: float) -> None:
    """Remove what is old, or too much; a build does it once a day."""
    with _changing():
        _told(upkeep.prune(_cache(), days, gigabytes))


@command.command()
def clear() -> None:
    """Remove everything from the cache."""
    with _changing():
        _told(upkeep.clear(_cache()))


def _cache() -> Cache:
    """The cache that a build in this directory uses."""
    named = os.environ.get("HATCH_RELEASE_CACHE_DIR")
    return Cache(Path(named).absolute() if named else None)


@contextlib.contextmanager
def _changing() -> Iterator[None]:
    """Say what stands in the way of a change."""
    try:
        yield
    except OSError as error:
        raise ReleaseError(
            f"{_cache().directory} can't be changed: {error.strerror} ({error.filename})"
        ) from error


def _told(removed: list[upkeep.Kept]) -> None:
    size = sum(each.size for each in removed)
    click.echo(f"removed {len(removed)} entr{'y' if len(removed) == 1 else 'ies'}, {megabytes(size)}")
