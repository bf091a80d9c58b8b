"""What the end-to-end tests share: hatch-release as a wheel, environments to build in, assembled fixtures."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from uv import find_uv_bin

from tests import interpreters
from tests.projects import FIXTURES, ROOT, Builder

# A test machine may switch bytecode off for its own Python; what is tested must not see that.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What builds keep for each other, for all workers of this run and nobody else."""
    base = tmp_path_factory.getbasetemp()
    directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    os.environ["HATCH_RELEASE_CACHE_DIR"] = str(directory)
    return directory


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the wheel of hatch-release."""
    directory = tmp_path_factory.mktemp("wheels")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return directory


@pytest.fixture(scope="session")
def builders(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> dict[str, Builder]:
    """Environments with hatchling and hatch-release by minor version of Python; made when first asked for."""

    class Builders(dict[str, Builder]):
        def __missing__(self, minor: str) -> Builder:
            directory = tmp_path_factory.mktemp(f"builder-{minor}")
            self[minor] = Builder.create(minor, directory, wheels)
            return self[minor]

    return Builders()


@pytest.fixture
def builder(builders: dict[str, Builder]) -> Builder:
    """An environment to build in, of one version of Python."""
    return builders[interpreters.running()]


@pytest.fixture
def release_builder(builder: Builder) -> Builder:
    """The kit's projects are built with the wheel, as all others."""
    return builder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the smallest fixture, to change at will."""
    return copy_fixture("hello", tmp_path)


def copy_fixture(name: str, directory: Path) -> Path:
    """A copy of the fixture `name` below `directory`."""
    ignored = shutil.ignore_patterns("dist", "__pycache__")
    return Path(shutil.copytree(FIXTURES / name, directory / name, ignore=ignored))


@pytest.fixture(scope="session")
def uv() -> str:
    """The program uv."""
    return str(find_uv_bin())
