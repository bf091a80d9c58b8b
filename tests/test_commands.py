"""`hatch-release`: its help, misspelt commands, exit codes."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from hatch_release import __version__, commands
from hatch_release.commands.group import COMMAND
from hatch_release.commands.main import COMMANDS
from tests.conftest import copy_fixture
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


# plugins


def test_the_plugins_of_a_project(tmp_path: Path) -> None:
    project = copy_fixture("plugins_demo", tmp_path)
    done = hatch_release("plugins", cwd=project)
    assert (done.returncode, done.stderr) == (0, "")
    first, *others = done.stdout.splitlines()
    assert first.startswith("  1  release_plugin (a module of the project): release_")
    assert others
    assert all("(built in): release_" in line for line in others)
    told = json.loads(hatch_release("plugins", "plugins_demo", "--json", cwd=project).stdout)["plugins_demo"]
    assert told["plugins"][0]["name"] == "release_plugin"
    assert "release_steps" in told["plugins"][0]["hooks"]
    names = [each["name"] for each in told["plugins"] if "release_steps" in each["hooks"]]
    assert sorted(told["order"]["release_steps"]) == sorted(names)


def test_the_plugins_of_each_release(tmp_path: Path) -> None:
    table = "[tool.hatch.build.targets.release"
    text = f'[project]\nname = "x"\n{table}.releases.one]\nplugins = ["!gone"]\n{table}.releases.two]\n'
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    done = hatch_release("plugins", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Error: pyproject.toml:4: ")
    (tmp_path / "pyproject.toml").write_text(text.replace('plugins = ["!gone"]', ""), "utf-8")
    lines = hatch_release("plugins", cwd=tmp_path).stdout.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["one:", "two:"]
    assert "did you mean 'two'?" in hatch_release("plugins", "tow", cwd=tmp_path).stderr
    (tmp_path / "pyproject.toml").write_text("x", "utf-8")
    assert "Error: pyproject.toml:1: this is no TOML: " in hatch_release("plugins", cwd=tmp_path).stderr


def test_the_plugins_that_are_installed(tmp_path: Path) -> None:
    assert "(built in): " in hatch_release("plugins", cwd=tmp_path).stdout
    done = hatch_release("plugins", "shop", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
