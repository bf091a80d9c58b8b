"""One project gives one release, byte for byte: whoever builds it, wherever, whenever, and from what cache."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from hatch_release.units.bytecode import compile_tree
from tests import interpreters
from tests.builds import configure
from tests.conftest import copy_fixture
from tests.projects import Builder, clean_environment
from tests.test_completeness import build_portions
from tests.trees import snapshot, write_files

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FIXTURES = ("namespaces", pytest.param("webapp", marks=pytest.mark.long))
OPTIONS = 'steps = ["assemble", "tar"]\ncookie = "the-same-in-every-build"'
ELSEWHERE = "andere Maschine é"
NOW = "2031-02-03 04:05:06"
PROCESSORS = "/sys/devices/system/cpu/online"
"""Where the C library counts processors; `taskset` alone changes only how many may be used."""


@dataclass(frozen=True)
class Machine:
    """What differs between two who build the same project."""

    builder: Builder
    directory: Path
    umask: int
    environment: dict[str, str]
    prefix: Sequence[str] = ()
    """Programs that run the build in another world."""

    def build(self, project: Path, cache: Path) -> Path:
        """Build a project with a cache; give the directory with the release and its archive."""
        done = subprocess.run(
            [*self.prefix, str(self.builder.python), "-m", "hatchling", "build", "-t", "release"],
            cwd=project,
            env=clean_environment(
                HATCH_RELEASE_CACHE_DIR=str(cache), HATCH_RELEASE_OVERWRITE="1", **self.environment
            ),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            umask=self.umask,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return project / "dist" / "release"


def program(name: str) -> str:
    """A program of the system that another world is made with."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


@pytest.fixture(scope="module")
def here(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """This machine, as it is."""
    directory = tmp_path_factory.mktemp("here")
    return Machine(
        builders[interpreters.running()],
        directory,
        0o022,
        {"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "0", "TZ": "UTC"},
    )


@pytest.fixture(scope="module")
def elsewhere(wheels: Path, tmp_path_factory: pytest.TempPathFactory, uv: str) -> Machine:
    """Another directory, user, date, locale, umask and number of processors, and hatch-release installed elsewhere."""
    directory = tmp_path_factory.mktemp("there") / ELSEWHERE
    home, temporary = directory / "home", directory / "tmp"
    for each in (home, temporary):
        each.mkdir(parents=True)
    online = directory / "online"
    online.write_text(f"0-{(os.cpu_count() or 1) + 2}\n", encoding="ascii")
    before = os.umask(0o077)
    try:
        builder = Builder.create(interpreters.running(), directory / "builder", wheels)
    finally:
        os.umask(before)
    cache = subprocess.run([uv, "cache", "dir"], check=True, capture_output=True, text=True).stdout.strip()
    environment = {
        "HOME": str(home),
        "LANG": "C",
        "LC_ALL": "POSIX",
        "PYTHONHASHSEED": "4711",
        "TMPDIR": str(temporary),
        "TZ": "Asia/Kathmandu",
        # What was downloaded is at hand: certificates of servers are not valid on that day.
        "UV_CACHE_DIR": cache,
        "UV_OFFLINE": "1",
    }
    prefix = [program("bwrap"), "--dev-bind", "/", "/", "--ro-bind", str(online), PROCESSORS, "--"]
    prefix += [program("taskset"), "-c", "0", program("faketime"), "-f", NOW]
    return Machine(builder, directory, 0o077, environment, prefix)


def release(machine: Machine, name: str, directory: Path, cache: Path) -> dict[str, object]:
    """What the sample project `name` becomes below `directory`, as plain data."""
    directory.mkdir()
    project = configure(copy_fixture(name, directory), OPTIONS)
    if name == "namespaces":
        build_portions(project)
    for path in (project, *project.rglob("*")):  # as who checks it out under that umask
        path.chmod(path.stat().st_mode & ~machine.umask)
    return snapshot(machine.build(project, cache))


@pytest.fixture(scope="module", params=FIXTURES)
def name(request: pytest.FixtureRequest) -> str:
    """A sample project."""
    return str(request.param)


@pytest.fixture(scope="module")
def expected(name: str, here: Machine) -> dict[str, object]:
    """The release, built with an empty cache."""
    return release(here, name, here.directory / name, here.directory / f"cache {name}")


SETS = "def f(x):\n    return x in {'a', 'b', 'c', 'd', 'e'}, x in {b'a', 1, 'é', None}\n"


@pytest.mark.parametrize("minor", interpreters.available())
def test_sets_are_compiled_the_same_whatever_hashes_they_have(minor: str, tmp_path: Path) -> None:
    python = interpreters.find(minor)
    assert python is not None
    compiled = set()
    for number in range(6):
        root = tmp_path / str(number)
        write_files(root, {"lib/one/sets.py": SETS})
        compile_tree(root, [root / "lib/one/sets.py"], python)
        compiled.add((root / "lib/one/sets.pyc").read_bytes())
    assert len(compiled) == 1


def differences(one: dict[str, object], other: dict[str, object]) -> list[str]:
    """The paths that are not the same in both."""
    return sorted(path for path in one.keys() | other.keys() if one.get(path) != other.get(path))


def test_it_is_the_same_from_a_warm_cache(name: str, here: Machine, expected: dict[str, object]) -> None:
    again = release(here, name, here.directory / f"{name} again", here.directory / f"cache {name}")
    assert differences(again, expected) == []


def test_it_is_the_same_elsewhere(name: str, elsewhere: Machine, expected: dict[str, object]) -> None:
    again = release(elsewhere, name, elsewhere.directory / name, elsewhere.directory / f"cache {name}")
    assert differences(again, expected) == []


def test_it_is_the_same_elsewhere_from_the_cache_of_here(
    name: str, here: Machine, elsewhere: Machine, expected: dict[str, object]
) -> None:
    cache = here.directory / f"cache {name}"
    again = release(elsewhere, name, elsewhere.directory / f"{name} again", cache)
    assert differences(again, expected) == []


def test_all_of_it_was_compared(name: str, expected: dict[str, object]) -> None:
    assert f"{name}/bin/{name}" in expected
    assert [path for path in expected if path.startswith(f"{name}-") and path.endswith(".tar.zst")]
