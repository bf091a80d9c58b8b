"""The command `hatch-release`: what `hatch build` has no words for."""

from __future__ import annotations

import difflib
import os
import sys
from collections import Counter
from pathlib import Path

import click

from hatch_release import __version__
from hatch_release.cache import upkeep as cache_upkeep
from hatch_release.cache.store import Cache
from hatch_release.errors import ReleaseError

_MEGABYTE = 1_000_000


class _Group(click.Group):
    """A group of commands that answers a misspelt one with the nearest."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with."""
        near = difflib.get_close_matches(args[0], self.commands, 1)
        if args[0] not in self.commands and near:
            ctx.fail(f"no such command '{args[0]}', did you mean '{near[0]}'?")
        return super().resolve_command(ctx, args)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hatch-release")
def cli() -> None:
    """Releases of Python projects."""


@cli.group(cls=_Group)
def cache() -> None:
    """What was made once and is kept for later builds."""


@cache.command("dir")
def cache_dir() -> None:
    """Say where the cache is."""
    click.echo(_cache().directory)


@cache.command("info")
def cache_info() -> None:
    """Say what the cache holds, by kind."""
    found = cache_upkeep.entries(_cache())
    sizes: Counter[str] = Counter()
    for each in found:
        sizes[each.kind] += each.size
    numbers = Counter(each.kind for each in found)
    for kind in sorted(numbers):
        click.echo(f"{kind:<14}{numbers[kind]:>6}{_size(sizes[kind]):>12}")
    click.echo(f"{'all':<14}{len(found):>6}{_size(sum(sizes.values())):>12}")


@cache.command("prune")
@click.option(
    "--days", default=cache_upkeep.DAYS, show_default=True, help="Remove what was unused for longer."
)
@click.option(
    "--gigabytes",
    default=cache_upkeep.GIGABYTES,
    show_default=True,
    help="Then remove what was unused for longest, until the rest is smaller.",
)
def cache_prune(days: float, gigabytes: float) -> None:
    """Remove what is old, or too much; a build does it once a day."""
    _told(cache_upkeep.prune(_cache(), days, gigabytes))


@cache.command("clear")
def cache_clear() -> None:
    """Remove everything from the cache."""
    _told(cache_upkeep.clear(_cache()))


def main() -> None:
    """Run the command."""
    try:
        cli.main(prog_name="hatch-release")
    except ReleaseError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
    except OSError as error:
        click.echo(
            f"Error: {_cache().directory} can't be changed: {error.strerror} ({error.filename})", err=True
        )
        sys.exit(1)


def _cache() -> Cache:
    """The cache that a build in this directory uses."""
    directory = os.environ.get("HATCH_RELEASE_CACHE_DIR")
    return Cache(Path(directory).absolute() if directory else None)


def _told(removed: list[cache_upkeep.Kept]) -> None:
    size = sum(each.size for each in removed)
    click.echo(f"removed {len(removed)} entr{'y' if len(removed) == 1 else 'ies'}, {_size(size)}")


def _size(size: int) -> str:
    return f"{size / _MEGABYTE:.1f} MB"
