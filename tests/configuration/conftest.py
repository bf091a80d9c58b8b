"""The fixture `configured`, assembled once for each version of Python and run many times."""

from __future__ import annotations

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

    class ByVersion(dict[str, Configured]):
        def __missing__(self, minor: str) -> Configured:
            project = copy_fixture("configured", tmp_path_factory.mktemp(f"configured-{minor}"))
            self[minor] = Configured(project, builders[minor].release(project))
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
