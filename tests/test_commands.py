"""`hatch-release`: its help, misspelt commands, exit codes."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hatch_release import __version__, commands
from hatch_release.commands.group import COMMAND
from hatch_release.commands.main import COMMANDS
from tests.projects import Done, clean_environment

PROGRAM = str(Path(sys.executable).with_name("hatch-release"))
NO_COMMANDS = {"__init__", "main", "group", "released"}


def hatch_release(*arguments: str, cwd: Path | None = None, **environment: str) -> Done:
    return subprocess.run(
        [PROGRAM, *arguments],
        cwd=cwd,
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_each_file_is_a_command_and_the_help_names_it() -> None:
    files = {file.stem for file in Path(commands.__file__).parent.glob("*.py")} - NO_COMMANDS
    assert files == set(COMMANDS)
    shown = hatch_release("--help").stdout
    for name in COMMANDS:
        command = getattr(importlib.import_module(f"{commands.__name__}.{name}"), COMMAND)
        assert isinstance(command, click.Command)
        assert f"  {name} " in shown
        assert hatch_release(name, "-h").stdout.startswith(f"Usage: hatch-release {name}")


def test_the_version() -> None:
    assert hatch_release("--version").stdout == f"hatch-release, version {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["cahce"], "no such command 'cahce', did you mean 'cache'?"),
        (["quux"], f"no such command 'quux', the commands are {', '.join(sorted(COMMANDS))}"),
        (["cache", "prun"], "no such command 'prun', did you mean 'prune'?"),
        (["cache", "info", "--jsn"], "--jsn"),
    ],
)
def test_what_does_not_exist_is_wrong_usage(arguments: list[str], expected: str) -> None:
    done = hatch_release(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert expected in done.stderr


def test_a_reader_that_goes_away_is_no_error() -> None:
    command = f"{PROGRAM} --help | true; {PROGRAM} cache dir | true"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)  # noqa: S607
    assert done.stderr == ""
