"""Fixtures of pytest for those who write plugins and steps: make a project, assemble it, run its commands.

Everything is real: hatchling builds with what is installed where the tests run, and commands are those of `bin/NAME`.
In `conftest.py`:

```python
pytest_plugins = ["hatch_release.testing"]
```
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SYSTEM = '[build-system]\nrequires = ["hatchling", "hatch-release"]\nbuild-backend = "hatchling.build"\n\n'
PROJECT = '[project]\nname = "{name}"\nversion = "1.0.0"\n\n[project.scripts]\n{name} = "{name}:main"\n\n'
TABLE = "[tool.hatch.build.targets.release]\n"
MODULE = 'import sys\n\n\ndef main():\n    print("{name}", *sys.argv[1:])\n'
FOREIGN = ("HATCH_", "RELEASE_", "PYTHON", "VIRTUAL_ENV", "COVERAGE_")
"""How variables begin that would steer a build or a release from outside."""
SECONDS = 120
"""How long a command of a release may take, unless a test says otherwise."""


class BuildError(AssertionError):
    """A build that was to succeed has failed, or the other way round; tells what it printed."""


@dataclass(frozen=True)
class Result:
    """What a command has done."""

    exit_code: int
    stdout: str
    stderr: str


@dataclass(frozen=True)
class Built:
    """An assembled release."""

    root: Path
    """Where it is installed."""
    name: str
    report: Mapping[str, Any] = field(repr=False)
    """What HATCH_RELEASE_REPORT tells of it: `version`, `target`, `artifacts`, `warnings` and so on."""
    output: str = field(repr=False)
    """What the build printed on both streams."""

    @property
    def launcher(self) -> Path:
        """The script `bin/NAME`."""
        return self.root / "bin" / self.name

    @property
    def artifacts(self) -> list[Path]:
        """The archives, and what plugins have added."""
        return [Path(each["path"]) for each in self.report["artifacts"]]

    def run(self, *arguments: str, timeout: float = SECONDS, **environment: str) -> Result:
        """Run a command of `bin/NAME` to its end, with empty input.

        Args:
            arguments: The command and its own arguments.
            timeout: Seconds.
            environment: Variables besides those of the test.

        Raises:
            subprocess.TimeoutExpired: When it takes longer.
        """
        with self._place() as place:
            done = subprocess.run(
                [str(self.launcher), *arguments],
                env=_environment({"RELEASE_TMP": place, **environment}),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=timeout,
                check=False,
            )
        return Result(done.returncode, done.stdout, done.stderr)

    @contextlib.contextmanager
    def running(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """The release started with `start`; at the end it is asked to stop, and killed when it does not.

        Args:
            arguments: Those of `start`.
            environment: Variables besides those of the test.

        Yields:
            The process; its `stdout` holds both streams.
        """
        with (
            self._place() as place,
            subprocess.Popen(
                [str(self.launcher), "start", *arguments],
                env=_environment({"RELEASE_TMP": place, **environment}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process,
        ):
            try:
                yield process
            finally:
                _stop(process)

    @staticmethod
    def _place() -> tempfile.TemporaryDirectory[str]:
        """Where one command writes, so that tests of one release don't meet; short, since sockets lie there."""
        return tempfile.TemporaryDirectory(prefix="release-", ignore_cleanup_errors=True)


@dataclass(frozen=True)
class ReleaseProject:
    """A project of a test."""

    root: Path

    def write(self, files: Mapping[str, str]) -> ReleaseProject:
        """Write files, by their paths relative to the project; gives the project."""
        for name, text in files.items():
            file = self.root / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return self

    def configure(self, options: str) -> ReleaseProject:
        """Add lines of TOML to the target's table, the last one of `pyproject.toml`; gives the project."""
        file = self.root / "pyproject.toml"
        text = file.read_text(encoding="utf-8")
        file.write_text(f"{text}{'' if TABLE in text else TABLE}{options}\n", encoding="utf-8")
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

    def _build(
        self, name: str, environment: Mapping[str, str]
    ) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
        """Build, and read what became of it."""
        with tempfile.TemporaryDirectory(prefix="release-") as place:
            report = Path(place, "report.json")
            own = {"HATCH_RELEASE_REPORT": str(report)}
            target = f"release:{name}" if name else "release"
            done = subprocess.run(
                [sys.executable, "-m", "hatchling", "build", "-t", target],
                cwd=self.root,
                env=_environment({**own, **environment}),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                check=False,
            )
            told = json.loads(report.read_text(encoding="utf-8")) if report.is_file() else {}
        return done, told or {"error": done.stderr.strip(), "releases": []}


@pytest.fixture
def release_project(tmp_path: Path) -> ReleaseProject:
    """A project called `sample`, whose console script prints its name and its arguments; to be changed at will.

    Builds use the user's cache, or that of HATCH_RELEASE_CACHE_DIR, so that the second run of the tests is quick.
    """
    name = "sample"
    project = ReleaseProject(tmp_path / name)
    return project.write(
        {
            "pyproject.toml": SYSTEM + PROJECT.format(name=name) + TABLE,
            f"{name}.py": MODULE.format(name=name),
            "requirements.lock": "",
        }
    )


def _environment(more: Mapping[str, str]) -> dict[str, str]:
    """This process's environment without what would steer a build or a release, and with `more`."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(FOREIGN) or name == "HATCH_RELEASE_CACHE_DIR"
    }
    return {**kept, **more}


def _stop(process: subprocess.Popen[str]) -> None:
    """Ask a process to stop, and kill it when it does not."""
    if process.poll() is not None:
        return
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
