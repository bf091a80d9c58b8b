"""A node and what is around it: process 1, supervisors, sockets, modes of loading, and what programs ask of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.conftest import copy_fixture
from tests.projects import clean_environment, run
from tests.runtime.nodes import Nodes, wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

BWRAP = shutil.which("bwrap")


@pytest.mark.skipif(BWRAP is None, reason="needs bubblewrap")
def test_as_process_1_it_forwards_signals_and_reaps_orphans(nodes: Nodes) -> None:
    own = [str(BWRAP), "--dev-bind", "/", "/", "--unshare-pid", "--as-pid-1", "--proc", "/proc"]
    node = nodes.start("orphans", wrap=own).until("orphans left")
    line = node.line("orphans left")
    assert (line["parent"], len(line["pids"])) == (1, 5)
    # What the application has left behind is process 1's, which takes note of its end.
    node.until("orphans gone")
    # The process that bubblewrap started is process 1 of its namespace.
    init = int(run("/bin/sh", "-c", f"cat /proc/{node.process.pid}/task/*/children").stdout.split()[0])
    os.kill(init, signal.SIGTERM)
    code, err = node.end()
    assert code == 0, err
    assert node.said()[-1] == "context down"


@pytest.mark.skipif(BWRAP is None, reason="needs bubblewrap")
def test_process_1_passes_on_the_exit_code(nodes: Nodes) -> None:
    own = [str(BWRAP), "--dev-bind", "/", "/", "--unshare-pid", "--as-pid-1", "--proc", "/proc"]
    assert nodes.start("permanent", wrap=own, END="exit").end()[0] == 7


def test_a_supervisor_is_told(nodes: Nodes, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(10)
        node = nodes.start("all_async", NOTIFY_SOCKET=str(tmp_path / "notify"), WATCHDOG_USEC="200000")
        assert channel.recv(100) == b"READY=1"
        assert [channel.recv(100) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        assert node.signal(signal.SIGTERM).end()[0] == 0
        told = channel.recv(100)
        while told == b"WATCHDOG=1":
            told = channel.recv(100)
        assert told == b"STOPPING=1"


@pytest.mark.parametrize("heart", ["", "1"], ids=["without heart", "with heart"])
def test_listening_sockets_reach_the_applications(nodes: Nodes, tmp_path: Path, heart: str) -> None:
    with socket.create_server(("localhost", 0)) as server, contextlib.ExitStack() as stack:
        port = server.getsockname()[1]
        saved = os.dup(3) if _is_open(3) else None
        os.dup2(server.fileno(), 3, inheritable=True)
        stack.callback(lambda: os.dup2(saved, 3) if saved is not None else os.close(3))
        # The launcher's process becomes the node's, so its number is known before.
        node = nodes.start(
            "listener",
            wrap=["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh"],
            LISTEN_FDS="1",
            RELEASE_HEART=heart,
            RELEASE_TMP=str(tmp_path / "tmp"),
        )
        node.until("listener up")
        assert (node.line("listener up")["sockets"], node.line("listener up")["mine"]) == (1, True)
        with socket.create_connection(("localhost", port), 10) as client:
            assert client.recv(100) == b"hello"
        assert node.stop()[0] == 0


def _is_open(number: int) -> bool:
    try:
        os.fstat(number)
    except OSError:
        return False
    return True


def test_what_an_application_learns(nodes: Nodes, node_root: Path) -> None:
    node = nodes.start("asking", RELEASE_NODE="one@here").until("asking")
    line = node.line("asking")
    assert (line["node"], line["mode"]) == ("one@here", "embedded")
    assert line["directory"] == str(node_root / "lib" / "applications-0.1.0")
    assert line["started"] == ["context", "asking"]
    assert node.stop()[0] == 0


def test_an_application_starts_more(nodes: Nodes) -> None:
    node = nodes.start("asking", WISH="more").until("more")
    assert node.line("more")["started"] == ["instance"]
    assert node.line("more")["all"] == ["context", "asking", "instance"]
    assert node.stop()[0] == 0
    assert node.said()[-2:] == ["instance down", "context down"]


@pytest.mark.parametrize("code", [0, 3])
def test_an_application_stops_the_system(nodes: Nodes, code: int) -> None:
    node = nodes.start("asking", WISH=str(code) if code else "stop")
    assert node.end()[0] == code
    assert node.said()[-1] == "context down"


def test_an_application_restarts_the_system_in_the_same_process(nodes: Nodes) -> None:
    node = nodes.start("asking", "argument", WISH="restart")
    wait_for(lambda: node.said().count("asking") == 2)
    pids = {line["pid"] for line in node.lines() if line["what"] == "asking"}
    assert pids == {node.process.pid}
    assert [line["argv"] for line in node.lines() if line["what"] == "context up"] == [["argument"]] * 2
    assert node.said()[:3] == ["context up", "asking", "context down"]
    assert node.stop()[0] == 0


def test_ways_of_loading(node_root: Path) -> None:
    launcher = node_root / "bin" / "applications"
    done = run(launcher, "start", RELEASE_MODE="embeded")
    assert (done.returncode, done.stderr) == (
        1,
        "ERROR: RELEASE_MODE is 'embeded': set it to embedded or interactive\n",
    )
    code = "import hatch_release.runtime as r; print(r.mode(), r.started_applications())"
    assert run(launcher, "eval", code).stdout == "interactive []\n"


def test_eval_starts_what_it_asks_for_and_stops_it(node_root: Path, tmp_path: Path) -> None:
    report = tmp_path / "report"
    code = "from hatch_release.runtime import *; print(ensure_all_started('context'), ensure_all_started('context'))"
    done = run(node_root / "bin" / "applications", "eval", code, REPORT=str(report))
    assert (done.returncode, done.stdout, done.stderr) == (0, "['context'] []\n", "")
    assert [line.split('"')[3] for line in report.read_text().splitlines()] == ["context up", "context down"]


def test_what_eval_starts_may_fail(node_root: Path, tmp_path: Path) -> None:
    code = (
        "import time\nfrom hatch_release.runtime import *\n"
        "print(ensure_all_started('context'), ensure_all_started('permanent'))\n"
        "while 'permanent' in started_applications(): time.sleep(0.01)\n"
        "print(started_applications())"
    )
    done = run(node_root / "bin" / "applications", "eval", code, REPORT=str(tmp_path / "report"), END="crash")
    assert (done.returncode, done.stdout) == (0, "['context'] ['permanent']\n['context']\n")
    assert (
        "permanent failed (ValueError: it was told to): its mode is temporary, so the system goes on"
        in done.stderr
    )


def test_an_unknown_application_gets_the_nearest(node_root: Path) -> None:
    code = "from hatch_release.runtime import *\ntry: load('contxt')\nexcept Exception as error: print(error)"
    done = run(node_root / "bin" / "applications", "eval", code)
    assert done.stdout == "unknown application 'contxt': did you mean 'context'?\n"


def test_in_development(builder: Builder, tmp_path: Path) -> None:
    project = copy_fixture("applications", tmp_path)
    code = (
        "from hatch_release.runtime import *\n"
        "print(node(), mode(), app_dir('applications'), started_applications())\n"
        "print(ensure_all_started('async_context'), started_applications())\n"
    )
    (project / "applications.dist-info").mkdir()
    (project / "applications.dist-info" / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: applications\nVersion: 1\n"
    )
    (project / "applications.dist-info" / "entry_points.txt").write_text(
        "[hatch_release.application]\nasync_context = applications.shapes:async_context\n"
    )
    done = subprocess.run(
        [builder.python, "-c", code],
        cwd=project,
        env=clean_environment(REPORT=str(tmp_path / "report"), RELEASE_NODE=""),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"nonode interactive {project} []\n['async_context'] ['async_context']\n"
    assert (tmp_path / "report").read_text().count("async_context down") == 1


@pytest.mark.long
def test_a_hundred_lives_leave_nothing(nodes: Nodes, node_root: Path, tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    for number in range(100):
        # The one that runs in the event loop is stopped the moment that it waits.
        script, up = ("child", "child up") if number % 2 else ("all_async", "coroutine up")
        node = nodes.start(script, TMPDIR=str(temporary), RELEASE_TMP=str(temporary / "own")).until(up)
        assert node.stop()[0] == 0
    wait_for(lambda: str(node_root) not in _command_lines())
    assert [each for each in temporary.rglob("*") if not each.is_dir()] == []


def _command_lines() -> str:
    return run("/bin/sh", "-c", "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' '").stdout
