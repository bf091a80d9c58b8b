"""Commands that a release adds to those of its launcher: each is a function of a distribution of the release.

They are called as console scripts are, in a process of their own.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hatch_release.contributions import Command
from hatch_release.errors import ReleaseError
from hatch_release.hookspecs import hookimpl
from hatch_release.options.kinds import FUNCTION, nearest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from hatch_release.release import Release

GROUP = "hatch_release.command"
"""Entry points by which distributions of a release declare commands: `NAME = "module:function"`."""
OWN = frozenset(
    {
        "start", "start_repl", "start_iex", "daemon", "daemon_repl", "daemon_iex", "install", "eval", "run", "rpc",
        "remote", "restart", "stop", "pid", "info", "stacks", "attach", "logs", "config", "verify", "version",
        "versions",
    }
)  # fmt: skip
"""What the launcher's own commands are called."""
_NAME = re.compile(r"[a-z][a-z0-9_-]*")


@hookimpl
def release_commands(release: Release) -> Sequence[Command]:
    """What the distributions of the release declare by entry points."""
    return [
        Command(name=name, entry=reference.partition("[")[0].strip(), help=f"Runs {reference} of {each.name}")
        for each in release.applications.values()
        for name, reference in each.entry_points.get(GROUP, {}).items()
    ]


def collect_commands(release: Release) -> dict[str, Command]:
    """The commands that the plugins of a release add, by name.

    Raises:
        ReleaseError: When one has no usable name, or that of another.
    """
    found: dict[str, Command] = {}
    givers: dict[str, str] = {}
    for plugin, commands in release.plugins.call("release_commands", release=release):
        for command in commands:
            if command.name in found:
                raise release.plugins.twice(f"the command '{command.name}'", givers[command.name], plugin)
            if wrong := _wrong(command):
                raise release.plugins.blame(plugin, ReleaseError(f"the command '{command.name}' {wrong}"))
            found[command.name], givers[command.name] = command, plugin
    return dict(sorted(found.items()))


def _wrong(command: Command) -> str:
    """What is wrong with a command, or nothing."""
    if command.name in OWN:
        return "has the name of one that every release has: call it otherwise"
    if not _NAME.fullmatch(command.name):
        return "can't be typed: use lower-case letters, digits, '_' and '-', a letter first"
    if not FUNCTION.accepts(command.entry):
        return f"has the entry '{command.entry}': expected \"module:function\""
    if not (command.help + command.arguments).isprintable() or "\\" in command.help + command.arguments:
        return "has a help that no line of usage can hold: make it one line, without backslashes"
    return ""


def check_commands(commands: Mapping[str, Command], modules: Collection[str]) -> None:
    """Refuse a command whose module the release doesn't hold.

    Args:
        commands: By name.
        modules: The full names of all modules of the release.

    Raises:
        ReleaseError: When there is one; names it and the nearest module.
    """
    for command in commands.values():
        module = command.entry.partition(":")[0]
        if module not in modules:
            near = nearest(module, modules) or ": add its distribution to the project's dependencies"
            raise ReleaseError(
                f"the command '{command.name}' is {command.entry}, and the release holds no module {module}{near}"
            )
