"""Groups of commands: each is loaded when it is asked for, and a misspelt one gets the nearest."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import click

from hatch_release.options.kinds import nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

PACKAGE = __name__.rpartition(".")[0]
COMMAND = "command"
"""What a file of the package calls its command."""


class NearestGroup(click.Group):
    """A group of commands that answers a misspelt one with the nearest."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that `args` begin with.

        Raises:
            click.UsageError: When there is none.
        """
        known = self.list_commands(ctx)
        if args[0] not in known and not args[0].startswith("-"):
            guess = nearest(args[0], known) or f", the commands are {', '.join(known)}"
            ctx.fail(f"no such command '{args[0]}'{guess}")
        return super().resolve_command(ctx, args)


class Files(NearestGroup):
    """The group whose commands are files of this package: NAME is `command` in `NAME.py`."""

    def __init__(self, *arguments: Any, names: Sequence[str], **more: Any) -> None:  # noqa: ANN401 - click's
        """A group of the commands `names`."""
        super().__init__(*arguments, **more)
        self.names = names

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Their names, as the help shows them."""
        return sorted(self.names)

    def get_command(self, _ctx: click.Context, name: str) -> click.Command | None:
        """Load one of them."""
        if name not in self.names:
            return None
        command: click.Command = getattr(importlib.import_module(f"{PACKAGE}.{name}"), COMMAND)
        return command
