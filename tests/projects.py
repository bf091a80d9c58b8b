"""Building releases of real projects in real environments, as a user does."""

from __future__ import annotations

import itertools
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from tests import interpreters

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"

Done = subprocess.CompletedProcess[str]


CACHE_VARIABLE = "TEST_CACHE_DIR"
"""Names the cache of builds that say nothing else; all tests of a run share it."""


_numbers = itertools.count(1)


def clean_environment(**more: str) -> dict[str, str]:
    """This process's environment without what would steer the build or the release, and with `more`.

    Tests start one release many times at once, so each start is a node of its own, unless `more` says which one it is,
    or where its files are.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("HATCH_", "RELEASE_", "PYTHON", "VIRTUAL_ENV", "COVERAGE_"))
    }
    own = {"HATCH_RELEASE_CACHE_DIR": os.environ.get(CACHE_VARIABLE, "")}
    if "RELEASE_TMP" not in more:
        own["RELEASE_NODE"] = f"node-{os.getpid()}-{next(_numbers)}"
    return {**own, **kept, **more}


@dataclass(frozen=True)
class Builder:
    """An environment that holds hatchling and hatch-release."""

    python: Path

    @classmethod
    def create(cls, minor: str, directory: Path, wheels: Path) -> Builder:
        """Make one with the interpreter of `minor` in `directory`."""
        uv = find_uv_bin()
        base = interpreters.find(minor)
        subprocess.run([uv, "venv", "-q", "--python", str(base), str(directory)], check=True)
        wheel = next(wheels.glob("hatch_release-*.whl"))
        command = [
            uv,
            "pip",
            "install",
            "-q",
            "--python",
            str(directory),
            "--reinstall-package",
            "hatch-release",
        ]
        subprocess.run([*command, str(wheel)], check=True)
        return cls(directory / "bin" / "python")

    def build(self, project: Path, *arguments: str, target: str = "release", **environment: str) -> Done:
        """Run `hatchling build -t TARGET` in `project`."""
        command = [str(self.python), "-m", "hatchling", "build", "-t", target, *arguments]
        return subprocess.run(
            command,
            cwd=project,
            env=clean_environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def release(self, project: Path, *, target: str = "release", **environment: str) -> Path:
        """Build a release that must succeed, and give its root."""
        done = self.build(project, target=target, **environment)
        assert done.returncode == 0, done.stdout + done.stderr
        name = target.partition(":")[2] or project.name
        return project / "dist" / "release" / name


def run(launcher: Path | str, *arguments: str, cwd: Path | None = None, **environment: str) -> Done:
    """Run a command of `bin/NAME`."""
    return subprocess.run(
        [str(launcher), *arguments],
        cwd=cwd,
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def write_project(directory: Path, files: dict[str, str]) -> Path:
    """Write a project into `directory`, whose name it takes, and give it.

    Args:
        directory: Made when it is missing.
        files: Its files by relative path; `pyproject.toml` gets a build system put in front.
    """
    system = (
        '[build-system]\nrequires = ["hatchling", "hatch-release"]\nbuild-backend = "hatchling.build"\n\n'
    )
    for name, text in files.items():
        file = directory / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(system + text if name == "pyproject.toml" else text, encoding="utf-8")
    return directory
