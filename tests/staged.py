"""Installing versions from staging directories, and programs that are killed meanwhile."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.staging.area import Staging
from tests.trees import version_files, write_files, write_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Installs into the root (1) the version (2), and kills itself with the signal (3) at the rename (4).
KILLED = """
import os, signal, sys
from pathlib import Path
from hatch_release.staging.area import Staging, recover
from tests.staged import OVERWRITTEN
from tests.trees import write_version

root, version, number, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
count = 0
def on_rename(source, target):
    global count
    count += 1
    if count == last:
        os.kill(os.getpid(), number)

with Staging(root, on_rename) as staging:
    write_version(staging.path, version, OVERWRITTEN)
    staging.install(version)
"""
# As above, of `recover`.
KILLED_RECOVERY = """
import os, signal, sys
from pathlib import Path
from hatch_release.staging.area import recover

left = int(sys.argv[2])
def rename(source, target):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    source.rename(target)

recover(Path(sys.argv[1]), rename)
"""
FIRST = version_files(
    "1.0",
    **{"lib/gone-1/gone.pyc": "gone", "etc/demo/old.conf": "old", "etc/kept.conf": "kept", "notes": "1"},
)
OVERWRITTEN = {
    **version_files("1.0", **{"lib/demo-1.0/demo.pyc": "changed", "lib/new-1/new.pyc": "new"}),
    "bin/demo": "#!/bin/sh\necho changed\n",
    "python-3.11.7/lib/added.pyc": "added",
    "etc/kept.conf": "kept",
    "share/all/new": "new",
    "notes": "2",
}
"""The same version again: libraries, files and directories changed, added and gone."""


def install(
    root: Path,
    version: str,
    files: Mapping[str, str] | None = None,
    on_rename: Callable[[Path, Path], None] | None = None,
) -> None:
    with Staging(root, on_rename) as staging:
        write_version(staging.path, version, files)
        staging.install(version)


def run(program: str, *arguments: object) -> int:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(
        command, cwd=Path(__file__).parents[1], check=False, stderr=subprocess.DEVNULL
    ).returncode


def count_renames(root: Path, copy: Path) -> int:
    """How many renames it takes to overwrite a copy of the root."""
    shutil.copytree(root, copy / "demo")
    seen: list[Path] = []
    install(copy / "demo", "1.0", OVERWRITTEN, lambda source, _target: seen.append(source))
    return len(seen)


def installed_root(tmp_path: Path) -> Path:
    """A root with version 1.0, files of a run, and a file of the user's."""
    root = tmp_path / "dist" / "demo"
    install(root, "1.0", FIRST)
    write_files(root, {"tmp/log/demo.log": "started", "etc/mine.conf": "the user's"})
    return root
