"""Finding the plugins of a release: what is built in, what is installed, and modules of the project."""

from __future__ import annotations

import functools
import inspect
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING

from hatch_release.errors import OptionError, ReleaseError, in_one_line
from hatch_release.hookspecs import GROUP
from hatch_release.options.kinds import nearest
from hatch_release.plugins.first_party import FIRST_PARTY
from hatch_release.plugins.manager import BUILT_IN, Plugins
from hatch_release.project import import_module

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

OPTION = "plugins"
OF_THE_PROJECT = "a module of the project"


def find_plugins(release: str, wanted: Sequence[str], root: Path) -> Plugins:
    """All plugins of a release.

    Args:
        release: The release's name.
        wanted: The option `plugins`: modules of the project, and `!NAME` for what is not wanted.
        root: The project's root, below which its modules are.

    Raises:
        ReleaseError: When one can't be loaded or is none, or one that is to be disabled doesn't exist.
    """
    points = installed()
    modules = list(dict.fromkeys(each for each in wanted if not each.startswith("!")))
    disabled = {each[1:] for each in wanted if each.startswith("!")}
    known = [*modules, *points]
    for name in sorted(disabled.intersection(FIRST_PARTY)):
        raise OptionError(
            f"the option {OPTION} disables '{name}', which is built in: no release can do without it",
            OPTION,
            wanted.index(f"!{name}"),
        )
    for name in sorted(disabled.difference(known)):
        near = nearest(name, known) or f": there is {', '.join(known) or 'none'}"
        raise OptionError(
            f"the option {OPTION} disables '{name}', which is no plugin of this build{near}",
            OPTION,
            wanted.index(f"!{name}"),
        )
    plugins = Plugins(release)
    for name, module in FIRST_PARTY.items():
        plugins.add(module, name, BUILT_IN)
    for name in sorted(set(points) - disabled, reverse=True):
        plugins.add(_load(points[name]), name, _origin(points[name]))
    for name in reversed(modules):
        if name not in disabled:
            plugins.add(import_module(root, name, OPTION, wanted.index(name)), name, OF_THE_PROJECT)
    return plugins


@functools.cache
def installed() -> dict[str, EntryPoint]:
    """The entry points of plugins in this environment, by name.

    Raises:
        ReleaseError: When two distributions use one name.
    """
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        before = found.setdefault(point.name, point)
        if before.value != point.value:
            raise ReleaseError(
                f"two plugins are called '{point.name}', of {_origin(before)} and {_origin(point)}: uninstall one"
            )
    return found


def _load(point: EntryPoint) -> object:
    """What an entry point names."""
    who = f"plugin {point.name} ({_origin(point)})"
    try:
        plugin: object = point.load()
    except (Exception, SystemExit) as error:
        raise ReleaseError(
            f"{who} can't be loaded: {in_one_line(error, kind=True)}: update or uninstall it, or disable it by "
            f'plugins = ["!{point.name}"]'
        ) from error
    if inspect.isclass(plugin):
        raise ReleaseError(f"{who} is a class: let its entry point name a module or an object")
    return plugin


def _origin(point: EntryPoint) -> str:
    """The distribution of an entry point, with its version."""
    return f"{point.dist.name} {point.dist.version}" if point.dist is not None else point.value
