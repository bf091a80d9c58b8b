"""`hatch-release inspect`: what a release consists of."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from hatch_release.commands.released import RELEASE, VERSION, find_release
from hatch_release.errors import ReleaseError
from hatch_release.inspection.facts import inspect
from hatch_release.inspection.root import read_root
from hatch_release.inspection.table import table
from hatch_release.inspection.why import why

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_release.inspection.facts import Inspection
    from hatch_release.inspection.root import Root


@click.command("inspect")
@RELEASE
@VERSION
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option(
    "--why",
    "name",
    metavar="NAME",
    help="Say why a module of the standard library, or a distribution, is in.",
)
def command(release: Path | None, version: str | None, name: str | None, *, as_json: bool) -> None:
    """Say what a release consists of: applications, versions, modes, sizes.

    RELEASE is its directory, or an archive of it (tar.zst, tar.gz or zip), which is neither unpacked nor run. Without
    it, the release in dist/release is looked at.
    """
    root = read_root(find_release(release))
    inspection = inspect(root, version)
    if name is not None:
        _tell_why(root, inspection, name, as_json=as_json)
    elif as_json:
        click.echo(json.dumps(inspection.to_json(), indent=2))
    else:
        click.echo(table(inspection), nl=False)


def _tell_why(root: Root, inspection: Inspection, name: str, *, as_json: bool) -> None:
    """Say why `name` is in, for each version that has it."""
    chains, missing = {}, []
    for version in inspection.versions:
        try:
            chains[version.version] = why(root, version, name)
        except ReleaseError as error:
            missing.append(error)
    if not chains:
        raise missing[0]
    if as_json:
        click.echo(json.dumps(chains, indent=2))
        return
    for each, chain in chains.items():
        heading = f"{each}: " if len(inspection.versions) > 1 else ""
        click.echo(f"{heading}{' <- '.join(chain)}")
