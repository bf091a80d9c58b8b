"""What a release does at start and how long each part takes, measured by running it once."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.inside import SECONDS, last_words, run_boot_file
from hatch_release.inspection.contents import DIRECTORY
from hatch_release.runtime import layout, phases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hatch_release.inspection.facts import Version
    from hatch_release.inspection.root import Root

TITLES = {
    phases.CONFIGURATION: "Configuration at boot",
    phases.SYSTEM: "The system's own modules",
    phases.APPLICATION: "Application",
    phases.PRELOADING: "Preloaded modules",
}
INTERPRETER, BOOTSTRAP = "Interpreter", "Boot file and module index"
_IMPORT_TIME = ("-X", "importtime")
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(.+)")
"""What `python -X importtime` writes: microseconds alone, with what it imports; indentation; name."""
_STEP = 2
"""Spaces of one level of indentation."""
_FOREIGN = ("PYTHON", "RELEASE_", "LD_")
"""How variables begin that would steer the interpreter; the configuration may need all others."""


@dataclass
class Span:
    """Something that takes time: a phase, a provider of configuration, an import; with what it consists of."""

    name: str
    alone: int
    """Microseconds, without its parts."""
    whole: int
    """Microseconds, with its parts."""
    parts: list[Span] = field(default_factory=list)
    problem: str = ""
    """What went wrong in it."""

    def to_json(self) -> list[object]:
        """Plain data, short: there may be thousands."""
        plain = [self.name, self.alone, self.whole, [each.to_json() for each in self.parts]]
        return [*plain, self.problem] if self.problem else plain


@dataclass(frozen=True)
class Waterfall:
    """The phases of one start, or why they are not known."""

    spans: list[Span] = field(default_factory=list)
    """One after the other, until everything is ready to be called."""
    missing: str = ""
    """Why there are none."""


@dataclass(frozen=True)
class _Mark:
    """Where a phase begins (`phases.mark`), and the imports since the mark before."""

    kind: str
    name: str
    nanoseconds: int
    before: list[Span]


def measure(root: Root, version: Version) -> Waterfall:
    """Do what `start` does before it calls anything, twice: the second time the files are in memory, as on a machine
    in use.

    Nothing is started: the configuration is loaded, applications are imported, and modules that embedded mode preloads.

    Args:
        root: The release.
        version: One of its versions.
    """  # noqa: D205 - one sentence
    if root.format != DIRECTORY:
        return Waterfall(missing="The start is measured by running the release, and an archive is not run.")
    python = _interpreter(root, version)
    if python is None:
        return Waterfall(
            missing=f"Python {version.python['version']}, which this release runs on, was not found."
        )
    _run(python, root, version)
    return _run(python, root, version)


def _interpreter(root: Root, version: Version) -> Path | None:
    """What the version runs on."""
    if version.python["included"]:
        start = root.text(f"{layout.RELEASES}/{version.version}/{layout.START_DATA}")
        python = root.source / layout.python_directory(start.split()[0]) / "bin" / "python3"
        return python.absolute() if python.is_file() else None
    found = shutil.which("python" + ".".join(version.python["version"].split(".")[:2]))
    return Path(found) if found else None


def _run(python: Path, root: Root, version: Version) -> Waterfall:
    """Measure once."""
    base = root.source.absolute()
    boot_file = base / layout.RELEASES / version.version / (layout.START + layout.BOOT_SUFFIX)
    with tempfile.TemporaryDirectory(prefix="hatch-release-") as scratch:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)},
            "RELEASE_ROOT": str(base),
            "RELEASE_NAME": version.name,
            "RELEASE_VSN": version.version,
            "RELEASE_TMP": scratch,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        # A program of one line is a boot file as well: it tells how long the interpreter takes by itself.
        empty = Path(scratch, "empty.py")
        empty.write_text(
            f"import os, time\nos.write(2, b'{phases.MARK}\\t\\t\\t%d\\n' % time.monotonic_ns())\n"
        )
        try:
            bare = _timed(python, empty, environment, [])
            whole = _timed(python, boot_file, environment, ["_measure"])
        except OSError as error:
            return Waterfall(missing=f"The release does not run on this machine: {error.strerror}.")
        except subprocess.TimeoutExpired:
            return Waterfall(missing=f"Starting took longer than {SECONDS} s.")
    failed = next((each[1] for each in (bare, whole) if each[1].returncode != 0), None)
    if failed is not None:
        return Waterfall(missing=_failure(failed))
    return Waterfall(_phases(parse(bare[1].stderr), bare[0], parse(whole[1].stderr), whole[0]))


def _timed(
    python: Path, boot_file: Path, environment: dict[str, str], arguments: list[str]
) -> tuple[int, subprocess.CompletedProcess[str]]:
    """Run something, and tell when it began, in nanoseconds of the clock that all processes share."""
    begun = time.monotonic_ns()
    directory = Path(environment["RELEASE_TMP"])
    done = run_boot_file(
        python, boot_file, arguments, directory=directory, environment=environment, options=_IMPORT_TIME
    )
    return begun, done


def _failure(done: subprocess.CompletedProcess[str]) -> str:
    told = [line for line in done.stderr.splitlines() if not line.startswith(("import time:", phases.MARK))]
    done.stderr = "\n".join(told)
    return f"The release does not run on this machine (exit code {done.returncode}): {last_words(done)}"


def parse(written: str) -> list[_Mark]:
    """The marks among other lines, with what `python -X importtime` has written before each.

    An import comes after those that it caused.
    """
    levels: dict[int, list[Span]] = {}
    marks = []
    for line in written.splitlines():
        if found := _LINE.fullmatch(line):
            level = len(found[3]) // _STEP
            each = Span(found[4], int(found[1]), int(found[2]), levels.pop(level + 1, []))
            levels.setdefault(level, []).append(each)
        elif line.startswith(phases.MARK):
            _, kind, name, nanoseconds = line.split("\t")
            marks.append(_Mark(kind, name, int(nanoseconds), levels.pop(0, [])))
    return marks


def _phases(bare: list[_Mark], bare_begun: int, marks: list[_Mark], begun: int) -> list[Span]:
    """The phases between marks; what comes before the first is the interpreter's, as far as it does so by itself."""
    first = marks[0]
    until_booted = (first.nanoseconds - begun) // 1000
    interpreter = min((bare[0].nanoseconds - bare_begun) // 1000, until_booted)
    own = {each.name for each in bare[0].before}
    return [
        _span(INTERPRETER, interpreter, [each for each in first.before if each.name in own]),
        _span(BOOTSTRAP, until_booted - interpreter, [each for each in first.before if each.name not in own]),
        *_between(marks),
    ]


def _between(marks: list[_Mark]) -> Iterator[Span]:
    """A span for each phase; providers are parts of the configuration's, and what failed is told where it did."""
    span: Span | None = None
    for mark, following in itertools.pairwise(marks):
        micro = (following.nanoseconds - mark.nanoseconds) // 1000
        if mark.kind in TITLES:
            if span is not None:
                yield span
            title = f"{TITLES[mark.kind]} {mark.name}".strip()
            span = _span(title, micro, following.before)
        elif span is not None:
            inner = (
                [_span(f"provider {mark.name}", micro, following.before)]
                if mark.kind == phases.PROVIDER
                else following.before
            )
            span = _span(span.name, span.whole + micro, [*span.parts, *inner], span.problem)
            if mark.kind == phases.FAILED:
                span.problem = mark.name
    if span is not None:
        yield span


def _span(name: str, whole: int, parts: list[Span], problem: str = "") -> Span:
    """A span with its parts, which can't take longer than it."""
    inside = sum(each.whole for each in parts)
    return Span(name, max(whole - inside, 0), max(whole, inside), parts, problem)
