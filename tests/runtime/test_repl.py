"""`start_repl` on a real terminal, and without one."""

from __future__ import annotations

import os
import pty
import select
import signal
import subprocess
import termios
import textwrap
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.projects import clean_environment
from tests.runtime.probe import Probe, call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SERVICE = """
    import signal, threading
    stop = threading.Event()
    answer = 42
    def main():
        signal.signal(signal.SIGTERM, lambda *_: stop.set())
        print('serving')
        while not stop.wait(0.05): pass
        print('stopped well')
        return 3
"""
SLEEPER = """
    import time
    def main():
        while True: time.sleep(0.05)
"""
BRIEF = """
    import time
    def main():
        time.sleep(1)
        print('ends by itself')
"""


class Session:
    """A process on a terminal of its own."""

    def __init__(self, probe: Probe, program: str) -> None:
        self.terminal, self._inside = pty.openpty()
        self.process = subprocess.Popen(
            [str(probe.launcher), "start_repl"],
            env=clean_environment(PROGRAM=textwrap.dedent(program), TERM="dumb", INPUTRC="/dev/null"),
            stdin=self._inside,
            stdout=self._inside,
            stderr=self._inside,
            start_new_session=True,
        )
        self.shown = ""

    def settings(self) -> list[Any]:
        """How the terminal is set."""
        return termios.tcgetattr(self._inside)

    def wait_for(self, text: str, seconds: float = 20) -> str:
        """Read until `text` is shown; give what was shown since the last time."""
        self._read_until(text, seconds)
        before, _, self.shown = self.shown.partition(text)
        return before + text

    def wait_for_start(self) -> str:
        """Read until the service runs and the first prompt is there, in whatever order."""
        self._read_until("serving", 20)
        self._read_until(">>> ", 20)
        shown, self.shown = self.shown, ""
        return shown

    def _read_until(self, text: str, seconds: float) -> None:
        end = time.monotonic() + seconds
        while text not in self.shown:
            ready, _, _ = select.select([self.terminal], [], [], max(0, end - time.monotonic()))
            assert ready, f"{text!r} was not shown but: {self.shown!r}"
            self.shown += os.read(self.terminal, 4096).decode(errors="replace")

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self.terminal, text.encode())

    def end(self) -> tuple[int, str]:
        """Exit code, and all that was shown until the end."""
        end = time.monotonic() + 20
        while self.process.poll() is None or select.select([self.terminal], [], [], 0)[0]:
            assert time.monotonic() < end, f"still running, and showed: {self.shown!r}"
            if select.select([self.terminal], [], [], 0.05)[0]:
                self.shown += os.read(self.terminal, 4096).decode(errors="replace")
        return self.process.returncode, self.shown

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.terminal)
        os.close(self._inside)


@pytest.fixture
def session(each_probe: Probe) -> Iterator[Session]:
    """A service with a REPL beside it, at its first prompt."""
    opened = Session(each_probe, SERVICE)
    try:
        banner = opened.wait_for_start()
        assert "probe 1.2.0 on Python " + each_probe.minor in banner
        yield opened
    finally:
        opened.close()


def test_session(session: Session) -> None:
    session.type("1 + 1\n")
    assert "\n2\r\n" in session.wait_for(">>> ")
    session.type("import program, threading\n")
    session.wait_for(">>> ")
    session.type("program.answer\n")
    assert "\n42\r\n" in session.wait_for(">>> ")
    session.type("for n in range(2):\n")
    session.wait_for("... ")
    session.type("    print('line', n)\n")
    session.wait_for("... ")
    session.type("\n")
    assert "line 0\r\nline 1\r\n" in session.wait_for(">>> ")
    session.type("import asyncio\n")
    session.wait_for(">>> ")
    session.type("await asyncio.sleep(0, 'awaited')\n")
    assert "'awaited'" in session.wait_for("\r\n>>> ")
    session.type("1 / 0\n")
    assert "ZeroDivisionError: division by zero" in session.wait_for("\r\n>>> ")
    session.type("await asyncio.sleep(1 / 0)\n")
    assert "ZeroDivisionError: division by zero" in session.wait_for("\r\n>>> ")
    session.type("x = = 1\n")
    assert "SyntaxError" in session.wait_for("\r\n>>> ")
    session.type("\x04")
    code, shown = session.end()
    assert (code, shown.count("stopped well"), "Traceback" in shown) == (3, 1, False)


@pytest.mark.parametrize("leave", ["exit()\n", "quit()\n", "exit(5)\n", "raise SystemExit\n", "\x04"])
def test_leaving_stops_the_system(probe: Probe, leave: str) -> None:
    session = Session(probe, SERVICE)
    try:
        settings = session.settings()
        session.wait_for_start()
        session.type(leave)
        code, shown = session.end()
        assert code == 3
        assert "stopped well" in shown
        assert "Error" not in shown
        assert session.settings() == settings
    finally:
        session.close()


def test_system_without_a_handler_stops_quietly(each_probe: Probe) -> None:
    session = Session(each_probe, SLEEPER)
    try:
        session.wait_for(">>> ")
        session.type("\x04")
        code, shown = session.end()
        assert (code, "Traceback" in shown) == (0, False)
    finally:
        session.close()


def test_system_that_ends_by_itself_gives_the_terminal_back(each_probe: Probe) -> None:
    session = Session(each_probe, BRIEF)
    try:
        settings = session.settings()
        session.wait_for(">>> ")
        session.type("half a li")
        code, shown = session.end()
        assert code == 0
        assert "ends by itself" in shown
        assert session.settings() == settings
    finally:
        session.close()


def test_interrupt_is_the_system_s(probe: Probe) -> None:
    session = Session(probe, SLEEPER)
    try:
        settings = session.settings()
        session.wait_for(">>> ")
        session.process.send_signal(signal.SIGINT)
        code, shown = session.end()
        assert code == -signal.SIGINT
        assert "KeyboardInterrupt" in shown
        assert session.settings() == settings
    finally:
        session.close()


SCRIPTED = """
    import threading
    done = threading.Event()
    def main():
        print('finished', done.wait(20))
        return 4
"""
# The system ends a moment later, so that the script is through by then.
FINISH = """import sys, threading, time
while not hasattr(sys.modules.get('program'), 'main'): time.sleep(0.01)
threading.Timer(0.5, lambda: sys.modules['program'].done.set()).start()
"""


@pytest.mark.parametrize(
    ("text", "output", "errors"),
    [
        ("for n in range(2):\n    print(n)\n", "0\n1\n", []),
        ("import asyncio\nprint(await asyncio.sleep(0, 7))", "7\n", []),
        ("print(probe.tools.double(2))", "4\n", []),
        (
            "raise ValueError('in the script')",
            "",
            [
                "Traceback (most recent call last):",
                '  File "<eval>", line 4, in <module>',
                "ValueError: in the script",
            ],
        ),
        ("raise SystemExit(9)", "", []),
        ("1 + 1\n", "", []),
    ],
)
def test_without_a_terminal_input_is_a_script(
    each_probe: Probe, text: str, output: str, errors: list[str], tmp_path: Path
) -> None:
    script = tmp_path / "script"
    script.write_text(FINISH + text)
    with script.open() as stream:
        done = call([each_probe.launcher, "start_repl"], SCRIPTED, stdin=stream)
    assert (done.returncode, done.stdout) == (4, f"{output}finished True\n")
    assert [line for line in done.stderr.splitlines() if not line.startswith("    ")] == errors


def test_without_any_input(probe: Probe) -> None:
    program = "def main(): print('runs')"
    for closed in ("< /dev/null", "<&-"):
        done = call(["/bin/sh", "-c", f"'{probe.launcher}' start_repl {closed}"], program)
        assert (done.returncode, done.stdout, done.stderr) == (0, "runs\n", "")
