"""Measures what configuration costs a boot: 10,000 keys and three providers, to the same release without any.

Usage: `.venv/bin/python benchmarks/configured.py [--pairs 25] [--most MS]`. Both are the smallest console script,
started in turn in one run; the figures are the differences of neighbours, in milliseconds. With `--most` a median CPU
time above it exits 1. The providers are `config/runtime.py`, environment variables, and a JSON file of 100 keys.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from measure import PROJECT, Usage, clean_environment, run

GOAL = 20.0
"""Milliseconds that it may cost."""
WARM_UP = 2

PYPROJECT = f"""\
{PROJECT}[project.scripts]
demo = "demo:main"

[tool.hatch.build.targets.release]
"""
PROVIDERS = """\
config-providers = [
  { provider = "env", init = { prefix = "DEMO_", application = "demo" } },
  { provider = "json", init = { env = "DEMO_CONFIG", path = "extra.json" } },
]
"""
CONFIG = """\
from hatch_release.runtime.config import config

for table in range(100):
    config("demo", {f"table_{table}": {f"key_{key}": f"value {key}" if key % 2 else key for key in range(100)}})
"""
RUNTIME = """\
import os

from hatch_release.runtime.config import config

config("demo", table_1={"key_1": os.environ["DEMO_CONFIG"]})
"""
EXTRA = '{"demo": {"extra": {' + ", ".join(f'"key_{number}": {number}' for number in range(100)) + "}}}"


def build(directory: Path, *, configured: bool) -> Path:
    """Assemble the release, with configuration or without; give its launcher."""
    (directory / "demo").mkdir(parents=True)
    (directory / "demo" / "__init__.py").write_text("def main():\n    pass\n")
    (directory / "pyproject.toml").write_text(PYPROJECT + (PROVIDERS if configured else ""))
    (directory / "requirements.lock").write_text("# nothing to install\n")
    if configured:
        (directory / "config").mkdir()
        (directory / "config" / "config.py").write_text(CONFIG)
        (directory / "config" / "runtime.py").write_text(RUNTIME)
        (directory / "extra.json").write_text(EXTRA)
    command = [sys.executable, "-m", "hatchling", "build", "-t", "release"]
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    return directory / "dist" / "release" / "demo" / "bin" / "demo"


def main() -> int:
    """Build both, measure them in turn, and print the differences."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--pairs", type=int, default=25, help="how often each is started (default: %(default)s)"
    )
    parser.add_argument("--most", type=float, help="exit 1 when the median CPU time is above this (ms)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        launchers = [build(base / name, configured=name == "with") for name in ("without", "with")]
        environment = {
            **clean_environment(),
            "DEMO_CONFIG": str(base / "with"),
            "DEMO_TABLE_2__KEY_1": "changed",
        }
        pairs = [
            [run([os.fspath(launcher), "start"], environment=environment) for launcher in launchers]
            for _ in range(options.pairs + WARM_UP)
        ][WARM_UP:]
    cpu = report(pairs)
    return int(options.most is not None and cpu > options.most)


def report(pairs: list[list[Usage]]) -> float:
    """Print a table of the differences; give the median of CPU time."""
    print("| | without | with | difference (quartiles) | goal |\n| --- | --- | --- | --- | --- |")
    median = 0.0
    for row in ("wall", "cpu"):
        without, configured = ([getattr(pair[side], row) * 1000 for pair in pairs] for side in (0, 1))
        differences = [more - less for more, less in zip(configured, without, strict=True)]
        low, median, high = statistics.quantiles(differences, n=4)
        print(
            f"| {row} | {statistics.median(without):.1f} ms | {statistics.median(configured):.1f} ms "
            f"| {median:.1f} ms ({low:.1f} - {high:.1f}) | {GOAL:.0f} ms |"
        )
    return median


if __name__ == "__main__":
    sys.exit(main())
