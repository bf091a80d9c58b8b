"""`remote` on a real terminal and without one, and what `info` and `stacks` tell."""

from __future__ import annotations

import json
import signal
import stat
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.conftest import copy_fixture
from tests.runtime.nodes import Nodes, wait_for
from tests.runtime.systems import LOOP, SERVER, System
from tests.terminals import CTRL_C, CTRL_D, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.projects import Builder


def shell(system: System) -> Terminal:
    """`remote` on a terminal, at its first prompt."""
    environment = {**system.environment, "HOME": str(system.directory)}
    terminal = Terminal([str(system.launcher), "remote"], system.directory, environment)
    terminal.expect("probe>>> ")
    return terminal


def answer(terminal: Terminal, line: str, expected: str) -> None:
    """Type a line, and see what comes after it."""
    terminal.output = ""
    terminal.send(f"{line}\n")
    terminal.expect(expected)
    terminal.expect("probe>>> ")


def test_a_shell_in_the_live_system(system: System) -> None:
    system.start(LOOP)
    with shell(system) as terminal:
        assert (
            f"probe 1.2.0 on Python {system.ask('import sys; print(sys.version.split()[0])')}, "
            in terminal.output
        )
        answer(terminal, "40 + 2", "\n42\r\n")
        answer(terminal, "_ * 2", "\n84\r\n")
        answer(terminal, "import asyncio; asyncio.get_event_loop_policy() and None", "\n")
        answer(
            terminal,
            "await asyncio.sleep(0.01, asyncio.get_running_loop() is program.kept['loop'])",
            "\nTrue\r\n",
        )
        answer(terminal, "probe.tools.double(3)", "\n6\r\n")
        answer(terminal, "probe.tools.dou\t4)", "probe.tools.double(4)\r\n8\r\n")
        answer(terminal, "1 / 0", "ZeroDivisionError: division by zero")
        answer(terminal, "1 +", "SyntaxError: invalid syntax")
        answer(terminal, "x = input('say: ')\nhello", "say: ")
        answer(terminal, "x, print('out')", "out\r\n('hello', None)\r\n")
        terminal.output = ""
        terminal.send("def f(number):\n")
        terminal.expect("probe... ")
        terminal.send("    number\n    return number * 2\n\n")
        terminal.expect("probe>>> ")
        answer(terminal, "for number in range(2): f(number)\n", "\n0\r\n2\r\n")
        terminal.send("exit\n")
        assert terminal.finish() == 0
    assert system.lives()
    # What was typed is there again, for this user alone.
    history = system.directory / ".probe_history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    assert "40 + 2" in history.read_text()
    with shell(system) as terminal:
        terminal.send("\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A\x1b[A")
        terminal.expect("x, print('out')")
    assert (system.output, system.errors) == ("up\n", "")
    # The application's own `_` is as it was.
    assert system.ask("import builtins; print(hasattr(builtins, '_'))") == "False"


def test_interrupting_in_a_shell(system: System) -> None:
    system.start(LOOP)
    with shell(system) as terminal:
        terminal.send("not finished")
        terminal.send(CTRL_C)
        terminal.expect("KeyboardInterrupt\r\n")
        for code in ("while True: pass\n", "import asyncio; await asyncio.sleep(1000)", "input()"):
            terminal.output = ""
            terminal.send(f"{code}\n")
            terminal.send(CTRL_C)
            terminal.expect("KeyboardInterrupt\r\n")
            terminal.expect("probe>>> ")
        answer(terminal, "'still here'", "\n'still here'\r\n")
        terminal.send(CTRL_D)
        assert terminal.finish() == 0
    assert system.lives()


@pytest.mark.parametrize(
    ("word", "code"), [("exit()", 0), ("quit", 0), ("exit(3)", 3), ("raise SystemExit(4)", 4)]
)
def test_ways_to_leave_a_shell(one: System, word: str, code: int) -> None:
    one.start(SERVER)
    with shell(one) as terminal:
        terminal.send(f"{word}\n")
        assert terminal.finish() == code
    assert one.lives()


def test_a_shell_whose_system_goes(one: System) -> None:
    one.start(SERVER)
    with shell(one) as terminal:
        one.kill()
        terminal.send("1\n")
        terminal.expect("ERROR: the system probe is gone\r\n")
        assert terminal.finish() == 1


def test_a_terminal_that_disappears(one: System) -> None:
    one.start(SERVER)
    with shell(one) as terminal:
        terminal.send("while True: pass\n\n")
        threads = "import threading; print(sum('remote' in each.name for each in threading.enumerate()))"
        assert one.ask(threads) == "1"
    wait_for(lambda: one.ask(threads) == "0")


def test_two_shells_know_nothing_of_each_other(one: System) -> None:
    one.start(SERVER)
    with shell(one) as first, shell(one) as second:
        answer(first, "mine = 'first'", "\n")
        answer(second, "'mine' in globals()", "\nFalse\r\n")
        answer(first, "mine", "\n'first'\r\n")
        assert "first" not in second.output


def test_a_script_instead_of_a_terminal(system: System) -> None:
    system.start(LOOP)
    done = system.run("remote", stdin="import asyncio\nprint(await asyncio.sleep(0, 'slept'))\n1 + 1\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "slept\n", "")
    assert system.run("remote", stdin="exit(5)").returncode == 5
    assert system.run("remote", stdin="1 / 0").returncode == 1
    assert system.run("remote", stdin="").returncode == 0
    assert system.run("remote", "more").stderr == "ERROR: remote takes no arguments, not 'more'\n"


def test_info_about_a_script(system: System) -> None:
    system.start(LOOP)
    found = json.loads(system.run("info", "--json").stdout)
    assert found["applications"] == [
        {"name": "probe", "mode": "permanent", "state": "running", "restarts": 0}
    ]
    assert (found["node"], found["release"], found["version"]) == ("probe", "probe", "1.2.0")
    assert (found["pid"], found["started"], found["tasks"], found["restarts"]) == (system.pid, True, 1, 0)
    assert 0 < found["uptime"] < 60
    assert found["memory"]["resident"] > 1_000_000
    assert 2 < found["descriptors"]["open"] < found["descriptors"]["limit"]
    lines = system.run("info").stdout.splitlines()
    assert lines[0] == "node:        probe"
    assert lines[-2:] == ["applications:", "  probe  permanent  running"]


def test_stacks_of_a_script(system: System) -> None:
    program = LOOP.replace(
        "await stop.wait()", "asyncio.create_task(inner(), name='mine'); await stop.wait()"
    )
    system.start(
        f"{program}\nasync def inner(): await deeper()\nasync def deeper(): await asyncio.sleep(1000)\n"
        "import threading\nidle = threading.Event()\n"
        "threading.Thread(target=idle.wait, name='idle', daemon=True).start()\n"
    )
    done = system.run("stacks")
    assert (done.returncode, done.stderr) == (0, "")
    blocks = done.stdout
    assert blocks.startswith("Thread MainThread:\n")
    assert "Thread idle (daemon):\n" in blocks
    task = blocks.partition("Task mine of ")[2].partition("\nTask ")[0]
    assert [line.rpartition(" ")[2] for line in task.splitlines() if "File" in line] == [
        "inner",
        "deeper",
        "sleep",
    ]
    assert system.lives()


@pytest.fixture(scope="module")
def applications(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_fixture("applications", tmp_path_factory.mktemp("applications"))
    return builders[interpreters.running()].release(project)


@pytest.fixture
def nodes(applications: Path, tmp_path: Path) -> Iterator[Nodes]:
    started = Nodes(applications, tmp_path)
    yield started
    started.kill()


def test_a_node_from_outside(nodes: Nodes, applications: Path, tmp_path: Path) -> None:
    variables = {"RELEASE_TMP": str(tmp_path / "tmp")}
    node = nodes.start("shapes", RELEASE_TMP=variables["RELEASE_TMP"]).until("function up", "coroutine up")
    outside = System(applications / "bin" / "applications", tmp_path, variables)
    wait_for(lambda: json.loads(outside.run("info", "--json").stdout)["started"])
    found = json.loads(outside.run("info", "--json").stdout)
    states = {each["name"]: each["state"] for each in found["applications"]}
    assert {states[name] for name in ("context", "async_context", "instance", "coroutine", "function")} == {
        "running"
    }
    assert states["server"] == "not started"
    # The node's event loop, which is not the main thread's.
    code = "import threading, asyncio; await asyncio.sleep(0); print(threading.current_thread().name)"
    assert outside.ask(code) == "event loop"
    assert outside.run("pid").stdout == f"{node.process.pid}\n"
    done = outside.run("restart")
    assert (done.returncode, done.stderr) == (0, "")
    assert node.said().count("context up") == 2
    assert outside.run("pid").stdout == f"{node.process.pid}\n"
    done = outside.run("stop")
    assert (done.returncode, done.stderr) == (0, "")
    assert node.end()[0] == 0
    assert node.said()[-1] == "context down"


def test_a_signal_ends_only_the_caller(one: System) -> None:
    one.start(SERVER)
    with one.popen("rpc", "import time\nprint(1, flush=True)\nwhile True: time.sleep(.01)") as call:
        assert call.stdout is not None
        call.stdout.readline()
        call.send_signal(signal.SIGTERM)
        assert call.wait(30) == -signal.SIGTERM
    assert one.lives()
