"""Compares a system that runs, with one application, with a release of `mix release` that does the same.

Usage: `.venv/bin/python benchmarks/node.py [--pairs 15]`. Needs Elixir and Erlang (`apt-get install elixir`). Both
write a file when they are ready, wait, and remove it when they are told to stop. Measured in turn, as ratios:

- start to ready: from the command until the file is there;
- SIGTERM to exit;
- idle memory: proportional set size (Pss) of the process and its children, a second after ready;
- daemon to ready: from the command `daemon`, with heart, until the file is there;
- kill -9 to ready again: of the system's process, until heart has brought it back;
- `eval`, `rpc`, `pid` and `version`, each from the command to its end, beside the running system;
- `stop`, from the command until the system's process is gone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from measure import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

GOALS = {
    "start to ready": 0.15,
    "SIGTERM to exit": 0.1,
    "idle memory": 0.3,
    "daemon to ready": 0.15,
    "kill -9 to ready again": 0.3,
    "eval": 0.15,
    "rpc": 0.15,
    "pid": 0.15,
    "version": 1.0,
    "stop until gone": 0.1,
}
PRINTING = {"mix release": "IO.puts(:hello)", "hatch-release": "print('hello')"}
"""What `eval` and `rpc` run."""
POLL = 0.001
"""Seconds between two looks."""
LONGEST = 60.0

PYPROJECT = f"""\
{PROJECT}[project.entry-points."hatch_release.application"]
demo = "demo:application"
"""
PYTHON = '''\
"""Says that it is ready, and that it has stopped."""

import contextlib
import os
import pathlib


@contextlib.contextmanager
def application():
    ready = pathlib.Path(os.environ["READY"])
    ready.write_text(str(os.getpid()))
    yield
    ready.unlink()
'''
MIX = """\
defmodule Demo.MixProject do
  use Mix.Project

  def project do
    [app: :demo, version: "0.1.0", elixir: "~> 1.14", start_permanent: true, deps: [], releases: [demo: []]]
  end

  def application do
    [extra_applications: [:logger], mod: {Demo, []}]
  end
end
"""
ELIXIR = """\
defmodule Demo do
  use Application

  def start(_type, _args) do
    result = Supervisor.start_link([], strategy: :one_for_one)
    File.write!(System.fetch_env!("READY"), System.pid())
    result
  end

  def stop(_state) do
    File.rm!(System.fetch_env!("READY"))
  end
end
"""


def build_ours(directory: Path) -> Path:
    """Assemble the release; give its launcher."""
    (directory / "demo").mkdir(parents=True)
    (directory / "pyproject.toml").write_text(PYPROJECT)
    (directory / "requirements.lock").write_text("# nothing to install\n")
    (directory / "demo" / "__init__.py").write_text(PYTHON)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "release"]
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    return directory / "dist" / "release" / "demo" / "bin" / "demo"


def build_theirs(directory: Path) -> Path:
    """Assemble the release with mix; give its launcher."""
    (directory / "lib").mkdir(parents=True)
    (directory / "mix.exs").write_text(MIX)
    (directory / "lib" / "demo.ex").write_text(ELIXIR)
    environment = {**os.environ, "MIX_ENV": "prod", "LC_ALL": "C.UTF-8"}
    mix = str(shutil.which("mix"))
    subprocess.run([mix, "release"], cwd=directory, env=environment, check=True, stdout=subprocess.DEVNULL)
    return directory / "_build" / "prod" / "rel" / "demo" / "bin" / "demo"


def measure(launcher: Path, ready: Path) -> dict[str, float]:
    """Start a system, let it idle, and stop it; seconds and bytes."""
    environment = {**os.environ, "READY": str(ready), "LC_ALL": "C.UTF-8"}
    begin = time.monotonic()
    with subprocess.Popen(
        [launcher, "start"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        until(ready.exists)
        started = time.monotonic() - begin
        time.sleep(1)
        memory = sum(map(proportional_size, family(process.pid)))
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.wait(LONGEST)
        stopped = time.monotonic() - begin
    if process.returncode or ready.exists():
        raise SystemExit(
            f"{launcher} ended with {process.returncode}, its file {'still' if ready.exists() else 'not'} there"
        )
    return {"start to ready": started, "SIGTERM to exit": stopped, "idle memory": memory}


def measure_daemon(launcher: Path, ready: Path) -> dict[str, float]:
    """Start a system in the background, with heart, kill it, and stop it when it is back; seconds."""
    environment = {
        **os.environ,
        "READY": str(ready),
        "LC_ALL": "C.UTF-8",
        "RELEASE_TMP": str(ready.with_name("tmp")),
        "RELEASE_HEART": "1",
        "ELIXIR_ERL_OPTIONS": "-heart",
        "HEART_COMMAND": f"{launcher} daemon",
    }
    begin = time.monotonic()
    subprocess.run([launcher, "daemon"], env=environment, check=True, stdin=subprocess.DEVNULL)
    pid = written(ready)
    started = time.monotonic() - begin
    time.sleep(1)
    ready.unlink()
    begin = time.monotonic()
    os.kill(pid, signal.SIGKILL)
    pid = written(ready)
    recovered = time.monotonic() - begin
    time.sleep(1)
    os.kill(pid, signal.SIGTERM)
    until(lambda: not Path(f"/proc/{pid}").exists() and not ready.exists())
    time.sleep(0.5)  # who kept it ends now
    return {"daemon to ready": started, "kill -9 to ready again": recovered}


def measure_commands(launcher: Path, ready: Path, code: str) -> dict[str, float]:
    """Start a system, let commands reach it, and stop it by the last of them; seconds."""
    environment = {**os.environ, "READY": str(ready), "LC_ALL": "C.UTF-8"}

    def timed(*words: str) -> tuple[float, str]:
        begin = time.monotonic()
        done = subprocess.run(
            [launcher, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=True,
            text=True,
        )
        return time.monotonic() - begin, done.stdout.strip()

    found: dict[str, float] = {}
    with subprocess.Popen(
        [launcher, "start"],
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        until(ready.exists)
        time.sleep(1)
        expected = {"pid": str(process.pid), "version": "demo 0.1.0"}
        for words in (["eval", code], ["rpc", code], ["pid"], ["version"]):
            found[words[0]], output = timed(*words)
            if output != expected.get(words[0], "hello"):
                raise SystemExit(f"{launcher} {words[0]} printed {output!r}")
        begin = time.monotonic()
        timed("stop")
        process.wait(LONGEST)
        found["stop until gone"] = time.monotonic() - begin
    return found


def written(ready: Path) -> int:
    """Wait until a system has written its process id."""
    until(lambda: ready.exists() and ready.stat().st_size > 0)
    return int(ready.read_text())


def until(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds."""
    end = time.monotonic() + LONGEST
    while not condition():
        if time.monotonic() > end:
            raise SystemExit("nothing became ready")
        time.sleep(POLL)


def family(pid: int) -> list[int]:
    """A process and all below it."""
    found = [pid]
    for each in found:
        for task in Path(f"/proc/{each}/task").iterdir():
            found += [int(child) for child in (task / "children").read_text().split()]
    return found


def proportional_size(pid: int) -> float:
    """The memory of a process in megabytes, what it shares counted in part."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1000


def main() -> None:
    """Build both, measure them in turn, and print the ratios."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pairs", type=int, default=15, help="how often each is started (default: %(default)s)"
    )
    pairs = parser.parse_args().pairs
    if shutil.which("mix") is None:
        raise SystemExit("mix was not found: install Elixir")
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        launchers = {"mix release": build_theirs(base / "theirs"), "hatch-release": build_ours(base / "ours")}
        runs: dict[str, list[dict[str, float]]] = {name: [] for name in launchers}
        for number in range(pairs + 1):
            for name, launcher in launchers.items():
                figures = measure(launcher, base / "ready") | measure_daemon(launcher, base / "ready")
                figures |= measure_commands(launcher, base / "ready", PRINTING[name])
                if number:  # the first is the warm-up
                    runs[name].append(figures)
    report(runs)


def report(runs: dict[str, list[dict[str, float]]]) -> None:
    """Print a table: the medians, and the median of the pairwise ratios."""
    print("| | mix release | hatch-release | ratio | goal |\n| --- | --- | --- | --- | --- |")
    for row, goal in GOALS.items():
        theirs = [each[row] for each in runs["mix release"]]
        ours = [each[row] for each in runs["hatch-release"]]
        ratio = statistics.median(one / other for one, other in zip(ours, theirs, strict=True))
        unit = "MB" if row == "idle memory" else "s"
        figures = f"{statistics.median(theirs):.3f} {unit} | {statistics.median(ours):.3f} {unit}"
        print(f"| {row} | {figures} | {ratio:.2f} | {goal} |")


if __name__ == "__main__":
    main()
