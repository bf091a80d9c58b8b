"""The fixture `configured`, assembled once for each version of Python and run many times."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.configuration.configured import Configured
from tests.conftest import copy_fixture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder


@pytest.fixture(scope="session")
def by_version(
    builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Configured]:
    """The assembled fixture by minor version of Python; made when first asked for."""
    base = tmp_path_factory.getbasetemp()
    # The workers of pytest-xdist share them.
    shared = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "configured"
    shared.mkdir(exist_ok=True)

    class ByVersion(dict[str, Configured]):
        def __missing__(self, minor: str) -> Configured:
            directory = shared / minor
            with (shared / f"{minor}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if not directory.exists():
                    directory.mkdir()
                    builders[minor].release(copy_fixture("configured", directory))
            project = directory / "configured"
            self[minor] = Configured(project, project / "dist" / "release" / "configured")
            return self[minor]

    return ByVersion()


@pytest.fixture(params=interpreters.available())
def each(request: pytest.FixtureRequest, by_version: dict[str, Configured]) -> Configured:
    """The fixture, assembled with each version of Python."""
    return by_version[str(request.param)]


@pytest.fixture
def configured(by_version: dict[str, Configured]) -> Configured:
    """The fixture, assembled with the version of Python that the tests run on."""
    return by_version[interpreters.running()]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the fixture, to change at will."""
    return copy_fixture("configured", tmp_path)
