"""Fixtures of pytest for those who write plugins and steps: make a project, assemble it, run its commands.

Everything is real: hatchling builds with what is installed where the tests run, and commands are those of `bin/NAME`.
In `conftest.py`:

```python
pytest_plugins = ["hatch_release.testing"]
```
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_release.testing.built import Built
from hatch_release.testing.processes import clean_environment, run
from hatch_release.testing.project import Builder, BuildError, ReleaseProject

if TYPE_CHECKING:
    from pathlib import Path

__all__ = [
    "BuildError",
    "Builder",
    "Built",
    "ReleaseProject",
    "clean_environment",
    "release_builder",
    "release_project",
    "run",
]

NAME = "sample"
PROJECT = f"""[project]
name = "{NAME}"
version = "1.0.0"

[project.scripts]
{NAME} = "{NAME}:main"

[tool.hatch.build.targets.release]
"""
MODULE = f'import sys\n\n\ndef main():\n    print("{NAME}", *sys.argv[1:])\n'


@pytest.fixture
def release_builder() -> Builder:
    """What `release_project` is built with: the environment of the tests; override it to build in another one."""
    return Builder()


@pytest.fixture
def release_project(tmp_path: Path, release_builder: Builder) -> ReleaseProject:
    """A project called `sample`, whose console script prints its name and its arguments; to be changed at will.

    Builds use the user's cache, or that of HATCH_RELEASE_CACHE_DIR, so that the second run of the tests is quick.
    """
    project = ReleaseProject(tmp_path / NAME, release_builder)
    return project.write({"pyproject.toml": PROJECT, f"{NAME}.py": MODULE, "requirements.lock": ""})
