"""`hatch-release inspect`: what a release consists of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hatch_release.commands.released import RELEASE, VERSION, find_release
from hatch_release.errors import ReleaseError
from hatch_release.inspection.facts import inspect
from hatch_release.inspection.page import write_page
from hatch_release.inspection.root import read_root
from hatch_release.inspection.start import Waterfall, measure
from hatch_release.inspection.table import table
from hatch_release.inspection.why import why as reasons

if TYPE_CHECKING:
    from hatch_release.inspection.facts import Inspection
    from hatch_release.inspection.root import Root


@click.command("inspect")
@RELEASE
@VERSION
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option(
    "--why", metavar="NAME", help="Say why a module of the standard library, or a distribution, is in."
)
@click.option(
    "--html", type=click.Path(path_type=Path), metavar="FILE", help="Write a page to look at in a browser."
)
@click.option("--no-run", is_flag=True, help="Don't run the release to measure its start for the page.")
def command(  # noqa: PLR0913 - click's flags
    release: Path | None,
    version: str | None,
    why: str | None,
    html: Path | None,
    *,
    as_json: bool,
    no_run: bool,
) -> None:
    """Say what a release consists of: applications, versions, modes, sizes.

    RELEASE is its directory, or an archive of it (tar.zst, tar.gz or zip), which is neither unpacked nor run. Without
    it, the release in dist/release is looked at.
    """
    root = read_root(find_release(release))
    inspection = inspect(root, version)
    if html is not None:
        _write_html(html, root, inspection, no_run=no_run)
    elif why is not None:
        _tell_why(root, inspection, why, as_json=as_json)
    elif as_json:
        click.echo(json.dumps(inspection.to_json(), indent=2))
    else:
        click.echo(table(inspection), nl=False)


def _write_html(file: Path, root: Root, inspection: Inspection, *, no_run: bool) -> None:
    """Write the page, with the start of each version that can be run here."""
    left_alone = Waterfall(missing="The release was not to be run (--no-run).")
    waterfalls = {each.version: left_alone if no_run else measure(root, each) for each in inspection.versions}
    write_page(file, root, inspection, waterfalls)
    click.echo(file)


def _tell_why(root: Root, inspection: Inspection, name: str, *, as_json: bool) -> None:
    """Say why `name` is in, for each version that has it."""
    chains, missing = {}, []
    for version in inspection.versions:
        try:
            chains[version.version] = reasons(root, version, name)
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
