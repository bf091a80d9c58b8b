"""`hatch-release plugins`: who has a say in a release, and in which order."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hatch_release.errors import ReleaseError, in_one_line
from hatch_release.options.lines import PYPROJECT, read_pyproject
from hatch_release.plugins.manager import HOOKS
from hatch_release.plugins.search import find_plugins
from hatch_release.request import Request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_release.plugins.manager import Plugins

NO_PROJECT = ""
"""The name of the release when there is no project here."""


@click.command("plugins")
@click.argument("name", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(name: str | None, *, as_json: bool) -> None:
    """List the plugins of the releases of the project in this directory, or of the release NAME.

    The first is called first, unless an implementation of a hook asks for something else. Outside of a project those
    are listed that are installed.
    """
    found = _find(Path.cwd(), name)
    if as_json:
        click.echo(json.dumps({release: _plain(plugins) for release, plugins in found.items()}, indent=2))
        return
    for release, plugins in found.items():
        if len(found) > 1:
            click.echo(f"{release}:")
        for number, each in enumerate(plugins.names, start=1):
            hooks = ", ".join(plugins.implemented(each))
            click.echo(f"{number:>3}  {each} ({plugins.origin(each)}): {hooks}")


def _find(root: Path, name: str | None) -> Mapping[str, Plugins]:
    """The plugins by release."""
    file = root / PYPROJECT
    if not file.is_file():
        if name is not None:
            raise ReleaseError(
                f"there is no pyproject.toml in {root}, so no release {name}: go to the project"
            )
        return {NO_PROJECT: find_plugins(NO_PROJECT, (), root)}
    try:
        value = read_pyproject(file)
    except OSError as error:
        raise ReleaseError(f"{file} can't be read: {in_one_line(error)}") from error
    table = value
    for key in ("tool", "hatch", "build", "targets", "release"):
        table = table.get(key, {})
    project = str(value.get("project", {}).get("name", root.name))
    names = [name] if name is not None else list(table.get("releases", {}))
    request = Request(root, table, project, names, os.environ)
    return {release: request.plugins(release) for release in request.options}


def _plain(plugins: Plugins) -> dict[str, Any]:
    """What is told of the plugins of one release, as plain data."""
    listed = [
        {"name": each, "origin": plugins.origin(each), "hooks": plugins.implemented(each)}
        for each in plugins.names
    ]
    return {"plugins": listed, "order": {hook: plugins.order(hook) for hook in HOOKS if plugins.order(hook)}}
