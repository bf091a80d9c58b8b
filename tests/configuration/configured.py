"""The fixture `configured` as tests use it: an assembled release that reports what it sees."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.projects import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Done

VERSION = "1.0.0"


@dataclass(frozen=True)
class Configured:
    """An assembled release."""

    project: Path
    root: Path

    def run(self, *arguments: str, cwd: Path | None = None, **environment: str) -> Done:
        """Run a command of `bin/configured`."""
        return run(self.root / "bin" / self.root.name, *arguments, cwd=cwd, **environment)

    def report(self, *arguments: str, **environment: str) -> dict[str, Any]:
        """What the application sees: each value of its configuration by its `repr`."""
        done = self.run("start", *arguments, cwd=None, **environment)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        return report

    @property
    def version_path(self) -> Path:
        """`releases/VSN`."""
        return self.root / "releases" / VERSION

    def clone(self, directory: Path) -> Configured:
        """A copy of the release, to change at will."""
        return Configured(self.project, shutil.copytree(self.root, directory / self.root.name, symlinks=True))
