"""The interpreters that the tests run on: those of this machine that hatch-release supports."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from pathlib import Path

MINORS = ("3.10", "3.11", "3.12", "3.13")


def _candidates(minor: str) -> list[Path]:
    """Places where an interpreter of `minor` may be: named by hand, on PATH, in pyenv's directory."""
    named = os.environ.get(f"TEST_PYTHON_{minor.replace('.', '_')}")
    found = [Path(named)] if named else []
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found += sorted(versions.glob(f"{minor}.*/bin/python3"), reverse=True)
    on_path = shutil.which(f"python{minor}")
    return [*found, Path(on_path)] if on_path else found


def _answers(executable: Path, minor: str) -> bool:
    """Whether `executable` runs and is of `minor` (a pyenv shim exists without its version)."""
    command = [str(executable), "-I", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and done.stdout.strip() == minor


@functools.cache
def find(minor: str) -> Path | None:
    """The interpreter of `minor` (such as `3.12`) to test with, or None where there is none."""
    return next((path for path in _candidates(minor) if path.exists() and _answers(path, minor)), None)


def available() -> list[str]:
    """The minor versions that this machine has."""
    return [minor for minor in MINORS if find(minor)]


def running() -> str:
    """The minor version that the tests themselves run on."""
    return "{}.{}".format(*sys.version_info[:2])
