"""Applications: what a release consists of, and what it starts."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Application:
    """One distribution of the release, as `NAME.rel` lists it."""

    name: str
    """Name of the distribution (PEP 503)."""
    version: str
    mode: str
    """How it is started: `permanent` for the one that `start` runs, `load` for a library."""
    path: str
    """Its directory, relative to the release's root."""
    start: str = ""
    """What `start` calls, `module:attribute`; empty for a library."""


def application_start(
    project: str, scripts: Mapping[str, str], configured: Mapping[str, Mapping[str, str]]
) -> tuple[str, str]:
    """Name and reference of what `start` calls.

    It is what the option `applications` names, else the project's console script of the project's own name,
    else its only one.

    Args:
        project: The project's name, as its metadata spells it.
        scripts: The project's console scripts, name to `module:attribute`.
        configured: The option `applications`.

    Raises:
        ReleaseError: When nothing says what to start, with how to say it.
    """
    for name, table in configured.items():
        if _normal(name) != _normal(project):
            raise ReleaseError(_unknown(name, project))
        return name, table["start"]
    for name, reference in scripts.items():
        if _normal(name) == _normal(project) or len(scripts) == 1:
            return project, reference
    raise ReleaseError(_nothing_to_start(project, scripts))


def _normal(name: str) -> str:
    """A name as PEP 503 compares it."""
    return name.lower().replace("_", "-").replace(".", "-")


def _unknown(name: str, project: str) -> str:
    """What is wrong with an application that the release doesn't have."""
    near = difflib.get_close_matches(_normal(name), [_normal(project)], 1)
    hint = f", did you mean '{project}'?" if near else f": the project's own one is '{project}'"
    return f"the option applications names '{name}', which is no application of this release{hint}"


def _nothing_to_start(project: str, scripts: Mapping[str, str]) -> str:
    """Why `start` has nothing to call, and what to write."""
    found = (
        f"has the console scripts {', '.join(sorted(scripts))}, none of its own name"
        if scripts
        else "has no console script"
    )
    example = next(iter(sorted(scripts.values())), "package.module:function")
    return (
        f"project '{project}' {found}, so there is nothing for `start` to run: add one named '{project}' to "
        f'[project.scripts], or choose with applications = {{ {project} = {{ start = "{example}" }} }} '
        f"in [tool.hatch.build.targets.release]"
    )
