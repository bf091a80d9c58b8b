"""A sample project twice: installed into a plain virtual environment, and assembled into a release.

Both are asked the same question, and the answers, JSON, are made comparable: what differs by design (where things
are, and that code is compiled) is spelt alike. Everything else has to be equal.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from uv import find_uv_bin

from tests import interpreters
from tests.conftest import copy_fixture
from tests.projects import clean_environment

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.projects import Builder, Done

SITE = "SITE"
"""Stands for the directory that holds a distribution: site-packages, or one of `lib/` of a release."""
STDLIB = "STDLIB"
"""Stands for the directory of the standard library."""


@dataclass(frozen=True)
class Pair:
    """A sample project, installed and assembled."""

    project: Path
    """A copy of its sources."""
    venv: Path
    root: Path
    """The release."""
    script: str
    """Its console script."""
    cwd: Path
    """An empty directory to run in."""
    stdlib: str
    """The standard library that the virtual environment uses."""

    def in_venv(self, *arguments: str, **environment: str) -> Done:
        """Run the project's command in the virtual environment."""
        return self.run(str(self.venv / "bin" / self.script), *arguments, **environment)

    def in_release(self, *arguments: str, command: str = "start", **environment: str) -> Done:
        """Run the project's command, or another one of `bin/NAME`, in the release."""
        return self.run(str(self._launcher), command, *arguments, **environment)

    def run(self, *command: str, **environment: str) -> Done:
        """Run anything where nothing of the project or of this process's settings is at hand."""
        return subprocess.run(
            command,
            cwd=self.cwd,
            env=clean_environment(**environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def reports(self, *arguments: str, **environment: str) -> tuple[Any, Any]:
        """What the project's command prints in the virtual environment and in the release, comparable."""
        answers = []
        for run in (self.in_venv, self.in_release):
            done = run(*arguments, **environment)
            assert done.returncode == 0, f"{run.__name__}: {done.stdout}{done.stderr}"
            answers.append(self.comparable(json.loads(done.stdout)))
        return answers[0], answers[1]

    def comparable(self, answer: Any) -> Any:  # noqa: ANN401 - any JSON
        """The answer with all paths spelt as if virtual environment and release were the same."""
        if isinstance(answer, dict):
            return {self._neutral(key): self.comparable(value) for key, value in answer.items()}
        if isinstance(answer, list):
            return [self.comparable(value) for value in answer]
        return self._neutral(answer) if isinstance(answer, str) else answer

    @property
    def _launcher(self) -> Path:
        return next(path for path in (self.root / "bin").iterdir() if path.suffix != ".bat")

    def _neutral(self, text: str) -> str:
        stdlib = re.escape(self.stdlib)
        text = re.sub(rf"{re.escape(str(self.venv))}/lib/python3\.\d+/site-packages", SITE, text)
        text = re.sub(rf"{re.escape(str(self.root))}/lib/[^/\s]+", SITE, text)
        text = re.sub(rf"{re.escape(str(self.root))}/python-[^/]+/lib/python3\.\d+|{stdlib}", STDLIB, text)
        return re.sub(r"\.pyc\b", ".py", text)


def make(
    name: str,
    directory: Path,
    builder: Builder,
    prepare: Callable[[Path], None] = lambda _project: None,
    minor: str = interpreters.running(),
) -> Pair:
    """Install and assemble the sample project `name` below `directory`.

    Args:
        name: Its directory in `fixtures/`.
        directory: An empty directory.
        builder: The environment to build in.
        prepare: Completes the copy of the project before anything is built.
        minor: The version of Python; that of the builder.
    """
    project = copy_fixture(name, directory)
    prepare(project)
    venv, cwd = directory / "venv", directory / "elsewhere"
    cwd.mkdir()
    uv = find_uv_bin()
    run_quietly(uv, "venv", "--python", str(interpreters.find(minor)), venv)
    pip = (uv, "pip", "install", "--python", venv)
    wheel = build_wheel(project, directory / "wheel")
    run_quietly(*pip, "--require-hashes", "--no-deps", "-r", project / "requirements.lock", cwd=project)
    run_quietly(*pip, "--no-deps", wheel)
    where = (venv / "bin" / "python", "-c", "import os; print(os.path.dirname(os.__file__))")
    stdlib = subprocess.run(where, env=clean_environment(), check=True, capture_output=True, text=True).stdout
    return Pair(project, venv, builder.release(project), name.replace("_", "-"), cwd, stdlib.strip())


def build_wheel(project: Path, directory: Path) -> Path:
    """Build a project's wheel into the new `directory`, without isolation: hatch-release is on no index."""
    run_quietly(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", directory, cwd=project)
    (wheel,) = directory.glob("*.whl")
    return wheel


def run_quietly(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a tool that must succeed, and show what it said where it does not."""
    done = subprocess.run(
        command, cwd=cwd, env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
