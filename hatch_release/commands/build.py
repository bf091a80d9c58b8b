"""`hatch-release build`: assemble releases of a project with any build back end."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hatch_release.doors import collector_at_rest, ending_signals

if TYPE_CHECKING:
    from collections.abc import Iterator


@click.command("build")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--force", is_flag=True, help="Make everything anew, whatever earlier builds left.")
@click.option("--no-deps-check", is_flag=True, help="Accept dependencies that are missing or don't fit.")
@click.option(
    "--no-python-version-check",
    is_flag=True,
    help="Accept an interpreter that the project's requires-python excludes.",
)
@click.option("--no-compile", is_flag=True, help="Take the newest wheel in dist/ instead of building one.")
@click.option("--overwrite", is_flag=True, help="Replace an installed release of the same version.")
@click.option("--path", help="Where the release is installed.")
@click.option("--quiet", is_flag=True, help="Show no progress.")
@click.option("--version", help="The release's version.")
@click.option("--json", "as_json", is_flag=True, help="Write what became of it as JSON, and no progress.")
def command(names: tuple[str, ...], *, as_json: bool, **flags: str | bool | None) -> None:
    """Assemble the releases NAME, or the default one, of the project in this directory."""
    environ = {**os.environ, **dict(_variables({**flags, "quiet": flags["quiet"] or as_json}))}
    with ending_signals(), collector_at_rest():
        from hatch_release.project_door import assemble_project  # noqa: PLC0415 - the help needs nothing of it

        assemble_project(Path.cwd(), names, environ, click.echo if as_json else None)


def _variables(flags: dict[str, str | bool | None]) -> Iterator[tuple[str, str]]:
    """The flags that are given, as the variables of the environment that mean the same."""
    for name, value in flags.items():
        if value:
            yield f"HATCH_RELEASE_{name.upper()}", "1" if value is True else str(value)
