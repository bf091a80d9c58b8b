"""Daemons and the commands that reach a running system."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest

from tests.runtime.daemons import WAITS, Daemon
from tests.runtime.nodes import alive

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.daemons import MakeDaemon
    from tests.runtime.probe import Probe

HEARTS = pytest.mark.parametrize("heart", ["", "1"], ids=["without heart", "with heart"])


@HEARTS
def test_stop_leaves_nothing_and_the_next_can_start_at_once(
    each_probe: Probe, make: MakeDaemon, heart: str
) -> None:
    daemon = make(WAITS, each_probe, RELEASE_HEART=heart)
    for _ in range(3):
        daemon.start()
        keeper, system = daemon.holder()
        assert daemon.run("pid").stdout == f"{system}\n"
        done = daemon.run("stop")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
        assert not alive(system)
        assert not alive(keeper)
        assert not (daemon.tmp / "pipe").exists()
    assert "started again" not in daemon.log()


def test_stop_without_waiting_and_a_start_at_once(make: MakeDaemon) -> None:
    daemon = make(WAITS)
    for _ in range(3):
        daemon.start()
        system = daemon.system
        os.kill(system, signal.SIGTERM)
        daemon.gone(system)
        daemon.start()  # the keeper of the one before may still be about to end
        daemon.stop()


@pytest.mark.parametrize("end", ["sys.exit(3)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_one_that_fails_while_it_is_stopped_stays_away(make: MakeDaemon, end: str) -> None:
    program = f"""
    import os, signal, sys, time
    def main():
        def stop(*_): {end}
        signal.signal(signal.SIGTERM, stop)
        print("here I am", flush=True)
        while True: time.sleep(0.1)
    """
    daemon = make(program, RELEASE_HEART="1").start()
    keeper = daemon.keeper
    assert daemon.run("stop").returncode == 0
    daemon.gone(keeper)
    assert "started again" not in daemon.log()


def test_after_a_restart_heart_works_as_before(each_probe: Probe, make: MakeDaemon) -> None:
    daemon = make(WAITS, each_probe, RELEASE_HEART="1").start("word")
    keeper, system = daemon.holder()
    done = daemon.run("restart")
    assert (done.returncode, done.stderr) == (0, "")
    assert daemon.holder() == [keeper, system]
    daemon.until_logged("here I am word\n", 2)
    os.kill(system, signal.SIGKILL)
    daemon.until_another(system)
    daemon.until_logged("here I am word\n", 3)
    daemon.stop()


def test_rpc_reaches_it_and_its_output_stays_its_own(make: MakeDaemon) -> None:
    daemon = make(WAITS).start()
    done = daemon.run("rpc", "import os; print(os.getpid())")
    assert (done.returncode, done.stdout) == (0, f"{daemon.system}\n")
    assert f"\n{daemon.system}\n" not in daemon.log()
    daemon.stop()


def test_beside_one_in_the_foreground(make: MakeDaemon) -> None:
    daemon = make(WAITS)
    with daemon.begin("start") as process:
        try:
            name = daemon.launcher.name
            done = daemon.run("pid")
            while done.returncode:
                done = daemon.run("pid")
            done = daemon.run("daemon")
            assert done.returncode == 1
            first, last = done.stderr.splitlines()
            assert first.startswith(f"ERROR: the node name {name} is in use")
            assert last.startswith(f"ERROR: {name} did not start: it ended with exit code 1")
        finally:
            process.kill()
            process.communicate()


def test_stop_of_one_in_the_foreground_with_heart(applications: Path, tmp_path: Path) -> None:
    daemon = Daemon(applications, tmp_path, {"RELEASE_HEART": "1", "REPORT": str(tmp_path / "report")})
    with daemon.begin("start", RELEASE_BOOT_SCRIPT="start_shapes") as process:
        while daemon.run("pid").returncode:
            assert process.poll() is None
        assert daemon.run("stop").returncode == 0
        assert process.wait(60) == 0
        assert process.stderr is not None
        assert "heart:" not in process.stderr.read()
