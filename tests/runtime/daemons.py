"""Daemons that tests start: found by what their keepers write down, and never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import textwrap
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.runtime.daemon import log_reader
from hatch_release.runtime.daemon.log_files import LogFiles
from tests.projects import Done, clean_environment, run
from tests.runtime.nodes import alive, wait_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from typing_extensions import Self

    from tests.runtime.probe import Probe

    MakeDaemon = Callable[..., "Daemon"]

WAITS = """
import sys, time
def main():
    print("here I am", *sys.argv[1:], flush=True)
    while True: time.sleep(0.1)
"""
"""A program that does nothing."""


@dataclass
class Daemon:
    """A release that is run as a daemon, with a directory of its own for what it writes."""

    launcher: Path
    directory: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def tmp(self) -> Path:
        """RELEASE_TMP."""
        return self.directory / "tmp"

    @property
    def name(self) -> str:
        """What its files are named after."""
        return self.variables.get("RELEASE_NODE", self.launcher.name)

    def environment(self, **more: str) -> dict[str, str]:
        """What its commands are run with."""
        return clean_environment(**{"RELEASE_TMP": str(self.tmp), **self.variables, **more})

    def begin(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Run a command of `bin/NAME`, and don't wait for its end."""
        return subprocess.Popen(
            [str(self.launcher), *arguments],
            env=self.environment(**variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **variables: str) -> Done:
        """Run a command of `bin/NAME`."""
        every = {"RELEASE_TMP": str(self.tmp), **self.variables, **variables}
        return run(self.launcher, *arguments, cwd=None, **every)

    def start(self, *arguments: str, command: str = "daemon", **variables: str) -> Daemon:
        """Start it, which must succeed in silence."""
        done = self.run(command, *arguments, **variables)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), (done, self.log())
        return self

    def holder(self) -> list[int]:
        """The process ids of keeper and system; empty when there are none."""
        try:
            return [int(word) for word in (self.tmp / "pipe" / f"{self.name}.lock").read_text().split()[:2]]
        except FileNotFoundError:
            return []

    @property
    def keeper(self) -> int:
        """The keeper's process id."""
        return self.holder()[0]

    @property
    def system(self) -> int:
        """The system's process id."""
        return self.holder()[1]

    def until_another(self, before: int) -> int:
        """Wait until the system is another process that has started; its process id."""
        # Read once each time: the file is being written anew.
        wait_for(lambda: len(found := self.holder()) > 1 and found[1] != before, self.log)
        return self.system

    def log(self) -> str:
        """All that is in its log."""
        files = LogFiles(str(self.tmp / "log"), self.name)
        return b"".join(log_reader.read(files, follow=False)).decode("utf-8", "replace")

    def until_logged(self, text: str, times: int = 1) -> None:
        """Wait until something is in the log."""
        wait_for(lambda: self.log().count(text) >= times, self.log)

    def gone(self, *processes: int) -> None:
        """Wait until processes have ended."""
        wait_for(lambda: not any(map(alive, processes)), self.log)

    def stop(self) -> None:
        """End it in order, and see that nothing is left."""
        processes = self.holder()
        os.kill(processes[0], signal.SIGTERM)
        self.gone(*processes)
        assert not (self.tmp / "pipe").exists()

    def kill(self) -> None:
        """Leave nothing behind."""
        for pid in self.holder():
            if pid and alive(pid) and _is_ours(pid, self.launcher):
                os.kill(pid, signal.SIGKILL)


@dataclass
class Daemons:
    """A context in which daemons are made that run a program in the probe; none is left behind."""

    probe: Probe
    directory: Path
    made: list[Daemon] = field(default_factory=list)

    def make(self, program: str, release: Probe | None = None, **variables: str) -> Daemon:
        """Make one; it is not started yet."""
        launcher = (release or self.probe).launcher
        directory = self.directory / f"daemon {len(self.made)} ü"
        daemon = Daemon(launcher, directory, {"PROGRAM": textwrap.dedent(program), **variables})
        self.made.append(daemon)
        return daemon

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for each in self.made:
            each.kill()


def _is_ours(pid: int, launcher: Path) -> bool:
    """Whether a process is one of the release."""
    try:
        return str(launcher.parents[1]).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False
