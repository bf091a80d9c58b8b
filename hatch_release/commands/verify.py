"""`hatch-release verify`: whether a release is as it was assembled."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import click

from hatch_release.commands.released import RELEASE, VERSION, find_release
from hatch_release.errors import FAILED
from hatch_release.inspection.checksums import check

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_release.inspection.checksums import Checked


@click.command("verify")
@RELEASE
@VERSION
@click.option("--strict", is_flag=True, help="Fail when there are files that no manifest names, too.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(release: Path | None, version: str | None, *, strict: bool, as_json: bool) -> int:
    """Compare every file of a release with the manifest in it.

    RELEASE is its directory, or an archive of it (tar.zst, tar.gz or zip), which is neither unpacked nor run. Exits 1
    when a file is missing or changed. What is not in any manifest is told, and fails with --strict.
    """
    checked = check(find_release(release), version)
    differ = sum(map(len, checked.problems.values()))
    if as_json:
        _tell_json(checked)
    else:
        _tell(checked)
    return FAILED if differ or (strict and checked.unlisted) else 0


def _tell(checked: Checked) -> None:
    """A line for each problem, and one for each version."""
    for path in checked.unlisted:
        click.echo(f"not in the manifest: {path}", err=True)
    for version, problems in checked.problems.items():
        for problem in problems:
            click.echo(problem, err=True)
        if problems:
            files = "1 file differs" if len(problems) == 1 else f"{len(problems)} files differ"
            click.echo(f"Error: {checked.name} {version}: {files} from the manifest", err=True)
        else:
            click.echo(f"{checked.name} {version}: every file is as it was assembled")


def _tell_json(checked: Checked) -> None:
    value = {"source": checked.name, "problems": checked.problems, "unlisted": checked.unlisted}
    click.echo(json.dumps(value, indent=2))
