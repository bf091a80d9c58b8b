"""Real servers in a node: uvicorn, gunicorn and a tool of click run as they do alone, beside async applications."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import urllib.request
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests import interpreters
from tests.projects import clean_environment, run
from tests.runtime.nodes import LONGEST, alive, copy_with_free_ports, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.projects import Builder


@pytest.fixture(scope="module", params=dict.fromkeys([interpreters.running(), *interpreters.available()]))
def root(
    request: pytest.FixtureRequest, builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The fixture `servers`, assembled for each Python."""
    project = copy_with_free_ports("servers", tmp_path_factory.mktemp(f"servers-{request.param}"))
    return builders[request.param].release(project)


class System:
    """A running selection of the fixture's applications."""

    def __init__(self, root: Path, script: str, *arguments: str, port: int = 0) -> None:
        self.port = port
        variables = {"RELEASE_BOOT_SCRIPT": script, "PORT": str(port)}
        environment = clean_environment(**variables)
        self.node = environment["RELEASE_NODE"]
        self.process = subprocess.Popen(
            [str(root / "bin" / "servers"), "start", *arguments],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def get(self, port: int = 0) -> dict[str, Any]:
        """What the server answers, once it does."""
        answer: dict[str, Any] = {}

        def ask() -> bool:
            assert self.process.poll() is None, self.process.communicate()
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port or self.port}/", timeout=5) as response:
                    answer.update(json.load(response))
            except OSError:
                return False
            return True

        wait_for(ask)
        return answer

    def end(self, number: int | None = None) -> tuple[int, str, str]:
        """Exit code and output, after a signal if one is given."""
        if number is not None:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=LONGEST)
        return self.process.returncode, out, err


class Start(Protocol):
    """Starts a selection; those that a test leaves are killed."""

    def __call__(self, script: str, *arguments: str, port: int = 0) -> System: ...


@pytest.fixture
def systems(root: Path) -> Iterator[Start]:
    started: list[System] = []

    def start(script: str, *arguments: str, port: int = 0) -> System:
        started.append(System(root, script, *arguments, port=port))
        return started[-1]

    yield start
    for each in started:
        if each.process.poll() is None:
            os.killpg(each.process.pid, signal.SIGKILL)
            each.process.communicate()


@pytest.fixture
def port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def admin_port(root: Path) -> int:
    """The port of the child process."""
    script = json.loads((root / "releases" / "0.3.0" / "start.script").read_text("utf-8"))
    return next(int(each["ready"]["port"]) for each in script["applications"] if each["name"] == "admin")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_uvicorn_in_the_main_thread(systems: Start, root: Path, port: int, number: int) -> None:
    system = systems("start_web", port=port)
    answer = system.get()
    assert (answer["pid"], answer["state"]) == (system.process.pid, "open")
    assert int(answer["beats"]) > 0
    # The child was ready before the server began; its workers are processes of its own.
    admin = system.get(admin_port(root))
    assert "state" not in admin
    code, out, err = system.end(number)
    assert code == 0, err
    assert out.splitlines()[-1] == "store closed"
    assert "uvicorn ended" in out
    assert "Finished server process" in err
    assert err.count("received, stopping") == 1
    wait_for(lambda: not alive(admin["pid"]) and not alive(admin["parent"]))


@pytest.mark.parametrize(
    ("script", "word"), [("start_web", "uvicorn ended"), ("start_pages", "store closed")]
)
def test_a_server_that_is_stopped_by_command_has_received_no_signal(
    systems: Start, root: Path, port: int, script: str, word: str
) -> None:
    system = systems(script, port=port)
    system.get()
    done = run(root / "bin" / "servers", "stop", RELEASE_NODE=system.node)
    assert (done.returncode, done.stderr) == (0, "")
    code, out, err = system.end()
    assert code == 0, err
    assert word in out
    # The node asks the server by a signal of its own, which uvicorn raises once more when it has ended.
    assert "received" not in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_gunicorn_in_the_main_thread(systems: Start, port: int, number: int) -> None:
    system = systems("start_pages", port=port)
    answer = system.get()
    assert answer["parent"] == system.process.pid
    code, out, err = system.end(number)
    assert code == 0, err
    # The workers are forked children without a node: one store was opened, and one is closed.
    assert out.splitlines() == ["store open", "store closed"]
    assert f"Handling signal: {'term' if number == signal.SIGTERM else 'int'}" in err
    wait_for(lambda: not alive(answer["pid"]))


def test_gunicorn_replaces_a_worker_and_reloads(systems: Start, port: int) -> None:
    system = systems("start_pages", port=port)
    first = system.get()["pid"]
    os.kill(first, signal.SIGKILL)
    wait_for(lambda: not alive(first))
    workers = {system.get()["pid"] for _ in range(5)}
    system.process.send_signal(signal.SIGHUP)  # gunicorn's own: reload, not the end
    wait_for(lambda: system.process.poll() is None and system.get()["pid"] not in workers)
    assert system.end(signal.SIGTERM)[0] == 0


@pytest.mark.parametrize("code", [0, 4])
def test_a_tool_has_its_arguments_and_its_exit_code(systems: Start, code: int) -> None:
    system = systems("start_tool", "--code", str(code))
    exit_code, out, err = system.end()
    assert exit_code == code, err
    assert out.splitlines() == ["store open", "tool up", "tool got nothing", "store closed"]


def test_a_tool_minds_signals_itself(systems: Start) -> None:
    system = systems("start_tool", "--wait")
    assert system.process.stdout is not None
    assert [system.process.stdout.readline() for _ in range(2)] == ["store open\n", "tool up\n"]
    exit_code, out, err = system.end(signal.SIGTERM)
    assert exit_code == 0, err
    assert out.splitlines() == ["tool got SIGTERM", "store closed"]
