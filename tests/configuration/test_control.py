"""Commands that reach the system, while it is configured and afterwards."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.builds import configure, replace
from tests.configuration.configured import Configured
from tests.conftest import copy_fixture
from tests.projects import clean_environment
from tests.runtime.nodes import wait_for
from tests.terminals import Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.projects import Builder

WAIT = """
import os
import time

from hatch_release.runtime.config import config

if os.environ["RELEASE_COMMAND"] == "start" and "RELEASE_BOOTED" not in os.environ:
    open(os.environ["REACHED"], "w").close()
    while not os.path.exists(os.environ["GO"]):
        time.sleep(0.01)
    if open(os.environ["GO"]).read() == "fail":
        raise ValueError("not to be had")
"""
APPLICATION = """
import threading


def main():
    threading.Event().wait()
"""


def _waiting(project: Path) -> Configured:
    (project / "configured" / "waiting.py").write_text(APPLICATION, "utf-8")
    replace(project, "import os", WAIT, "config/runtime.py")
    replace(project, "configured.report:main", "configured.waiting:main")
    return Configured(project, project / "dist" / "release" / "configured")


@pytest.fixture
def waiting(project: Path) -> Configured:
    """A project whose configuration waits for a file, and whose application goes on until it is stopped."""
    return _waiting(project)


class Starting:
    """A system that is being configured."""

    def __init__(self, release: Configured, directory: Path) -> None:
        """Start it."""
        self.release = release
        self.go = directory / "go"
        self.reached = directory / "reached"
        self.variables = {
            "RELEASE_TMP": str(directory / "tmp"),
            "REACHED": str(self.reached),
            "GO": str(self.go),
            "CONFIGURED_PORT": "9000",
        }
        self.process = subprocess.Popen(
            [release.root / "bin" / "configured", "start"],
            env=clean_environment(**self.variables),
            stdin=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        wait_for(self.reached.exists)

    def run(self, *arguments: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """Run a command that reaches it."""
        return subprocess.run(
            [str(self.release.root / "bin" / "configured"), *arguments],
            env=clean_environment(**self.variables),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )

    def end(self) -> tuple[int, str]:
        """Wait for its end: the exit code and what it said on standard error."""
        _out, errors = self.process.communicate(timeout=60)
        return self.process.returncode, errors

    def kill(self) -> None:
        """Leave nothing running."""
        self.process.kill()
        self.process.wait()
        if self.process.stderr is not None:
            self.process.stderr.close()


@pytest.fixture
def systems() -> Iterator[list[Starting]]:
    started: list[Starting] = []
    yield started
    for each in started:
        each.kill()


NODE = 'applications = { configured = { start = "configured.waiting:main" } }\n'


@pytest.fixture(scope="module", params=interpreters.available())
def reachable(
    request: pytest.FixtureRequest, builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Configured]:
    """Releases that answer while they are configured, of a console script and of a node, on each version of Python."""
    found = {}
    for kind, options in (("script", ""), ("node", NODE)):
        project = copy_fixture("configured", tmp_path_factory.mktemp(kind))
        configure(_waiting(project).project, f"{options}start-distribution-during-config = true")
        builders[str(request.param)].release(project)
        found[kind] = Configured(project, project / "dist" / "release" / "configured")
    return found


@pytest.fixture(params=["script", "node"])
def early(
    request: pytest.FixtureRequest,
    reachable: dict[str, Configured],
    tmp_path: Path,
    systems: list[Starting],
) -> Starting:
    """One that is being configured."""
    systems.append(Starting(reachable[request.param], tmp_path))
    return systems[-1]


PORT = "from hatch_release.runtime import get_env; print(get_env('configured', 'port'))"


def test_it_is_looked_into_while_it_is_configured(early: Starting) -> None:
    assert early.run("pid").stdout == f"{early.process.pid}\n"
    assert early.run("rpc", "print(6 * 7)").stdout == "42\n"
    done = early.run("rpc", "1 / 0")
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, "ZeroDivisionError: division by zero")
    assert early.run("rpc", "import asyncio; print(await asyncio.sleep(0, 'awaited'))").stdout == "awaited\n"
    # The application is not there yet; the configuration is what it is so far.
    assert early.run("rpc", "import sys; print('configured.waiting' in sys.modules)").stdout in (
        "False\n",
        "True\n",
    )
    told = json.loads(early.run("info", "--json").stdout)
    assert told["started"] is False
    assert [each["state"] for each in told["applications"] if each["mode"] == "permanent"] == ["starting"]
    assert "runtime.py" in early.run("stacks").stdout
    early.go.touch()
    wait_for(lambda: early.run("rpc", PORT).stdout == "9000\n")
    wait_for(lambda: json.loads(early.run("info", "--json").stdout)["started"] is True)
    assert early.run("pid").stdout == f"{early.process.pid}\n"
    assert early.run("stop").returncode == 0
    assert early.end() == (0, "")


def test_a_shell_that_was_opened_before_goes_on_afterwards(early: Starting, tmp_path: Path) -> None:
    environment = {**clean_environment(**early.variables), "HOME": str(tmp_path)}
    command = [str(early.release.root / "bin" / "configured"), "remote"]
    with Terminal(command, tmp_path, environment) as terminal:
        terminal.expect("configured>>> ")
        terminal.send("from hatch_release.runtime import get_env; before = 1\n")
        terminal.expect("configured>>> ")
        early.go.touch()
        wait_for(lambda: early.run("rpc", PORT).stdout == "9000\n")
        terminal.send("before, get_env('configured', 'port')\n")
        terminal.expect("(1, 9000)")


def test_stopping_while_it_is_configured(early: Starting) -> None:
    done = early.run("stop")
    assert (done.returncode, done.stderr) == (0, "")
    assert early.end() == (0, "")
    assert early.run("pid").stderr.startswith("ERROR: no system named configured is running")


def test_restarting_while_it_is_configured(early: Starting) -> None:
    early.reached.unlink()
    done = early.run("restart", "--no-wait")
    assert (done.returncode, done.stderr) == (0, "")
    wait_for(early.reached.exists)  # its configuration is read anew, in the same process
    assert early.run("pid").stdout == f"{early.process.pid}\n"
    early.go.touch()
    wait_for(lambda: early.run("rpc", PORT).stdout == "9000\n")
    assert early.run("stop").returncode == 0
    assert early.end() == (0, "")


def test_a_configuration_that_fails_while_commands_wait(early: Starting) -> None:
    code = "print('in', flush=True); import time\nwhile True: time.sleep(.01)"
    command = [str(early.release.root / "bin" / "configured"), "rpc", code]
    with subprocess.Popen(
        command,
        env=clean_environment(**early.variables),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as calling:
        assert calling.stdout is not None
        assert calling.stdout.readline() == "in\n"
        early.go.write_text("fail", "utf-8")
        ended, errors = early.end()
        assert ended == 1
        assert errors.splitlines()[-1].startswith("ERROR: ")
        assert "not to be had" in errors
        assert calling.wait(30) == 1
        assert calling.stderr is not None
        assert calling.stderr.read() == "ERROR: the system configured is gone\n"


@pytest.mark.parametrize("reboot", ["false", "true"])
def test_with_the_option_it_answers_while_it_is_configured(
    builder: Builder, waiting: Configured, tmp_path: Path, systems: list[Starting], reboot: str
) -> None:
    configure(
        waiting.project, f"start-distribution-during-config = true\nreboot-system-after-config = {reboot}"
    )
    builder.release(waiting.project)
    system = Starting(waiting, tmp_path)
    systems.append(system)
    assert system.run("pid").stdout == f"{system.process.pid}\n"
    system.go.touch()
    port = "from hatch_release.runtime import get_env; print(get_env('configured', 'port'))"
    wait_for(lambda: system.run("rpc", port).stdout == "9000\n")
    assert system.run("pid").stdout == f"{system.process.pid}\n"
    assert system.run("stop").returncode == 0
    system.process.wait(30)


@pytest.mark.parametrize("minor", interpreters.available())
def test_without_it_it_answers_when_it_has_been(
    builders: dict[str, Builder], waiting: Configured, tmp_path: Path, systems: list[Starting], minor: str
) -> None:
    builders[minor].release(waiting.project)
    system = Starting(waiting, tmp_path)
    systems.append(system)
    environment = clean_environment(**system.variables)
    launcher = str(waiting.root / "bin" / "configured")
    asking = [
        subprocess.Popen(
            [launcher, *words], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
        )
        for words in (["pid"], ["rpc", PORT])
    ]
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            asking[0].wait(1)
        assert asking[1].poll() is None
        system.go.touch()
        assert asking[0].communicate(timeout=30)[0] == f"{system.process.pid}\n"
        assert asking[1].communicate(timeout=30)[0] == "9000\n"
    finally:
        for each in asking:
            each.kill()


def test_rpc_does_not_load_the_configuration_itself(
    builder: Builder, waiting: Configured, tmp_path: Path, systems: list[Starting]
) -> None:
    builder.release(waiting.project)
    system = Starting(waiting, tmp_path)
    systems.append(system)
    system.go.touch()
    runtime = waiting.version_path / "runtime.py"
    assert system.run("rpc", "print('answers')").stdout == "answers\n"
    runtime.write_text("raise SystemExit('not wanted')", "utf-8")
    assert system.run("rpc", "print('answers')").stdout == "answers\n"
    assert system.run("stop").returncode == 0
