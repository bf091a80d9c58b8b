"""`attach`: a terminal is connected with that of a daemon."""

from __future__ import annotations

import fcntl
import os
import socket
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.runtime.daemons import WAITS, Daemon
from tests.runtime.nodes import alive, wait_for
from tests.terminals import CTRL_C, CTRL_D, Terminal

if TYPE_CHECKING:
    from tests.runtime.daemons import MakeDaemon
    from tests.runtime.probe import Probe

ECHOES = """
import sys
def main():
    print("ready to listen", flush=True)
    for line in sys.stdin:
        print("heard", line.strip()[::-1], flush=True)
"""
TALKS = """
import time
def main():
    number = 0
    while True:
        number += 1
        print(f"line {number} " + "x" * 1000, flush=True)
"""


class Attached(Terminal):
    """A terminal on which `attach` runs."""

    def __init__(self, daemon: Daemon) -> None:
        super().__init__([str(daemon.launcher), "attach"], daemon.launcher.parent, daemon.environment())

    def resize(self, rows: int, columns: int) -> None:
        """Give the terminal another size, as when a window is pulled larger."""
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def settings(self) -> list[Any]:
        """How the terminal is set."""
        return termios.tcgetattr(self._master)


def test_typing_and_leaving(each_probe: Probe, make: MakeDaemon) -> None:
    daemon = make(ECHOES, each_probe).start()
    with Attached(daemon) as terminal:
        terminal.expect("[attached to probe, ^D leaves it]")
        terminal.expect("ready to listen")
        before = terminal.settings()
        terminal.send("stressed\r")
        terminal.expect("heard desserts")
        terminal.send(CTRL_D)
        assert terminal.finish() == 0
        assert "[left probe, which goes on]" in terminal.output
        assert terminal.settings() != before, "the terminal was not put back"
    assert alive(daemon.system)
    assert "heard desserts\n" in daemon.log()
    daemon.stop()


def test_keys_that_are_signals_elsewhere_don_t_stop_it(make: MakeDaemon) -> None:
    daemon = make(WAITS).start()
    with Attached(daemon) as terminal:
        terminal.expect("here I am")
        for key in (CTRL_C, "\x1c", "\x1a", "\x13"):
            terminal.send(key)
        terminal.send(CTRL_D)
        assert terminal.finish() == 0
    assert alive(daemon.system)
    daemon.stop()


def test_several_see_and_type(make: MakeDaemon) -> None:
    daemon = make(ECHOES).start()
    with Attached(daemon) as one, Attached(daemon) as other:
        one.expect("ready to listen")
        other.expect("ready to listen")
        one.send("abc\r")
        other.expect("heard cba")
        other.send("xyz\r")
        one.expect("heard zyx")
        one.send(CTRL_D)
        assert one.finish() == 0
        other.send("123\r")
        other.expect("heard 321")


def test_the_end_of_the_system_is_told(make: MakeDaemon) -> None:
    daemon = make(WAITS).start()
    with Attached(daemon) as terminal:
        terminal.expect("here I am")
        daemon.stop()
        assert terminal.finish() == 0
        assert "[probe has ended]" in terminal.output


def test_without_a_daemon(probe: Probe, tmp_path: Path) -> None:
    done = Daemon(probe.launcher, tmp_path).run("attach")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "ERROR: probe does not run as a daemon: "
        f"nobody answers at {tmp_path / 'tmp' / 'pipe' / 'probe.attach'} (No such file or directory)\n"
    )


def test_without_a_terminal_input_is_handed_on(make: MakeDaemon) -> None:
    daemon = make(ECHOES).start()
    done = subprocess.run(
        [daemon.launcher, "attach"],
        input="olleh\n",
        env=daemon.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "heard hello\n" in done.stdout
    assert done.stderr == ""


def test_the_repl_of_a_daemon(each_probe: Probe, make: MakeDaemon) -> None:
    daemon = make(WAITS, each_probe).start(command="daemon_repl")
    with Attached(daemon) as terminal:
        terminal.expect("^D leaves the terminal")
        terminal.expect(">>> ")
        terminal.send("6 * 7\r")
        terminal.expect("42")
        terminal.send("exit()\r")
        terminal.send("7 * 7\r")
        terminal.expect("49")
        terminal.resize(33, 77)
        terminal.send("import os; tuple(os.get_terminal_size())\r")
        terminal.expect("(77, 33)")
        terminal.send(CTRL_D)
        assert terminal.finish() == 0
    assert alive(daemon.system)
    daemon.stop()


def test_one_who_doesn_t_read_holds_nobody_up(make: MakeDaemon) -> None:
    daemon = make(TALKS).start()
    with socket.socket(socket.AF_UNIX) as lazy:
        lazy.connect(str(daemon.tmp / "pipe" / "probe.attach"))
        seen = daemon.run("logs", "-n", "1").stdout
        wait_for(lambda: daemon.run("logs", "-n", "1").stdout != seen)
        lazy.settimeout(60)
        deadline = time.monotonic() + 60
        time.sleep(1)
        while lazy.recv(1 << 16):
            assert time.monotonic() < deadline
    assert alive(daemon.keeper)
    daemon.stop()


@pytest.mark.parametrize(
    "nonsense", [b"GET / HTTP/1.0\r\n\r\n", b"d\xff\xff", b"w\x00\x02ab", b"d", bytes(range(100))]
)
def test_nonsense_is_shown_the_door(make: Any, nonsense: bytes) -> None:  # noqa: ANN401 - as above
    daemon = make(WAITS).start()
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(str(daemon.tmp / "pipe" / "probe.attach"))
        visitor.sendall(nonsense)
        visitor.shutdown(socket.SHUT_WR)
        visitor.settimeout(60)
        while visitor.recv(1 << 16):
            pass
    assert alive(daemon.keeper)
    daemon.stop()


def test_more_than_enough_are_refused(make: MakeDaemon) -> None:
    daemon = make(WAITS).start()
    path = str(daemon.tmp / "pipe" / "probe.attach")
    several = [socket.socket(socket.AF_UNIX) for _ in range(17)]
    try:
        for each in several:
            each.settimeout(60)
            each.connect(path)
            assert each.recv(100)
        several[-1].settimeout(60)
    finally:
        last = several[-1].recv(100)
        for each in several:
            each.close()
    assert last == b""
    daemon.stop()


def test_what_was_typed_and_not_read_stops_nobody(make: MakeDaemon) -> None:
    daemon = make(WAITS).start()
    with socket.socket(socket.AF_UNIX) as visitor:
        visitor.connect(str(daemon.tmp / "pipe" / "probe.attach"))
        visitor.settimeout(0)
        sent = 0
        try:
            while sent < 10_000_000:
                sent += visitor.send(b"d\x00\x04abcd" * 1000)
        except BlockingIOError:
            pass
        assert alive(daemon.keeper)
        daemon.stop()


def test_only_its_owner_may(make: MakeDaemon) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can be somebody else")
    daemon = make(WAITS).start()
    pipes = daemon.tmp / "pipe"
    pipes.chmod(0o777)
    (pipes / "probe.attach").chmod(0o777)
    for directory in [daemon.tmp, *daemon.tmp.parents][:-1]:
        if directory.stat().st_mode & 0o001 == 0:
            directory.chmod(directory.stat().st_mode | 0o001)
    code = (
        "import os, socket, sys; os.setuid(65534); s = socket.socket(socket.AF_UNIX);"
        "s.connect(sys.argv[1]); print(s.recv(9))"
    )
    done = subprocess.run(
        ["/usr/bin/env", "python3", "-c", code, str(pipes / "probe.attach")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout in {"b''\n", ""}, done
    assert Path(f"/proc/{daemon.keeper}").exists()
    daemon.stop()
