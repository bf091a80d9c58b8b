"""Running programs as on a machine where nothing is set up for the project at hand."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

Done = subprocess.CompletedProcess[str]
"""A program that has ended, with `returncode`, `stdout` and `stderr`."""

FOREIGN = ("HATCH_", "RELEASE_", "PYTHON", "VIRTUAL_ENV", "COVERAGE_")
"""How variables begin that would steer a build or a release from outside."""
CACHE = "HATCH_RELEASE_CACHE_DIR"
SECONDS = 120
"""How long a command of a release may take, unless a test says otherwise."""
_numbers = itertools.count(1)


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what would steer a build or a release, and with `more`.

    HATCH_RELEASE_CACHE_DIR stays. Tests start one release many times at once, so each start is a node of its own,
    unless `more` says which one it is, or where its files are.

    Args:
        more: Variables.
    """
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(FOREIGN) or name == CACHE
    }
    if "RELEASE_TMP" not in more:
        kept["RELEASE_NODE"] = f"node-{os.getpid()}-{next(_numbers)}"
    return {**kept, **more}


def run(program: Path | str, *arguments: str, cwd: Path | None = None, **environment: str) -> Done:
    """Run a program to its end, with empty input, in a clean environment.

    Args:
        program: Such as a release's `bin/NAME`.
        arguments: Its own.
        cwd: Where; here without it.
        environment: Variables besides.

    Raises:
        subprocess.TimeoutExpired: When it takes longer than `SECONDS`.
    """
    return finish([str(program), *arguments], environment, cwd=cwd)


def finish(
    command: Sequence[str],
    environment: Mapping[str, str],
    *,
    cwd: Path | None = None,
    timeout: float | None = SECONDS,
) -> Done:
    """Run a command as `run` does.

    Args:
        command: The program and its arguments.
        environment: Variables besides.
        cwd: Where; here without it.
        timeout: Seconds; None: as long as it takes.

    Raises:
        subprocess.TimeoutExpired: When it takes longer.
    """
    return subprocess.run(
        command,
        cwd=cwd,
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
        check=False,
    )


def stop(process: subprocess.Popen[str]) -> None:
    """Ask a process to stop, and kill it when it does not."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
