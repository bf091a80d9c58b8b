"""Building releases of real projects in real environments, as a user does: the kit of `hatch_release.testing`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from uv import find_uv_bin

import hatch_release.testing
from hatch_release.testing import ReleaseProject, clean_environment, run
from tests import interpreters

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["FIXTURES", "ROOT", "Builder", "Done", "clean_environment", "run", "write_project"]

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"

Done = subprocess.CompletedProcess[str]


class Builder(hatch_release.testing.Builder):
    """An environment that holds hatchling and hatch-release, made for the tests."""

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

    def release(self, project: Path, *, target: str = "release", **environment: str) -> Path:
        """Build a release that must succeed, and give its root."""
        return ReleaseProject(project, self).build(target.partition(":")[2], **environment).root


def write_project(directory: Path, files: Mapping[str, str]) -> Path:
    """Write a project into `directory`, whose name it takes, and give it.

    Args:
        directory: Made when it is missing.
        files: Its files by relative path; `pyproject.toml` gets a build system put in front.
    """
    return ReleaseProject(directory).write(files).root
