"""Commands that reach the system, while it is configured and afterwards."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.builds import configure, replace
from tests.configuration.configured import Configured
from tests.projects import clean_environment
from tests.runtime.nodes import wait_for

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
"""
APPLICATION = """
import threading


def main():
    threading.Event().wait()
"""


@pytest.fixture
def waiting(project: Path) -> Configured:
    """A project whose configuration waits for a file, and whose application goes on until it is stopped."""
    (project / "configured" / "waiting.py").write_text(APPLICATION, "utf-8")
    replace(project, "import os", WAIT, "config/runtime.py")
    replace(project, "configured.report:main", "configured.waiting:main")
    return Configured(project, project / "dist" / "release" / "configured")


class Starting:
    """A system that is being configured."""

    def __init__(self, release: Configured, directory: Path) -> None:
        """Start it."""
        self.release = release
        self.go = directory / "go"
        self.variables = {
            "RELEASE_TMP": str(directory / "tmp"),
            "REACHED": str(directory / "reached"),
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
        wait_for((directory / "reached").exists)

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

    def end(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def systems() -> Iterator[list[Starting]]:
    started: list[Starting] = []
    yield started
    for each in started:
        each.end()


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


def test_without_it_it_answers_when_it_has_been(
    builder: Builder, waiting: Configured, tmp_path: Path, systems: list[Starting]
) -> None:
    builder.release(waiting.project)
    system = Starting(waiting, tmp_path)
    systems.append(system)
    environment = clean_environment(**system.variables)
    command = [str(waiting.root / "bin" / "configured"), "pid"]
    asking = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True
    )
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            asking.wait(1)
        system.go.touch()
        out, _err = asking.communicate(timeout=30)
    finally:
        asking.kill()
    assert out == f"{system.process.pid}\n"


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
