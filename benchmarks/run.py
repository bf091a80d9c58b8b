"""Compares releases of the fixtures with plain venvs of the same interpreter; README.md beside it explains.

Usage: `make bench`, or `.venv/bin/python benchmarks/run.py --help`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import table
from measure import BenchmarkError, Usage, cooling, run
from packers import Packer, Release, Venv
from peers import PEERS
from workbench import FIXTURES, Fixture, Workbench, find_interpreter

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WARM_UP = 2
"""Runs of each command before anything is measured."""
FAILURES = (BenchmarkError, OSError, subprocess.SubprocessError)


class Contest:
    """One fixture, packed in several ways that are measured in turn."""

    def __init__(self, options: argparse.Namespace, bench: Workbench, fixture: Fixture) -> None:
        """Nothing happens yet."""
        self.options = options
        self.bench = bench
        self.fixture = fixture
        kinds: list[type[Packer]] = [Venv, Release, *(peer for peer in PEERS if peer.name in options.peers)]
        self.packers = [kind(bench, fixture) for kind in kinds]
        self.figures = {packer.name: table.Figures() for packer in self.packers}

    def run(self) -> None:
        """Build and measure everything.

        Raises:
            BenchmarkError: When the release or the venv breaks; a broken peer is remembered as such.
        """
        self._each("prepare", lambda packer, _figures: packer.prepare())
        self._each("warm the wheel cache", lambda packer, _figures: packer.build({}))
        for number in range(self.options.builds):
            self._each(f"build {number + 1}", self._time_builds)
        self._each("warm up", lambda packer, _figures: self._warm_up(packer))
        for number in range(self.options.pairs):
            self._each(f"warm {number + 1}", lambda packer, figures: figures.warm.append(self._run(packer)))
        for number in range(self.options.cold_pairs):
            self._each(
                f"cold {number + 1}",
                lambda packer, figures: figures.cold.append(self._run(packer, cooling())),
            )
        self._each("sizes", self._weigh)

    def _each(self, what: str, do: Callable[[Packer, table.Figures], None]) -> None:
        """Do something to every packer that is not broken."""
        for packer in self.packers:
            figures = self.figures[packer.name]
            if figures.broken:
                continue
            _report(f"{self.fixture.name}: {packer.name}: {what}")
            try:
                do(packer, figures)
            except FAILURES as error:
                if packer.name in {table.BASELINE, table.OURS}:
                    raise BenchmarkError(f"{self.fixture.name}: {packer.name}: {what}: {error}") from error
                figures.broken = f"{what}: {error}"

    def _time_builds(self, packer: Packer, figures: table.Figures) -> None:
        """Build with nothing there, again, and after a change of one file."""
        cache = {}
        if self.options.cold_cache:
            fresh = tempfile.mkdtemp(dir=self.bench.directory)
            cache = {"UV_CACHE_DIR": fresh, "PIP_CACHE_DIR": fresh}
        packer.clean()
        for seconds in (figures.first, figures.again, figures.changed):
            if seconds is figures.changed:
                packer.change()
            start = time.monotonic()
            packer.build(cache)
            seconds.append(time.monotonic() - start)

    def _warm_up(self, packer: Packer) -> None:
        """Run the command until caches are full, and look whether the venv is a fair opponent."""
        for _ in range(WARM_UP):
            self._run(packer)
        if isinstance(packer, Venv):
            packer.check()

    def _run(self, packer: Packer, kind: str = "warm") -> Usage:
        """Run a packer's command once."""
        return run(
            [*packer.command, *self.fixture.arguments],
            kind=kind,
            trees=[*packer.trees, *self.bench.interpreter_trees] if kind == "forget" else [],
            environment=packer.environment,
        )

    def _weigh(self, packer: Packer, figures: table.Figures) -> None:
        """Note the sizes; the unpacked one first, since packing may build once more."""
        figures.unpacked.append(packer.unpacked())
        figures.packed.append(packer.packed())
        if not packer.holds_interpreter:
            figures.interpreter = self.bench.interpreter_sizes


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmarks; 1 when something that is measured does not work."""
    options = _parser().parse_args(arguments)
    try:
        interpreter = find_interpreter(options.python)
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            bench = Workbench.create(Path(directory), interpreter)
            contests = [
                Contest(options, bench, fixture) for fixture in FIXTURES if fixture.name in options.fixtures
            ]
            _print_head(options, bench)
            for contest in contests:
                contest.run()
                _print_contest(contest, last=contest is contests[-1])
            if options.json:
                _write_json(options, bench, contests)
    except FAILURES as error:
        _report("")
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    """The options."""
    parser = argparse.ArgumentParser(description="Compare releases with plain venvs of the same interpreter.")
    names = [fixture.name for fixture in FIXTURES]
    parser.add_argument(
        "--fixtures", type=_list_of(names), default=names, metavar="NAMES", help="of " + ",".join(names)
    )
    parser.add_argument(
        "--peers",
        type=_list_of([table.BASELINE, *(peer.name for peer in PEERS)]),
        default=[table.BASELINE],
        metavar="NAMES",
        help="also measure some of pyinstaller,pex,shiv; venv is always there (default: venv)",
    )
    parser.add_argument(
        "--python", metavar="VERSION", help="an interpreter's version or path (default: this)"
    )
    parser.add_argument("--pairs", type=_positive, default=25, help="warm runs of each (default: 25)")
    parser.add_argument("--cold-pairs", type=_count, default=6, help="cold runs of each (default: 6)")
    parser.add_argument("--builds", type=_count, default=3, help="builds of each (default: 3)")
    parser.add_argument("--cold-cache", action="store_true", help="first builds download what they install")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the raw figures")
    return parser


def _list_of(known: Sequence[str]) -> Callable[[str], list[str]]:
    """A converter for names with commas between them."""

    def convert(text: str) -> list[str]:
        names = text.split(",")
        if unknown := [name for name in names if name not in known]:
            raise argparse.ArgumentTypeError(f"unknown: {', '.join(unknown)}; known: {', '.join(known)}")
        return names

    return convert


def _count(text: str) -> int:
    """A whole number from 0 on."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number from 0 on")
    return int(text)


def _positive(text: str) -> int:
    """A whole number from 1 on."""
    if not _count(text):
        raise argparse.ArgumentTypeError("at least 1 is needed")
    return int(text)


def _conditions(options: argparse.Namespace, bench: Workbench) -> dict[str, str]:
    """What the figures depend on, in words."""
    cold = {
        "drop": "the whole page cache dropped before each run (/proc/sys/vm/drop_caches)",
        "forget": "the pages of the measured files dropped (posix_fadvise); run as root to drop all",
    }
    return {
        "python": bench.version,
        "system": f"{platform.system()} {platform.machine()}, {os.cpu_count()} processors, "
        f"load {os.getloadavg()[0]:.1f}",
        "warm": f"{options.pairs} runs of each, in turn",
        "cold": f"{options.cold_pairs} runs of each, in turn; {cold[cooling()]}",
        "builds": f"{options.builds} of each; uv's wheel cache is "
        + ("empty for first builds" if options.cold_cache else "warm"),
    }


def _print_head(options: argparse.Namespace, bench: Workbench) -> None:
    """Say what is compared, and under which conditions."""
    _report("")
    print("Ratios of a release to a plain venv: medians of the pairwise ratios, below 1 is better.")
    print("noise: the venv's run against its run before, quartiles.")
    for name, value in _conditions(options, bench).items():
        print(f"  {name + ':':8}{value}")


def _print_contest(contest: Contest, *, last: bool) -> None:
    """Print the table of one fixture, and what to know about it after the last."""
    fixture = contest.fixture
    _report("")
    print(f"\n{' '.join((fixture.name, *fixture.arguments))}")
    print(table.aligned(table.rows(fixture.name, fixture.goals, contest.figures)))
    for line in table.builds(contest.figures):
        print(line)
    for name, figures in contest.figures.items():
        if figures.broken:
            print(f"{name} is broken: {figures.broken}")
    if last:
        print(
            "\narchive, unpacked: a release holds the interpreter and a venv does not; `with Python` adds\n"
            "the interpreter to those without, as it is installed here, packed with the same parameters."
        )
    sys.stdout.flush()


def _write_json(options: argparse.Namespace, bench: Workbench, contests: Sequence[Contest]) -> None:
    """Write all raw figures: seconds and bytes."""
    fixtures = {
        contest.fixture.name: {name: figures.as_json() for name, figures in contest.figures.items()}
        for contest in contests
    }
    data = {"conditions": _conditions(options, bench), "fixtures": fixtures}
    options.json.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def _report(line: str) -> None:
    """Say on a terminal what is being done; an empty line takes it away."""
    if sys.stderr.isatty():
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
