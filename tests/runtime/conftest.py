"""Releases that are assembled once and run many times."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.runtime.daemons import Daemons
from tests.runtime.nodes import Nodes, copy_with_free_ports
from tests.runtime.probe import Probe
from tests.runtime.systems import System

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.projects import Builder
    from tests.runtime.daemons import MakeDaemon


@pytest.fixture(scope="session")
def probes(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Probe]:
    """The probe by minor version of Python; made when first asked for."""

    shared = _shared_by_workers(tmp_path_factory, "probes")

    class Probes(dict[str, Probe]):
        def __missing__(self, minor: str) -> Probe:
            with (shared / f"{minor}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                self[minor] = Probe.make(minor, builders, shared / minor)
            return self[minor]

    return Probes()


@pytest.fixture(scope="session")
def probe(probes: dict[str, Probe]) -> Probe:
    """The probe on the version of Python that the tests run on."""
    return probes[interpreters.running()]


@pytest.fixture(scope="session", params=interpreters.available())
def each_probe(request: pytest.FixtureRequest, probes: dict[str, Probe]) -> Probe:
    """The probe on each version of Python."""
    return probes[str(request.param)]


@pytest.fixture
def make(probe: Probe, tmp_path: Path) -> Iterator[MakeDaemon]:
    """Makes daemons that run a program in the probe."""
    with Daemons(probe, tmp_path) as daemons:
        yield daemons.make


@pytest.fixture(scope="session")
def applications(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The launcher of the fixture `applications`."""
    project = copy_with_free_ports("applications", tmp_path_factory.mktemp("applications"))
    return builders[interpreters.running()].release(project) / "bin" / "applications"


@pytest.fixture(scope="session", params=dict.fromkeys([interpreters.running(), *interpreters.available()]))
def node_root(
    request: pytest.FixtureRequest, builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The root of the fixture `applications`, assembled for each version of Python."""
    return _released(tmp_path_factory, builders[request.param], "applications", str(request.param))


def _released(factory: pytest.TempPathFactory, builder: Builder, name: str, minor: str) -> Path:
    """The root of a fixture's release on a version of Python, assembled by the first worker that wants it."""
    directory = _shared_by_workers(factory, name) / minor
    with directory.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        root = directory / name / "dist" / "release" / name
        return root if root.exists() else builder.release(copy_with_free_ports(name, directory))


@pytest.fixture
def nodes(node_root: Path, tmp_path: Path) -> Iterator[Nodes]:
    """Starts nodes of that release, and leaves none."""
    started = Nodes(node_root, tmp_path)
    yield started
    started.kill()


@pytest.fixture(scope="session", params=dict.fromkeys([interpreters.running(), *interpreters.available()]))
def inspected(
    request: pytest.FixtureRequest, builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The launcher of the fixture `inspected`, a release with IPython, on each version of Python."""
    root = _released(tmp_path_factory, builders[request.param], "inspected", str(request.param))
    return root / "bin" / "inspected"


def _shared_by_workers(factory: pytest.TempPathFactory, name: str) -> Path:
    """A directory that the workers of pytest-xdist share."""
    base = factory.getbasetemp()
    directory = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    directory.mkdir(exist_ok=True)
    return directory


@pytest.fixture
def system(each_probe: Probe, tmp_path: Path) -> Iterator[System]:
    """A system to start, on each version of Python."""
    made = System(each_probe.launcher, tmp_path)
    yield made
    made.kill()


@pytest.fixture
def one(probe: Probe, tmp_path: Path) -> Iterator[System]:
    """A system to start, on the version of Python that the tests run on."""
    made = System(probe.launcher, tmp_path)
    yield made
    made.kill()
