"""Heart: a system that crashed or hangs comes back, and one that was stopped does not."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.projects import clean_environment
from tests.runtime.daemons import WAITS, Daemon
from tests.runtime.nodes import Nodes, alive, wait_for
from tests.terminals import CTRL_C, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.runtime.daemons import MakeDaemon
    from tests.runtime.probe import Probe

HEART = {"RELEASE_HEART": "1", "RELEASE_HEART_DELAY": "0.05"}


@pytest.fixture
def nodes(applications: Path, tmp_path: Path) -> Iterator[Nodes]:
    """Starts nodes in the foreground."""
    started = Nodes(applications.parents[1], tmp_path)
    yield started
    started.kill()


@pytest.fixture
def node(applications: Path, tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the fixture `applications`, not started yet, with heart."""
    daemon = Daemon(applications, tmp_path, {**HEART, "REPORT": str(tmp_path / "report")})
    yield daemon
    daemon.kill()


def test_a_killed_program_comes_back(each_probe: Probe, make: MakeDaemon) -> None:
    daemon = make(WAITS, each_probe, **HEART).start("word")
    keeper, first = daemon.holder()
    os.kill(first, signal.SIGKILL)
    daemon.until_logged("the system has started again")
    assert daemon.keeper == keeper
    second = daemon.system
    assert alive(second)
    assert second != first
    daemon.until_logged("here I am word\n", 2)
    assert re.search(
        r"the system was ended by SIGKILL: it is started again in 0\.05 s \(restart 1 of 10 in a row\)\n",
        daemon.log(),
    )
    daemon.stop()


def test_a_killed_node_comes_back(node: Daemon, tmp_path: Path) -> None:
    node.start(RELEASE_BOOT_SCRIPT="start_shapes")
    os.kill(node.system, signal.SIGKILL)
    node.until_logged("started: context, async_context", 2)
    node.stop()
    assert (tmp_path / "report").read_text().count('"function down"') == 1


def test_a_hung_process_comes_back(each_probe: Probe, make: MakeDaemon) -> None:
    daemon = make(WAITS, each_probe, **HEART, RELEASE_HEART_TIMEOUT="1").start()
    first = daemon.system
    os.kill(first, signal.SIGSTOP)
    daemon.until_logged("no sign of life for 1 s: the system is killed")
    daemon.until_logged("the system has started again")
    daemon.stop()


def test_a_held_up_event_loop_is_noticed(node: Daemon, tmp_path: Path) -> None:
    node.start(RELEASE_BOOT_SCRIPT="start_held_up", HEART_BEAT_TIMEOUT="2")
    node.until_logged("no sign of life for 2 s: the system is killed")
    wait_for(lambda: (tmp_path / "report").read_text().count("held_up") == 2, node.log)
    node.stop()


UNUSUAL = {
    "closes descriptors": "os.closerange(3, 1000)",
    "becomes another user": "os.setuid(65534)",
    "forks": "os.fork() or time.sleep(600)",
}


@pytest.mark.parametrize("what", UNUSUAL)
def test_programs_that_do_unusual_things_are_not_taken_for_hung(make: MakeDaemon, what: str) -> None:
    if "user" in what and os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    program = f"""
    import os, time
    def main():
        {UNUSUAL[what]}
        time.sleep(3)
        print("through", flush=True)
        time.sleep(60)
    """
    daemon = make(program, **HEART, RELEASE_HEART_TIMEOUT="1").start()
    daemon.until_logged("through")
    assert "no sign of life" not in daemon.log()
    daemon.stop()


@pytest.mark.parametrize(
    ("end", "back"),
    [
        ("sys.exit(3)", True),
        ("raise ValueError('crash')", True),
        ("os.abort()", True),
        ("os.kill(os.getpid(), signal.SIGSEGV)", True),
        ("sys.exit(0)", False),
        ("os.kill(os.getpid(), signal.SIGTERM)", False),
        ("os.kill(os.getpid(), signal.SIGINT)", False),
        ("sys.exit(143)", False),
    ],
)
def test_which_ends_it_comes_back_from(make: MakeDaemon, end: str, back: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a row
    program = f"""
    import os, resource, signal, sys, time
    def main():
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if not os.path.exists({str(tmp_path / "mark")!r}):
            open({str(tmp_path / "mark")!r}, "w").close()
            time.sleep(0.5)
            {end}
        print("second life", flush=True)
        time.sleep(60)
    """
    daemon = make(program, **HEART).start()
    if back:
        daemon.until_logged("second life")
        daemon.stop()
    else:
        wait_for(lambda: not daemon.holder(), daemon.log)
        assert "second life" not in daemon.log()
        assert "started again" not in daemon.log()


def test_a_stop_is_a_stop(make: MakeDaemon) -> None:
    daemon = make(WAITS, **HEART).start()
    processes = daemon.holder()
    os.kill(daemon.system, signal.SIGTERM)
    daemon.gone(*processes)
    assert daemon.log().splitlines()[-1].endswith("the system was ended by SIGTERM")
    assert not (daemon.tmp / "pipe").exists()


@pytest.mark.parametrize("asked", ["keeper", "system"])
def test_one_that_is_killed_while_it_stops_stays_away(node: Daemon, asked: str) -> None:
    node.start(RELEASE_BOOT_SCRIPT="start_slow_stop")
    keeper, system = node.holder()
    os.kill({"keeper": keeper, "system": system}[asked], signal.SIGTERM)
    node.until_logged("SIGTERM received, stopping")
    os.kill(system, signal.SIGKILL)
    node.gone(keeper)
    assert node.log().splitlines()[-1].endswith("the system was ended by SIGKILL")


def test_a_node_that_gives_up_comes_back(node: Daemon, tmp_path: Path) -> None:
    node.start(RELEASE_BOOT_SCRIPT="start_permanent", END="crash", RELEASE_HEART_RESTARTS="2")
    node.until_logged("it is given up after 2 restarts in a row")
    assert (tmp_path / "report").read_text().count("mode up") == 3


def test_back_off_and_limit(make: MakeDaemon) -> None:
    program = "import time, sys\ndef main():\n    time.sleep(0.3)\n    sys.exit(9)"
    daemon = make(program, **HEART, RELEASE_HEART_RESTARTS="3").start()
    keeper = daemon.keeper
    daemon.gone(keeper)
    found = re.findall(
        r"exit code 9: it is (started again in ([\d.]+) s|given up after 3 restarts in a row)", daemon.log()
    )
    assert [delay for _, delay in found] == ["0.05", "0.1", "0.2", ""]
    assert not (daemon.tmp / "pipe").exists()


def test_a_long_life_begins_anew(make: MakeDaemon) -> None:
    daemon = make(WAITS, **HEART, RELEASE_HEART_RESTARTS="1", RELEASE_HEART_STABLE="0").start()
    for number in range(1, 4):
        before = daemon.system
        os.kill(before, signal.SIGKILL)
        daemon.until_another(before)
        daemon.until_logged("the system has started again", number)
    assert daemon.log().count("(restart 1 of 1 in a row)") == 3
    daemon.stop()


def test_a_stop_while_it_waits_for_the_next_start(make: MakeDaemon) -> None:
    daemon = make(WAITS, RELEASE_HEART="yes", RELEASE_HEART_DELAY="60").start()
    keeper = daemon.keeper
    os.kill(daemon.system, signal.SIGKILL)
    daemon.until_logged("it is started again in 60 s")
    os.kill(keeper, signal.SIGTERM)
    daemon.gone(keeper)
    assert daemon.log().splitlines()[-1].endswith("the system is not started again: a stop was asked for")


def test_what_it_left_behind_is_ended_first(make: MakeDaemon) -> None:
    program = """
    import os, time
    def main():
        if not os.fork():
            print("child", os.getpid(), flush=True)
            time.sleep(600)
        time.sleep(600)
    """
    daemon = make(program, **HEART).start()
    daemon.until_logged("child")
    child = int(daemon.log().split("child ")[1].split()[0])
    os.kill(daemon.system, signal.SIGKILL)
    daemon.until_logged("child", 2)
    daemon.gone(child)
    daemon.stop()


def test_what_never_started_is_not_brought_back(make: MakeDaemon) -> None:
    done = make("def main(): raise ValueError('broken')", **HEART).run("daemon")
    assert done.returncode == 1
    assert done.stderr.count("ValueError: broken") == 1
    assert "did not start: it ended with exit code 1" in done.stderr


def test_a_restart_keeps_process_keeper_and_command(node: Daemon, tmp_path: Path) -> None:
    node.start(RELEASE_BOOT_SCRIPT="start_asking", WISH="restart")
    report = tmp_path / "report"
    wait_for(lambda: report.exists() and report.read_text().count('"what": "asking"') == 2, node.log)
    keeper, system = node.holder()
    assert report.read_text().count(f'"pid": {system}') == 2
    assert report.read_text().count('"mode": "embedded"') == 2
    os.kill(system, signal.SIGKILL)
    wait_for(lambda: report.read_text().count('"what": "asking"') == 3, node.log)
    assert node.keeper == keeper
    node.stop()


@pytest.mark.parametrize(
    ("variable", "value", "limits"),
    [
        ("RELEASE_HEART_TIMEOUT", "soon", "seconds from 1 to 65535"),
        ("HEART_BEAT_TIMEOUT", "0", "seconds from 1 to 65535"),
        ("RELEASE_HEART_RESTARTS", "-1", "restarts from 0 to 1000000"),
        ("RELEASE_HEART_DELAY", "nan", "seconds from 0 to 60"),
    ],
)
@pytest.mark.parametrize("command", ["daemon", "start"])
def test_bad_values(make: MakeDaemon, command: str, variable: str, value: str, limits: str) -> None:
    done = make(WAITS, RELEASE_HEART="1").run(command, **{variable: value})
    assert (done.returncode, done.stderr) == (
        1,
        f"ERROR: {variable} is '{value}': set it to a number of {limits}\n",
    )


def test_in_the_foreground(nodes: Nodes, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(30)
        tmp = tmp_path / "tmp"
        node = nodes.start(
            "shapes", "word", wrap=None, **HEART, RELEASE_TMP=str(tmp), NOTIFY_SOCKET=str(tmp_path / "notify")
        )
        assert channel.recv(100) == b"READY=1"
        keeper, system = map(int, (tmp / "pipe" / "applications.lock").read_text().split()[:2])
        assert keeper == node.process.pid
        node.until("function up")  # a function counts as started when it is called
        os.kill(system, signal.SIGKILL)
        wait_for(lambda: node.said().count("function up") == 2)
        assert [line["argv"] for line in node.lines() if line["what"] == "context up"] == [["word"]] * 2
        code, err = node.stop()
    assert code == 0
    assert (
        "heart: the system was ended by SIGKILL: it is started again in 0.05 s (restart 1 of 10 in a row)\n"
        in err
    )
    assert not (tmp / "log").exists()
    assert not (tmp / "pipe").exists()


@pytest.mark.parametrize(
    ("end", "code"),
    [("return 0", 0), ("return print('out')", 0), ("sys.exit(7)", 7), ("os.kill(os.getpid(), 9)", 137)],
)
def test_the_foreground_ends_as_the_system_did(make: MakeDaemon, end: str, code: int) -> None:
    done = make(f"import os, sys, time\ndef main(): {end}", **HEART).run("start")
    assert (done.returncode, done.stderr) == (code, "")
    assert done.stdout == ("out\n" if "out" in end else "")


def test_ctrl_c_in_the_foreground_comes_once(make: MakeDaemon) -> None:
    program = """
    import signal, time
    def main():
        count = [0]
        signal.signal(signal.SIGINT, lambda *_: count.append(1))
        print("ready", flush=True)
        while len(count) < 2: time.sleep(0.05)
        time.sleep(0.3)
        print("signals:", len(count) - 1, flush=True)
        return 5
    """
    daemon = make(program, **HEART)
    with Terminal([str(daemon.launcher), "start"], daemon.launcher.parent, daemon.environment()) as terminal:
        terminal.expect("ready")
        terminal.send(CTRL_C)
        terminal.expect("signals: 1")
        assert terminal.finish() == 5


def test_an_outer_supervisor_hears_of_it(nodes: Nodes, tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as channel:
        channel.bind(str(tmp_path / "notify"))
        channel.settimeout(30)
        node = nodes.start(
            "all_async",
            wrap=None,
            **HEART,
            NOTIFY_SOCKET=str(tmp_path / "notify"),
            RELEASE_HEART_TIMEOUT="1",
            RELEASE_TMP=str(tmp_path / "tmp"),
        )
        heard = [channel.recv(100)]
        while heard.count(b"WATCHDOG=1") < 3 or b"READY=1" not in heard:
            heard.append(channel.recv(100))
        assert heard.count(b"READY=1") == 1
        assert node.signal(signal.SIGTERM).end()[0] == 0
        told = channel.recv(100)
        while told == b"WATCHDOG=1":
            told = channel.recv(100)
        assert told == b"STOPPING=1"


def test_as_process_1_it_is_init(nodes: Nodes, tmp_path: Path) -> None:
    bwrap = "/usr/bin/bwrap"
    if not os.access(bwrap, os.X_OK):
        pytest.skip("needs bubblewrap")
    own = [bwrap, "--dev-bind", "/", "/", "--unshare-pid", "--as-pid-1", "--proc", "/proc"]
    node = nodes.start("child", wrap=own, **HEART, RELEASE_TMP=str(tmp_path / "tmp")).until("child up")
    children = f"cat /proc/{node.process.pid}/task/*/children"
    done = subprocess.run(
        ["/bin/sh", "-c", children], env=clean_environment(), capture_output=True, text=True, check=True
    )
    os.kill(int(done.stdout.split()[0]), signal.SIGTERM)
    assert node.end()[0] == 0
    assert node.said()[-1] == "context down"
