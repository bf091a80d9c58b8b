"""What running a command costs, and how the costs of two commands compare."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

TRAMPOLINE = Path(__file__).with_name("trampoline.py")
DROP_CACHES = Path("/proc/sys/vm/drop_caches")
LIMIT = 300
"""Seconds that a measured command may take."""


class BenchmarkError(Exception):
    """Something that is measured does not work; the message says what, in one line."""


PROJECT = """\
[build-system]
requires = ["hatchling", "hatch-release"]
build-backend = "hatchling.build"

[project]
name = "demo"
version = "0.1.0"

"""
"""The beginning of each `pyproject.toml` that is measured."""


@dataclass(frozen=True)
class Usage:
    """What one run of a command used, the children that it waited for included."""

    cpu: float
    """Seconds of user and system time."""
    wall: float
    """Seconds from start to end."""
    peak: int
    """Bytes of resident memory, of the largest process."""


@dataclass(frozen=True)
class Ratio:
    """How one series of figures compares with another that was taken in turn with it."""

    median: float
    low: float
    """The first quartile."""
    high: float
    """The third quartile."""


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what would steer a build or a Python, and with `more`.

    PYTHONDONTWRITEBYTECODE above all: a venv without its `.pyc` files is no fair opponent.
    """
    steering = ("HATCH_", "RELEASE_", "PYTHON", "VIRTUAL_ENV", "COVERAGE_", "PEX_", "SHIV_")
    return {name: value for name, value in os.environ.items() if not name.startswith(steering)} | more


def cooling() -> str:
    """How the page cache can be emptied here: `drop` (all of it, as root) or `forget` (file by file)."""
    return "drop" if os.access(DROP_CACHES, os.W_OK) and os.geteuid() == 0 else "forget"


def run(
    command: Sequence[str],
    *,
    kind: str = "warm",
    trees: Iterable[Path] = (),
    environment: Mapping[str, str] | None = None,
) -> Usage:
    """Run a command through the trampoline; its output is thrown away.

    Args:
        command: A program's absolute path and its arguments.
        kind: What to do to the page cache before, see trampoline.py.
        trees: The directories whose pages `forget` drops.
        environment: Of the command; this process's own, cleaned, when None.

    Raises:
        BenchmarkError: When the command fails.
    """
    places = [str(tree) for tree in trees]
    arguments = [kind, str(len(places)), *places, *command]
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", str(TRAMPOLINE), *arguments],
            env=clean_environment() if environment is None else dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=LIMIT,
        )
    except subprocess.TimeoutExpired as error:
        raise BenchmarkError(f"{' '.join(command)} did not end within {LIMIT} s") from error
    fields = done.stdout.split()
    if done.returncode != 0 or fields[-1] != "0":
        code = fields[-1] if fields else "nothing"
        raise BenchmarkError(f"{' '.join(command)} left with {code}: {last_line(done.stderr)}")
    cpu, wall, peak, _floor, _code = fields
    return Usage(float(cpu), float(wall), int(peak))


def compare(figures: Sequence[float], baseline: Sequence[float]) -> Ratio:
    """The median and the quartiles of the pairwise ratios of two series of the same length.

    Pairwise, because neighbours in time share the noise of the machine.
    """
    ratios = [figure / base for figure, base in zip(figures, baseline, strict=True)]
    if len(ratios) == 1:
        return Ratio(ratios[0], ratios[0], ratios[0])
    low, median, high = statistics.quantiles(ratios, n=4, method="inclusive")
    return Ratio(median, low, high)


def against_itself(figures: Sequence[float]) -> Ratio | None:
    """How each run compares with the one before it: what the machine's noise alone does; None for one run."""
    return compare(figures[1:], figures[:-1]) if len(figures) > 1 else None


def last_line(text: str) -> str:
    """The last line that says something, for errors of one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it said nothing"
