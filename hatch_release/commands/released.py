"""Which release a command is about: what `inspect` and `verify` have in common."""

from __future__ import annotations

from pathlib import Path

import click

from hatch_release.errors import ReleaseError
from hatch_release.runtime import layout

BUILT = Path("dist", "release")
"""Where builds put releases unless they are told otherwise."""
RELEASE = click.argument("release", required=False, type=click.Path(path_type=Path))
VERSION = click.option("--vsn", "version", metavar="VSN", help="The only version to look at. [default: all]")


def find_release(given: Path | None) -> Path:
    """The directory or archive that a command is about.

    Args:
        given: What the user said; None: the one release in `dist/release`.

    Raises:
        ReleaseError: When nothing was said and there is none, or more than one.
    """
    if given is not None:
        return given
    found = sorted(path.parents[1] for path in BUILT.glob(f"*/{layout.RELEASES}/{layout.START_DATA}"))
    if not found:
        raise ReleaseError(f"there is no release in {BUILT}: build one, or name its directory or archive")
    if len(found) > 1:
        raise ReleaseError(f"there are several releases, name one: {', '.join(map(str, found))}")
    return found[0]
