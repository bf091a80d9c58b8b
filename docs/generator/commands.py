"""The page of all commands: those of `bin/NAME` as it lists them itself, and those of `hatch-release`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

import hatch_release
from hatch_release.commands.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

LAUNCHER = Path(hatch_release.__file__).parent / "tree" / "templates" / "launcher.sh.j2"
_USAGE = re.compile(r"^ +'    (?P<name>\w+)(?P<arguments>(?: \S+)*) {2,}(?P<help>[^']+)'", re.MULTILINE)


@dataclass(frozen=True)
class LauncherCommand:
    """A command of `bin/NAME`, as its usage says it."""

    name: str
    arguments: str
    help: str


def launcher_commands() -> list[LauncherCommand]:
    """The commands of `bin/NAME`, in the order of its usage."""
    text = LAUNCHER.read_text("utf-8")
    return [
        LauncherCommand(each["name"], each["arguments"].strip(), each["help"])
        for each in _USAGE.finditer(text)
    ]


def tool_commands(
    group: click.Group = cli, above: str = "hatch-release"
) -> Iterator[tuple[str, click.Command]]:
    """The commands of `hatch-release` that do something, with all words in front of their arguments."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from tool_commands(command, f"{above} {name}")
        elif command is not None:
            yield f"{above} {name}", command


def page() -> str:
    """The page, in Markdown."""
    return "".join(_lines())


def _lines() -> Iterator[str]:
    yield "# All commands\n\n## Of a release\n\n"
    yield "What `bin/NAME` prints when it is called without a command. [More about each](../running.md#commands).\n\n"
    yield "| command | what it does |\n| --- | --- |\n"
    for each in launcher_commands():
        words = f"{each.name} {each.arguments}".strip()
        yield f"| `bin/NAME {words}` | {each.help} |\n"
    yield "\n## Of `hatch-release`\n\n"
    for words, command in tool_commands():
        yield from _command(words, command)


def _command(words: str, command: click.Command) -> Iterator[str]:
    """One command of `hatch-release`: what it does, its arguments and options."""
    context = click.Context(command, info_name=words)
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"### `{words}`\n\n```\n{words} {usage}\n```\n\n{_text(command.help or '')}\n\n"
    rows = [each.get_help_record(context) for each in command.params]
    shown = [(names, text) for names, text in filter(None, rows)]
    if shown:
        yield "| option | meaning |\n| --- | --- |\n"
        yield from (f"| `{names}` | {_cell(text)} |\n" for names, text in shown)
        yield "\n"


def _text(text: str) -> str:
    """Help as click shows it, as paragraphs."""
    return "\n\n".join(" ".join(each.split()) for each in text.split("\n\n")).replace("\b ", "")


def _cell(text: str) -> str:
    """Text that may stand in a table."""
    return " ".join(text.replace("|", "\\|").split())
