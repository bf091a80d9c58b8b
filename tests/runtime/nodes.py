"""Running nodes of the fixture `applications`: each started by one of its boot scripts, read by what it wrote down."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.conftest import copy_fixture
from tests.projects import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable

LONGEST = 30.0


def copy_with_free_ports(name: str, directory: Path) -> Path:
    """A copy of the fixture `name` below `directory` whose ports (185xx) are ones that nobody uses."""
    project = copy_fixture(name, directory)
    ports: dict[str, str] = {}
    with contextlib.ExitStack() as reserved:
        for file in (*project.rglob("*.py"), project / "pyproject.toml"):
            text = file.read_text("utf-8")
            for port in re.findall(r"\b185\d\d\b", text):
                if port not in ports:
                    server = reserved.enter_context(socket.create_server(("localhost", 0)))
                    ports[port] = str(server.getsockname()[1])
            file.write_text(re.sub(r"\b185\d\d\b", lambda found: ports[found[0]], text), "utf-8")
    return project


@dataclass
class Node:
    """A node that was started."""

    root: Path
    report: Path
    process: subprocess.Popen[str]
    err: str = field(default="", init=False)

    def lines(self) -> list[dict[str, Any]]:
        """What its applications have written down."""
        if not self.report.exists():
            return []
        return [json.loads(line) for line in self.report.read_text("utf-8").splitlines()]

    def said(self) -> list[str]:
        """The same in short."""
        return [line["what"] for line in self.lines()]

    def line(self, what: str) -> dict[str, Any]:
        """One of the lines."""
        return next(line for line in self.lines() if line["what"] == what)

    def until(self, *what: str) -> Node:
        """Wait until all of `what` has been written down."""
        wait_for(lambda: {*what} <= {*self.said()}, lambda: f"{self.said()} {self.end(kill=True)}")
        return self

    def signal(self, number: int) -> Node:
        """Send a signal."""
        self.process.send_signal(number)
        return self

    def end(self, *, kill: bool = False) -> tuple[int, str]:
        """Wait for the end: exit code and what it said on standard error."""
        if kill:
            self.process.kill()
        try:
            _out, self.err = self.process.communicate(timeout=5 if kill else LONGEST)
        except subprocess.TimeoutExpired as error:
            if not kill:
                raise
            self.err = (error.stderr or b"").decode("utf-8", "replace")  # what is left holds the pipe
        return self.process.returncode or 0, self.err

    def stop(self) -> tuple[int, str]:
        """SIGTERM, and the end."""
        return self.signal(signal.SIGTERM).end()


@dataclass
class Nodes:
    """Starts nodes; those that a test leaves are killed."""

    root: Path
    directory: Path
    started: list[Node] = field(default_factory=list)

    def start(self, script: str, *arguments: str, wrap: list[str] | None = None, **environment: str) -> Node:
        """Start by the boot script `start_SCRIPT`; `wrap` is put in front of the command."""
        report = self.directory / f"report-{len(self.started)}"
        variables = {"REPORT": str(report), "RELEASE_BOOT_SCRIPT": f"start_{script}", **environment}
        sockets = (3,) if "LISTEN_FDS" in environment else ()
        process = subprocess.Popen(
            [*(wrap or ()), str(self.root / "bin" / "applications"), "start", *arguments],
            env=clean_environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=sockets,
        )
        node = Node(self.root, report, process)
        self.started.append(node)
        return node

    def kill(self) -> None:
        """Leave nothing behind."""
        for node in self.started:
            if node.process.poll() is None:
                os.killpg(node.process.pid, signal.SIGKILL)
            node.process.wait()
            if node.process.stderr:
                node.process.stderr.close()


def wait_for(
    condition: Callable[[], bool], told: Callable[[], str] = str, *, seconds: float = LONGEST
) -> None:
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, told()
        time.sleep(0.01)


def alive(pid: int) -> bool:
    """Whether a process runs (and is no zombie)."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False
