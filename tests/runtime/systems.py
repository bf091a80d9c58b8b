"""Systems that run, and what commands of `bin/NAME` find out about them."""

from __future__ import annotations

import os
import signal
import subprocess
import textwrap
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.projects import Done, clean_environment
from tests.runtime.nodes import LONGEST, alive, wait_for

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SERVER = """
import signal, sys, threading

stop = threading.Event()

def main():
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    print("up", *sys.argv[1:], flush=True)
    while not stop.wait(0.05):
        pass
    print("down", flush=True)
"""
"""A program that ends in order when it is told to."""
LOOP = """
import asyncio, signal, sys

kept = {}

async def serve():
    stop = asyncio.Event()
    kept["loop"] = asyncio.get_running_loop()
    kept["loop"].add_signal_handler(signal.SIGTERM, stop.set)
    print("up", flush=True)
    await stop.wait()
    print("down", flush=True)

def main():
    asyncio.run(serve())
"""
"""A program that lives in an event loop."""


@dataclass
class System:
    """A system that was started, with a directory of its own for what it writes."""

    launcher: Path
    directory: Path
    variables: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What the system and the commands get."""
        return clean_environment(**{"RELEASE_TMP": str(self.directory / "tmp"), **self.variables})

    @property
    def output(self) -> str:
        """What the system itself has written."""
        return (self.directory / "output").read_text("utf-8")

    @property
    def errors(self) -> str:
        """The same of standard error."""
        return (self.directory / "errors").read_text("utf-8")

    @property
    def pid(self) -> int:
        """The process id of the system."""
        assert self.process is not None
        return self.process.pid

    def start(self, program: str = "", *arguments: str, command: str = "start", until: str = "up") -> System:
        """Start it with a program for the probe, and wait until it has written something."""
        if program:
            self.variables["PROGRAM"] = textwrap.dedent(program)
        with (self.directory / "output").open("w") as out, (self.directory / "errors").open("w") as err:
            self.process = subprocess.Popen(
                [self.launcher, command, *arguments],
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                text=True,
            )
        wait_for(lambda: until in self.output, lambda: f"{self.output} {self.errors}")
        return self

    def run(
        self, *arguments: str, stdin: str | None = None, variables: Mapping[str, str] | None = None
    ) -> Done:
        """Run a command."""
        return subprocess.run(
            [self.launcher, *arguments],
            env={**self.environment, **(variables or {})},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    def popen(self, *arguments: str, stdin: int = subprocess.DEVNULL) -> subprocess.Popen[str]:
        """Begin a command."""
        return subprocess.Popen(
            [self.launcher, *arguments],
            env=self.environment,
            stdin=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def rpc(self, code: str, *arguments: str, stdin: str | None = None) -> Done:
        """Run code in it."""
        return self.run("rpc", textwrap.dedent(code), *arguments, stdin=stdin)

    def ask(self, code: str) -> str:
        """What code prints that must succeed."""
        done = self.rpc(code)
        assert (done.returncode, done.stderr) == (0, ""), (done, self.errors)
        return done.stdout.rstrip("\n")

    def end(self) -> int:
        """Wait for its end; the exit code."""
        assert self.process is not None
        return self.process.wait(LONGEST)

    def kill(self) -> None:
        """Leave nothing behind."""
        if self.process is not None:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def lives(self) -> bool:
        """Whether it runs."""
        return alive(self.pid)
