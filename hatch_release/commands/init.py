"""`hatch-release init`: the templates of a release, to be changed."""

from __future__ import annotations

from pathlib import Path

import click

from hatch_release.errors import ReleaseError
from hatch_release.tree.templates import DEFAULTS, SUFFIX

NAMES = ("vm.args", "remote.vm.args", "env.sh", "env.bat")


@click.command("init")
@click.option("--force", is_flag=True, help="Replace files that are there already.")
@click.option(
    "--path", default="rel", show_default=True, help="Where they go: the option rel-templates-path."
)
def command(force: bool, path: str) -> None:  # noqa: FBT001 - click gives it by name
    """Write the templates that a release without any of its own is made of into rel/."""
    if not Path("pyproject.toml").is_file():
        raise ReleaseError(f"{Path.cwd()} holds no pyproject.toml: call it in the directory of a project")
    directory = Path(path)
    directory.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        target = directory / (name + SUFFIX)
        there = target.exists()
        if there and not force:
            click.echo(f"kept    {target}, which is there already (--force replaces it)")
            continue
        target.write_text((DEFAULTS / target.name).read_text(encoding="utf-8"), encoding="utf-8")
        click.echo(f"{'changed' if there else 'written'} {target}")
