"""Measures what looking for plugins adds to a build: at most 30 ms, with 20 of them installed.

Usage: `.venv/bin/python benchmarks/plugins.py`.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from hatch_release.plugins.first_party import FIRST_PARTY
from hatch_release.plugins.search import find_plugins, installed

PLUGINS = 20
RUNS = 20
LIMIT = 30.0
"""Milliseconds of CPU time that looking for plugins may take."""
CODE = "from hatch_release import hookimpl\n\n\n@hookimpl\ndef release_check(release):\n    return None\n"


def install(directory: Path) -> None:
    """Install plugins, each a distribution of its own."""
    for number in range(PLUGINS):
        name = f"benchmark_{number}"
        (directory / f"{name}.py").write_text(CODE, encoding="utf-8")
        info = directory / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8"
        )
        (info / "entry_points.txt").write_text(f"[hatch_release]\n{name} = {name}\n", encoding="utf-8")


def measure(root: Path) -> float:
    """Milliseconds of CPU time that one search takes, the modules not imported and nothing remembered."""
    installed.cache_clear()
    for number in range(PLUGINS):
        sys.modules.pop(f"benchmark_{number}", None)
    begin = time.process_time()
    found = find_plugins("demo", (), root)
    took = (time.process_time() - begin) * 1000
    if len(found.names) < PLUGINS + len(FIRST_PARTY):
        raise SystemExit(f"only {found.names} were found")
    return took


def main() -> int:
    """Measure, and compare with the limit."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        install(root)
        sys.path.insert(0, directory)
        times = sorted(measure(root) for _ in range(RUNS))
    print(f"{PLUGINS} plugins: {times[0]:.1f} ms at best, {median(times):.1f} ms in the middle of {RUNS}")
    return 0 if times[0] <= LIMIT else 1


if __name__ == "__main__":
    sys.exit(main())
