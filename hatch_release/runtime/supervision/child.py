"""Applications that are child processes: each in a session of its own, stopped with all that it started."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from ..errors import ReleaseError
from . import systemd
from .running import Running, settle

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from concurrent.futures import Future
    from typing import Any

    from ..importer import IndexFinder

_PR_SET_PDEATHSIG = 1
_STOPPED = (-signal.SIGTERM, -signal.SIGKILL, 128 + signal.SIGTERM)
"""How a child ends that was told to."""
_PAUSE = 0.05
"""Seconds between two looks whether a child is ready."""
_ANSWER = 10.0
"""Seconds that one run of a readiness command may take."""


class ExitError(ReleaseError):
    """A child process ended by itself with an exit status other than 0."""


class Child(Running):
    """A child process."""

    process: subprocess.Popen[bytes]
    _asked = False

    def begin(self) -> None:
        """Start the process, and a thread that waits for its end."""
        try:
            self._asked = False
            self.process = _spawn(command_line(self.spec["command"], self.host.finder))
        except OSError as error:
            self.ended.set_result(None)
            raise ReleaseError(f"{self.spec['command'][0]} can't be run: {error.strerror}") from error
        threading.Thread(target=self._wait, name=self.name, daemon=True).start()
        # Its own futures: it may still look for an answer when the child is started again.
        readiness = (self.ready, self.ended)
        threading.Thread(
            target=self._await_answer, args=readiness, name=f"{self.name} readiness", daemon=True
        ).start()

    def _wait(self) -> None:
        code = self.process.wait()
        _kill_group(self.process.pid)
        self.become_ready(ExitError(_told(code)))
        if code and not (self._asked and code in _STOPPED):
            self.ended.set_exception(ExitError(_told(code)))
        else:
            self.ended.set_result(None)

    def _await_answer(self, ready: Future[None], ended: Future[Any]) -> None:
        wanted = self.spec["ready"]
        end = time.monotonic() + float(wanted.get("seconds", 0))
        while wanted and not _answers(wanted, self.host.finder):
            if ended.done():
                return
            if time.monotonic() > end:
                reason = f"{_what(wanted)} did not answer within {wanted['seconds']:g} seconds"
                settle(ready, ReleaseError(reason))
                return
            time.sleep(_PAUSE)
        settle(ready)

    def ask(self) -> None:
        """Send SIGTERM."""
        self._asked = True
        self.process.send_signal(signal.SIGTERM)

    def cancel(self) -> None:
        """Kill it."""
        self._asked = True
        self.process.kill()


def command_line(command: Sequence[str], finder: IndexFinder | None) -> list[str]:
    """The words to execute: a console script of the release runs inside it; other programs are looked for.

    Args:
        command: As configured. A relative path with a slash is meant from the release's root.
        finder: Serves the release; None outside of one.
    """
    name, *arguments = command
    if finder is not None:
        payload = finder.release_payload
        if name in payload["scripts"]:
            clean = f"{finder.release_root}/releases/{payload['version']}/start_clean.boot"
            return [sys.executable, *_options(), clean, "run", name, *arguments]
        if "/" in name and not name.startswith("/"):
            return [f"{finder.release_root}/{name}", *arguments]
    return [shutil.which(name) or name, *arguments]


def _options() -> list[str]:
    """The interpreter's options of this process (`vm.args`), which precede the boot file."""
    words = sys.orig_argv[1:]
    place = next((number for number, word in enumerate(words) if word.endswith(".boot")), None)
    return ["-I", "-S"] if place is None else words[:place]


def _spawn(command: list[str]) -> subprocess.Popen[bytes]:
    """Start a process that dies with this one, and gets its listening sockets."""
    sockets = systemd.listening()
    if sockets:  # LISTEN_PID has to be that of the new process
        command = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *command]
    library = ctypes.CDLL(None)
    parent = os.getpid()

    def die_with_parent() -> None:
        library.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:
            os._exit(1)

    return subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        pass_fds=sockets,
        start_new_session=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 - it calls the kernel and nothing else
    )


def _answers(wanted: dict[str, Any], finder: IndexFinder | None) -> bool:
    """Whether a child answers: at its port, or by its command."""
    if "port" in wanted:
        import socket

        with contextlib.suppress(OSError), socket.create_connection(("localhost", wanted["port"]), 1):
            return True
        return False
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        command = command_line(wanted["command"], finder)
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, timeout=_ANSWER, check=False
        )
        return done.returncode == 0
    return False


def _what(wanted: dict[str, Any]) -> str:
    return f"port {wanted['port']}" if "port" in wanted else " ".join(wanted["command"])


def _kill_group(pid: int) -> None:
    """End what a child has left behind in its session."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGTERM)
        time.sleep(_PAUSE)
        os.killpg(pid, signal.SIGKILL)


def _told(code: int) -> str:
    """An exit status in words."""
    if code < 0:
        return f"it was ended by {signal.Signals(-code).name}"
    return f"it ended with exit code {code}"
