"""What a release imports at start and how long each import takes, measured by running it once."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.inspection.contents import DIRECTORY
from hatch_release.runtime import layout

if TYPE_CHECKING:
    from hatch_release.inspection.facts import Version
    from hatch_release.inspection.root import Root

SECONDS = 300
"""How long importing everything may take."""
_LINE = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \| ( *)(.+)")
"""What `python -X importtime` writes: microseconds alone, with what it imports; indentation; name."""
_STEP = 2
"""Spaces of one level of indentation."""


@dataclass
class Import:
    """One import, with those that it caused."""

    name: str
    alone: int
    """Microseconds, without what it imports."""
    whole: int
    """Microseconds, with what it imports."""
    children: list[Import] = field(default_factory=list)

    def to_json(self) -> list[object]:
        """Plain data, short: there may be thousands."""
        return [self.name, self.alone, self.whole, [each.to_json() for each in self.children]]


@dataclass(frozen=True)
class Waterfall:
    """The imports of one start, or why they are not known."""

    imports: list[Import] = field(default_factory=list)
    """The outermost, in their order."""
    missing: str = ""
    """Why there are none."""


def measure(root: Root, version: Version) -> Waterfall:
    """Import what `start` imports, twice: the second time the files are in memory, as on a machine in use.

    Nothing is started: applications are imported, and modules that embedded mode preloads.

    Args:
        root: The release.
        version: One of its versions.
    """
    if root.format != DIRECTORY:
        return Waterfall(missing="Imports are measured by running the release, and an archive is not run.")
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
        command = [str(python), "-X", "importtime", "-S", "-s", str(boot_file), "_trace", f"{scratch}/seen"]
        environment = {
            "RELEASE_ROOT": str(base),
            "RELEASE_NAME": version.name,
            "RELEASE_TMP": scratch,
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        try:
            done = subprocess.run(
                command,
                cwd=scratch,
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                check=False,
            )
        except OSError as error:
            return Waterfall(missing=f"The release does not run on this machine: {error.strerror}.")
        except subprocess.TimeoutExpired:
            return Waterfall(missing=f"Importing everything took longer than {SECONDS} s.")
    return parse(done.stderr) if done.returncode == 0 else Waterfall(missing=_failure(done))


def _failure(done: subprocess.CompletedProcess[str]) -> str:
    told = [line for line in done.stderr.splitlines() if not line.startswith("import time:")]
    reason = told[-1].strip() if told else "no message"
    return f"The release does not run on this machine (exit code {done.returncode}): {reason}"


def parse(written: str) -> Waterfall:
    """What `python -X importtime` has written among other lines: an import comes after those that it caused."""
    levels: dict[int, list[Import]] = {}
    for line in written.splitlines():
        if found := _LINE.fullmatch(line):
            level = len(found[3]) // _STEP
            each = Import(found[4], int(found[1]), int(found[2]), levels.pop(level + 1, []))
            levels.setdefault(level, []).append(each)
    return Waterfall(levels.get(0, []))
