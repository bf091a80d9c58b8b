"""A PEP 517 back end: hatchling's, and releases by config settings, as `python -m build -w -C release=demo`.

```toml
[build-system]
requires = ["hatch-release"]
build-backend = "hatch_release.build"
```
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling import build as _hatchling
from hatchling.build import *  # noqa: F403 - all of hatchling's functions are handed on

from hatch_release.build_hook import assemble_from
from hatch_release.builder import ReleaseBuilder
from hatch_release.doors import wheel_alone
from hatch_release.options.kinds import nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [*_hatchling.__all__]  # noqa: PLE0604 - hatchling's own names

SETTINGS = ("release", "overwrite", "path")
"""The config settings: names of releases, with commas or repeated; and two options of theirs."""


def build_wheel(  # type: ignore[no-redef]  # in the place of hatchling's
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """Build the wheel, and from it the releases that the config setting `release` names.

    Args:
        wheel_directory: Where the wheel goes.
        config_settings: As in PEP 517; `SETTINGS` count.
        metadata_directory: What was prepared before.

    Returns:
        The wheel's file name.
    """
    settings = config_settings or {}
    names = [name.strip() for each in _listed(settings.get("release")) for name in each.split(",")]
    _check(settings, names)
    if not names:
        return _hatchling.build_wheel(wheel_directory, config_settings, metadata_directory)
    with wheel_alone():
        name = _hatchling.build_wheel(wheel_directory, config_settings, metadata_directory)
    builder: ReleaseBuilder = ReleaseBuilder(os.getcwd())  # noqa: PTH109 - as hatchling has it
    assemble_from(builder, Path(wheel_directory, name), [each for each in names if each], _environ(settings))
    return name


def _listed(value: object) -> list[str]:
    """A setting that may be given several times."""
    return [] if value is None else [str(each) for each in value] if isinstance(value, list) else [str(value)]


def _check(settings: Mapping[str, object], names: list[str]) -> None:
    """Refuse settings that are none, or that would be without effect."""
    for name in settings:
        if name not in SETTINGS:
            guess = nearest(name, SETTINGS) or f", there are {', '.join(SETTINGS)}"
            sys.exit(f"unknown config setting '{name}'{guess}")
    if settings and not names:
        sys.exit(f"the config setting {next(iter(settings))} is about a release: name one by -C release=NAME")


def _environ(settings: Mapping[str, object]) -> Mapping[str, str]:
    """The environment, with what the settings say in the place of its variables."""
    given = {name: _listed(settings[name])[-1] for name in ("overwrite", "path") if settings.get(name)}
    return {**os.environ, **{f"HATCH_RELEASE_{name.upper()}": value for name, value in given.items()}}
