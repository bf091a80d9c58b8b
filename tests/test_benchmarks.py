"""The measuring code of `benchmarks/`, with commands whose cost is known."""

from __future__ import annotations

import importlib
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.projects import ROOT, clean_environment

if TYPE_CHECKING:
    from types import ModuleType

BENCHMARKS = ROOT / "benchmarks"
MEBIBYTE = 1 << 20
BALLAST = """
import time
ballast = b"x" * (64 << 20)
end = time.process_time() + 0.3
while time.process_time() < end:
    pass
"""


@pytest.fixture
def measure(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script's own module, found as the script finds it."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module("measure")


def python(code: str) -> list[str]:
    return [sys.executable, "-I", "-S", "-c", code]


def test_a_busy_command_costs_more_than_an_idle_one(measure: ModuleType) -> None:
    inherited = b"x" * (200 << 20)  # of this process, which no figure may contain
    idle, busy = measure.run(python("pass")), measure.run(python(BALLAST))
    assert len(inherited) > busy.peak > idle.peak + 60 * MEBIBYTE
    assert busy.cpu > 0.3 > idle.cpu
    assert busy.wall > 0.3


def test_what_children_use_counts(measure: ModuleType) -> None:
    usage = measure.run(
        python(f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BALLAST!r}])")
    )
    assert usage.cpu > 0.3
    assert usage.peak > 64 * MEBIBYTE


def test_a_cold_run_of_forgotten_files_works(measure: ModuleType) -> None:
    assert measure.run(python("pass"), kind="forget", trees=[BENCHMARKS, ROOT / "LICENSE"]).wall > 0


def test_a_command_that_fails_is_an_error_of_one_line(measure: ModuleType) -> None:
    with pytest.raises(measure.BenchmarkError, match=r"left with 3: no such planet$"):
        measure.run(python("import sys; print('no such planet', file=sys.stderr); sys.exit(3)"))


def test_ratios_are_pairwise_medians(measure: ModuleType) -> None:
    ratio = measure.compare([1.0, 4.0, 9.0], [2.0, 4.0, 6.0])
    assert (ratio.low, ratio.median, ratio.high) == (0.75, 1.0, 1.25)


def test_the_script_explains_its_options() -> None:
    command = [sys.executable, str(BENCHMARKS / "run.py"), "--help"]
    done = subprocess.run(
        command, env=clean_environment(PYTHONPATH=str(ROOT)), capture_output=True, text=True, check=True
    )
    assert "--peers" in done.stdout
    assert "--cold-pairs" in done.stdout
