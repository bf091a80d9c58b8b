"""Daemons in trouble: processes that are killed at any moment, disks that fill up, and much to write down."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.disks import mounted
from tests.runtime.daemons import WAITS, Daemon
from tests.runtime.nodes import alive, wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.runtime.daemons import MakeDaemon
    from tests.runtime.probe import Probe

SLOW = """
import os, time
print("importing", flush=True)
while not os.path.exists(os.environ["GO"]): time.sleep(0.02)
def main():
    print("here I am", flush=True)
    time.sleep(600)
"""
HEARTS = pytest.mark.parametrize("heart", ["", "1"], ids=["without heart", "with heart"])


@pytest.fixture
def node(applications: Path, tmp_path: Path) -> Iterator[Daemon]:
    """A daemon of the fixture `applications`, not started yet."""
    daemon = Daemon(applications, tmp_path, {"REPORT": str(tmp_path / "report")})
    yield daemon
    daemon.kill()


@HEARTS
@pytest.mark.parametrize("who", ["keeper", "system", "command"])
def test_killed_while_it_starts(make: MakeDaemon, tmp_path: Path, who: str, heart: str) -> None:
    daemon = make(SLOW, GO=str(tmp_path / "go"), RELEASE_HEART=heart)
    with daemon.begin("daemon") as process:
        daemon.until_logged("importing")
        keeper, system = daemon.holder()
        os.kill({"keeper": keeper, "system": system, "command": process.pid}[who], signal.SIGKILL)
        if who == "command":
            (tmp_path / "go").touch()
            daemon.until_logged("here I am")
            daemon.stop()
            return
        error = process.communicate(timeout=60)[1]
    reason = {"keeper": "its keeper was killed", "system": "it was ended by SIGKILL"}[who]
    assert process.returncode == 1
    assert error.splitlines()[-1] == f"ERROR: probe did not start: {reason}; its log is in {daemon.tmp}/log"
    daemon.gone(keeper, system)
    (tmp_path / "go").touch()
    daemon.start().stop()


@HEARTS
def test_a_killed_keeper_takes_the_system_with_it_in_order(node: Daemon, tmp_path: Path, heart: str) -> None:
    node.start(RELEASE_BOOT_SCRIPT="start_slow_stop", RELEASE_HEART=heart)
    keeper, system = node.holder()
    os.kill(keeper, signal.SIGKILL)
    report = tmp_path / "report"
    wait_for(lambda: "slow_stop asked" in report.read_text())
    done = node.run("daemon", RELEASE_BOOT_SCRIPT="start_shapes")
    assert done.returncode == 1
    assert done.stderr == (
        f"ERROR: applications still runs as process {system} though its keeper is gone: "
        "wait until it has ended, or kill it\n"
    )
    (tmp_path / "report.go").touch()
    node.gone(system)
    assert report.read_text().count("context down") == 1
    node.start(RELEASE_BOOT_SCRIPT="start_shapes").stop()


@pytest.mark.parametrize(
    "program",
    [WAITS, WAITS.replace("def main():", "import signal\ndef main():\n    signal.signal(1, print)")],
)
def test_a_program_ends_with_a_killed_keeper(each_probe: Probe, make: MakeDaemon, program: str) -> None:
    daemon = make(program, each_probe).start()
    keeper, system = daemon.holder()
    os.kill(keeper, signal.SIGKILL)
    daemon.gone(keeper, system)
    daemon.start().stop()


def test_a_killed_system_ends_the_daemon(make: MakeDaemon) -> None:
    daemon = make(WAITS).start()
    keeper, system = daemon.holder()
    os.kill(system, signal.SIGKILL)
    daemon.gone(keeper)
    assert daemon.log().splitlines()[-1].endswith("the system was ended by SIGKILL")
    assert not (daemon.tmp / "pipe").exists()


def test_the_keeper_is_killed_while_the_system_stops(node: Daemon, tmp_path: Path) -> None:
    node.start(RELEASE_BOOT_SCRIPT="start_slow_stop")
    keeper, system = node.holder()
    os.kill(keeper, signal.SIGTERM)
    wait_for(lambda: "slow_stop asked" in (tmp_path / "report").read_text())
    os.kill(keeper, signal.SIGKILL)
    (tmp_path / "report.go").touch()
    node.gone(system)
    assert "context down" in (tmp_path / "report").read_text()
    node.start(RELEASE_BOOT_SCRIPT="start_shapes").stop()


def test_a_hung_application_is_given_up_at_stop(node: Daemon) -> None:
    node.start(RELEASE_BOOT_SCRIPT="start_stuck")
    node.stop()
    assert "goes on after 0.3 s: it is given up" in node.log()


MUCH = """
import os, sys, threading, time
def main():
    for number in range(int(os.environ["LINES"])):
        sys.stdout.write(f"line {number:>10} {'x' * 82}\\n")
    sys.stdout.flush()
    print("all written", flush=True)
    time.sleep(600)
"""
SHORT = 20
LONG = 1000


@pytest.mark.parametrize("megabytes", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
def test_rotation_loses_nothing_that_it_should_keep(make: MakeDaemon, megabytes: int) -> None:
    size, generations = 2_000_000, 4
    lines = megabytes * 10_000  # of 100 bytes
    variables = {"RELEASE_LOG_MAXSIZE": str(size), "RELEASE_LOG_GENERATIONS": str(generations)}
    daemon = make(MUCH, LINES=str(lines), **variables).start()
    wait_for(lambda: daemon.run("logs", "-n", "1").stdout == "all written\n", seconds=600)
    numbers = [int(number) for number in re.findall(r"^line +(\d+) x{82}$", daemon.log(), re.MULTILINE)]
    assert numbers == list(range(numbers[0], lines))
    assert len(numbers) * 100 > (generations - 2) * (size - 1000)
    sizes = [file.stat().st_size for file in (daemon.tmp / "log").iterdir()]
    assert len(sizes) == generations - 1
    assert max(sizes) <= size + 100
    daemon.stop()


def test_following_sees_every_line(make: MakeDaemon, tmp_path: Path) -> None:
    program = """
    import os, time
    def main():
        while not os.path.exists(os.environ["GO"]): time.sleep(0.02)
        for number in range(5000):
            print("line", number, flush=True)
            time.sleep(0.0002)
        time.sleep(600)
    """
    variables = {"RELEASE_LOG_MAXSIZE": "10000", "GO": str(tmp_path / "go")}
    daemon = make(program, **variables).start()
    with subprocess.Popen(
        [daemon.launcher, "logs", "-f"], env=daemon.environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        seen = [process.stdout.readline()]
        (tmp_path / "go").touch()
        while "line 4999\n" not in seen:
            seen.append(process.stdout.readline())
        process.send_signal(signal.SIGINT)
        assert process.wait(60) in {130, -signal.SIGINT}
    assert [line for line in seen if line.startswith("line")] == [
        f"line {number}\n" for number in range(5000)
    ]
    daemon.stop()


def test_everything_that_writes_is_in_the_log(each_probe: Probe, make: MakeDaemon) -> None:
    program = """
    import io, os, subprocess, sys, threading, time
    def main():
        threads = [threading.Thread(target=print, args=(f"thread {number}",)) for number in range(20)]
        for each in threads: each.start()
        for each in threads: each.join()
        sys.stdout.flush()
        subprocess.run(["/bin/echo", "a program"])
        if not os.fork():
            os.write(1, b"a fork\\n")
            os._exit(0)
        os.wait()
        sys.stdout = io.TextIOWrapper(open(1, "wb", closefd=False), "utf-8", line_buffering=True)
        print("another stream")
        sys.stdout = sys.stderr
        print("standard error")
        sys.stdout = io.StringIO()
        print("nowhere")
        os.write(2, "ü\\n".encode() + bytes(range(256)) + b"\\n")
        os.close(1)
        print("done", file=sys.stderr)
        time.sleep(600)
    """
    daemon = make(program, each_probe).start()
    wait_for(lambda: b"\xff\ndone\n" in _raw(daemon))
    log = _raw(daemon)
    for number in range(20):
        assert b"thread %d\n" % number in log
    assert (
        b"a program\na fork\nanother stream\nstandard error\n\xc3\xbc\n" + bytes(range(256)) + b"\ndone\n"
        in log
    )
    assert b"nowhere" not in log
    daemon.stop()


def _raw(daemon: Daemon) -> bytes:
    return b"".join(file.read_bytes() for file in (daemon.tmp / "log").iterdir())


def test_a_full_disk_holds_nobody_up(make: MakeDaemon, tmp_path: Path) -> None:
    program = """
    import os, sys, time
    def main():
        number = 0
        while True:
            number += 1
            print("line", number, "x" * 200, flush=True)
            with open(os.environ["COUNT"], "w") as file: file.write(str(number))
            time.sleep(0.001)
    """
    count = tmp_path / "count"
    daemon = make(program, COUNT=str(count), RELEASE_LOG_MAXSIZE="30000", RELEASE_HEART="1")

    def goes_on(lines: int) -> None:
        before = int(count.read_text() or 0)
        wait_for(lambda: int(count.read_text() or 0) > before + lines)

    daemon.directory.mkdir()
    with mounted(daemon.tmp, "200k") as disk:
        daemon.start()
        processes = daemon.holder()
        disk.fill()
        goes_on(1000)
        disk.make_room()
        daemon.until_logged("bytes could not be written here: No space left on device")
        assert daemon.holder() == processes
        daemon.stop()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_read_only_release(probe: Probe, tmp_path: Path) -> None:
    with mounted(tmp_path / "read only", "300m") as disk:
        shutil.copytree(probe.root, disk.path / "probe", symlinks=True, ignore=shutil.ignore_patterns("tmp"))
        disk.remount("ro")
        daemon = Daemon(disk.path / "probe" / "bin" / "probe", tmp_path, {"PROGRAM": WAITS})
        done = daemon.run("daemon", RELEASE_TMP="")
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == (
            f"ERROR: cannot write {disk.path / 'probe' / 'tmp'} (Read-only file system): "
            "set RELEASE_TMP to a directory that can be written\n"
        )
        daemon.start()
        assert alive(daemon.system)
        daemon.stop()
