"""A project of a test, and the environment that builds it."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_release.testing.built import Built
from hatch_release.testing.processes import Done, finish

if TYPE_CHECKING:
    from collections.abc import Mapping

PYPROJECT = "pyproject.toml"
SYSTEM = '[build-system]\nrequires = ["hatchling", "hatch-release"]\nbuild-backend = "hatchling.build"\n\n'
TABLE = "[tool.hatch.build.targets.release]"
REPORT = "HATCH_RELEASE_REPORT"


class BuildError(AssertionError):
    """A build that was to succeed has failed, or the other way round; tells what it printed."""


@dataclass(frozen=True)
class Builder:
    """An environment that holds hatchling, hatch-release and what is tested."""

    python: Path = Path(sys.executable)
    """Its interpreter: the one that runs the tests, unless another is named."""

    def build(self, root: Path, *arguments: str, target: str = "release", **environment: str) -> Done:
        """Run `hatchling build -t TARGET` to its end, whatever comes of it.

        Args:
            root: The project's root.
            arguments: More of hatchling's.
            target: `release`, or `release:NAME`.
            environment: Variables such as HATCH_RELEASE_OVERWRITE.

        Returns:
            `returncode`, `stdout` and `stderr`.
        """
        command = [str(self.python), "-m", "hatchling", "build", "-t", target, *arguments]
        return finish(command, environment, cwd=root, timeout=None)


@dataclass(frozen=True)
class ReleaseProject:
    """A project of a test."""

    root: Path
    builder: Builder = field(default=Builder(), repr=False)
    """What builds it."""

    def write(self, files: Mapping[str, str]) -> ReleaseProject:
        """Write files.

        Args:
            files: Texts by paths relative to the project; a `pyproject.toml` without `[build-system]` gets one.

        Returns:
            The project.
        """
        for name, text in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            bare = name == PYPROJECT and "[build-system]" not in text
            file.write_text(SYSTEM + text if bare else text, encoding="utf-8")
        return self

    def configure(self, options: str) -> ReleaseProject:
        """Add lines of TOML to the target's table, the last one of `pyproject.toml`; gives the project."""
        file = self.root / PYPROJECT
        text = file.read_text(encoding="utf-8")
        table = "" if TABLE in text else f"\n{TABLE}\n"
        file.write_text(f"{text}{table}{options}\n", encoding="utf-8")
        return self

    def build(self, name: str = "", **environment: str) -> Built:
        """Build a release.

        Args:
            name: Which; the default one without it.
            environment: Variables such as HATCH_RELEASE_OVERWRITE.

        Raises:
            BuildError: When the build fails.
        """
        done, report = self._build(name, environment)
        if done.returncode != 0:
            raise BuildError(f"the build failed:\n{done.stdout}{done.stderr}")
        told = report["releases"][-1]
        return Built(Path(told["path"]), told["name"], told, done.stdout + done.stderr)

    def fail(self, name: str = "", **environment: str) -> str:
        """Build a release that can't be built, and give the error: a line for each problem.

        Args:
            name: Which; the default one without it.
            environment: Variables.

        Raises:
            BuildError: When the build succeeds.
        """
        done, report = self._build(name, environment)
        if done.returncode == 0:
            raise BuildError(f"the build succeeded:\n{done.stdout}{done.stderr}")
        return str(report["error"])

    def _build(self, name: str, environment: Mapping[str, str]) -> tuple[Done, dict[str, Any]]:
        """Build, and read what became of it."""
        with tempfile.TemporaryDirectory(prefix="release-") as place:
            variables = {REPORT: str(Path(place, "report.json")), **environment}
            target = f"release:{name}" if name else "release"
            done = self.builder.build(self.root, target=target, **variables)
            report = self.root / variables[REPORT]
            told = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {}
        return done, told or {"error": done.stderr.strip(), "releases": []}
