"""Everything that a program finds in a virtual environment, it finds in a release: modules, data, shared packages."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests import bare_root, interpreters, side_by_side
from tests.side_by_side import SITE, build_wheel
from tests.wheels import locked

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder
    from tests.side_by_side import Pair

PORTIONS = {
    "backports": ("backports_tarfile", "configparser"),
    "jaraco": ("jaraco_context", "jaraco_functools", "jaraco_text", "namespaces"),
    "paste": ("paste", "pastedeploy"),
    "quay": ("quay_north", "quay_south"),
    "zope": ("zope_event", "zope_interface"),
}
"""The distributions that each shared package is made of."""


def build_portions(project: Path) -> None:
    """Build the distributions in `portions/`, which are on no index, and add them to the lock."""
    with (project / "requirements.lock").open("a", encoding="utf-8") as lock:
        for portion in sorted((project / "portions").iterdir()):
            lock.write(
                locked(
                    portion.name.replace("_", "-"), build_wheel(portion, project / "wheels" / portion.name)
                )
            )


def make(name: str, builders: dict[str, Builder], factory: pytest.TempPathFactory, **options: Any) -> Pair:  # noqa: ANN401 - handed on
    return side_by_side.make(name, factory.mktemp(name), builders[interpreters.running()], **options)


@pytest.fixture(scope="module")
def namespaces(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make("namespaces", builders, tmp_path_factory, prepare=build_portions)


@pytest.fixture(scope="module")
def resources(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make("resources", builders, tmp_path_factory)


@pytest.fixture(scope="module")
def sdist_only(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make("sdist_only", builders, tmp_path_factory)


@pytest.fixture(scope="module")
def colocated(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return make("colocated", builders, tmp_path_factory)


def in_bare_root(pair: Pair, directory: Path, *arguments: str, **environment: str) -> Any:  # noqa: ANN401 - any JSON
    """What a command of the release prints where there is nothing but glibc and a shell."""
    bare = bare_root.make(directory / "bare")
    variables = [f"{name}={value}" for name, value in environment.items()]
    launcher = f"{bare_root.PLACE}/bin/{pair.root.name}"
    done = bare_root.run(bare, pair.root, "/bin/env", *variables, launcher, *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


# -- on other versions of Python

ENDS = sorted({interpreters.available()[0], interpreters.available()[-1]} - {interpreters.running()})
ASKED = {"namespaces": ["report"], "resources": ["data"], "sdist_only": ["report", "--table=6"]}


@pytest.mark.parametrize(
    "name",
    [
        "resources",
        pytest.param("namespaces", marks=pytest.mark.long),
        pytest.param("sdist_only", marks=pytest.mark.long),
    ],
)
@pytest.mark.parametrize("minor", ENDS)
def test_the_oldest_and_the_newest_python_find_the_same(
    builders: dict[str, Builder], tmp_path: Path, name: str, minor: str
) -> None:
    prepare = build_portions if name == "namespaces" else lambda _project: None
    pair = side_by_side.make(name, tmp_path, builders[minor], prepare, minor)
    expected, seen = pair.reports(*ASKED[name])
    assert seen == expected


# -- namespaces


@pytest.fixture(scope="module")
def views(namespaces: Pair) -> tuple[Any, Any]:
    """What the program sees in the virtual environment and in the release."""
    return namespaces.reports("report")


@pytest.mark.parametrize("name", PORTIONS)
def test_a_shared_package_holds_what_it_holds_in_a_venv(views: tuple[Any, Any], name: str) -> None:
    expected, seen = (view["packages"][name] for view in views)
    assert seen == expected


@pytest.mark.parametrize("name", PORTIONS)
def test_a_shared_package_is_made_of_the_portions_of_all_its_distributions(
    namespaces: Pair, name: str
) -> None:
    code = (
        f"import warnings; warnings.simplefilter('ignore'); import {name}; print(*{name}.__path__, sep='\\n')"
    )
    done = namespaces.in_release(code, command="eval")
    assert done.returncode == 0, done.stderr
    lib = namespaces.root / "lib"
    homes = [path.relative_to(lib).parts[0] for path in map(lib.joinpath, done.stdout.splitlines())]
    owners = {re.sub(r"[-.]", "_", home.rpartition("-")[0].lower()) for home in homes}
    assert owners == set(PORTIONS[name])
    assert len(homes) == len(set(homes))


@pytest.mark.parametrize("name", PORTIONS)
def test_modules_of_all_portions_are_imported(views: tuple[Any, Any], name: str) -> None:
    expected, seen = (
        {module: facts for module, facts in view["modules"].items() if module.startswith(f"{name}.")}
        for view in views
    )
    assert seen == expected


@pytest.mark.parametrize("name", ["jaraco", "jaraco.charts", "jaraco.harbour"])
def test_data_inside_shared_packages_is_found(views: tuple[Any, Any], name: str) -> None:
    expected, seen = (view["resources"][name] for view in views)
    assert seen == expected


def test_the_sample_itself_works_in_a_venv(views: tuple[Any, Any]) -> None:
    assert '"raised"' not in json.dumps(views[0])


def test_pth_lines_do_what_they_do_in_a_venv(views: tuple[Any, Any]) -> None:
    expected, seen = (view["pth"] for view in views)
    assert seen == expected
    assert seen["module on its path"] == f"{SITE}/tides_vendored/ebb.py"
    assert seen["started"] == ["first", "second"]


@pytest.mark.parametrize("part", ["packages", "modules", "resources", "pth"])
def test_a_child_interpreter_sees_the_same(namespaces: Pair, views: tuple[Any, Any], part: str) -> None:
    _, seen = namespaces.reports("child")
    assert seen[part] == views[0][part]


def test_time_zones_and_certificates_are_there_without_distributions_for_them(
    namespaces: Pair, tmp_path: Path
) -> None:
    code = (
        "import datetime, json, ssl, zoneinfo;"
        "summer = datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo('Europe/Berlin'));"
        "print(json.dumps([str(summer.utcoffset()), ssl.create_default_context().cert_store_stats()['x509_ca']]))"
    )
    offset, certificates = in_bare_root(namespaces, tmp_path, "eval", code)
    assert offset == "2:00:00"
    assert certificates > 50


# -- resources

WAYS = (
    "__file__",
    "importlib.resources",
    "pkgutil",
    "loader",
    "runpy",
    "python -m",
    "python -c",
    "inspect",
    "lazy",
)


@pytest.fixture(scope="module")
def found(resources: Pair) -> tuple[Any, Any]:
    return resources.reports("data")


@pytest.mark.parametrize("way", WAYS)
def test_data_and_modules_are_found(found: tuple[Any, Any], way: str) -> None:
    expected, seen = (view[way] for view in found)
    assert seen == expected


def test_a_functions_file_is_its_place_in_the_release(resources: Pair) -> None:
    # What its code says, which is the same wherever the release is.
    done = resources.in_release(
        "import inspect, zipp; print(inspect.getfile(zipp.Path.open))", command="eval"
    )
    assert re.fullmatch(r"lib/zipp-[\d.]+/zipp/__init__\.py\n", done.stdout), done.stderr


def test_all_ways_are_compared(found: tuple[Any, Any]) -> None:
    assert set(found[0]) == set(WAYS)


@pytest.mark.parametrize("term", ["xterm-256color", "linux", "vt100", "screen-256color", "dumb"])
def test_terminals_are_known(resources: Pair, tmp_path: Path, term: str) -> None:
    expected, seen = (view["terminal"] for view in resources.reports("machine", TERM=term))
    assert "error" not in expected
    assert seen == expected
    assert in_bare_root(resources, tmp_path, "start", "machine", TERM=term)["terminal"] == expected


def test_certificates_are_found(resources: Pair, tmp_path: Path) -> None:
    expected, seen = (view["certificates"] for view in resources.reports("machine"))
    assert seen == expected
    bare = in_bare_root(resources, tmp_path, "start", "machine")["certificates"]
    assert bare["certifi"] == expected["certifi"] > 50
    assert bare["default"] > 50


def test_the_users_certificates_come_first(resources: Pair, tmp_path: Path) -> None:
    none = tmp_path / "none.pem"
    none.touch()
    _, seen = resources.reports("machine", SSL_CERT_FILE=str(none), SSL_CERT_DIR=str(tmp_path))
    assert seen["certificates"]["default"] == 0
    assert seen["certificates"]["certifi"] > 50


def test_time_zones_are_found(resources: Pair, tmp_path: Path) -> None:
    expected, seen = (view["zones"] for view in resources.reports("machine"))
    assert seen == expected
    assert in_bare_root(resources, tmp_path, "start", "machine")["zones"] == expected
    assert expected["summer"] == "2:00:00"


# -- sdist_only


def test_source_distributions_are_built_and_the_projects_own_decisions_count(sdist_only: Pair) -> None:
    expected, seen = sdist_only.reports("report", "--table=6")
    # In the environment is all that the lock holds; a release has what the project asks for.
    assert seen == expected
    assert seen["table"] == [6, 12, 18, 24, 30, 36, 42, 48, 54, 60]
    assert seen["versions"] == ["4.5.6.post1"] * 3
    assert seen["checksum"] == "e3069283"
    assert {name for name, version in seen["installed"].items() if version} == {
        "crcmod",
        "docopt",
        "markupsafe",
        "sdist-only",
    }
    assert "manylinux" not in json.dumps(seen["tags"])


def test_the_dynamic_version_is_the_releases(sdist_only: Pair) -> None:
    assert (sdist_only.root / "releases" / "4.5.6.post1").is_dir()
    assert sdist_only.in_release("--version").stdout == "4.5.6.post1\n"


# -- colocated


@pytest.mark.long
def test_distributions_that_cannot_be_split_are_placed_together(colocated: Pair) -> None:
    expected, seen = colocated.reports("paint", QT_QPA_PLATFORM="offscreen")
    assert seen == expected
    assert (seen["size"], seen["pixel"]) == ([120, 40], "#2a6f97")
    homes = {path.parent.name for path in (colocated.root / "lib").glob("*/*shiboken6*")}
    homes |= {path.parent.name for path in (colocated.root / "lib").glob("*/PySide6")}
    assert len(homes) == 1


@pytest.mark.long
def test_a_bare_target_brings_the_graphics_driver_and_nothing_else(colocated: Pair, tmp_path: Path) -> None:
    bare = bare_root.make(tmp_path / "bare")
    paint = ["/bin/env", "QT_QPA_PLATFORM=offscreen", f"{bare_root.PLACE}/bin/colocated", "start", "paint"]
    without = bare_root.run(bare, colocated.root, *paint)
    assert "libGL.so.1: cannot open shared object file" in without.stderr
    bare_root.add_libraries(bare, "libGL.so.1", "libEGL.so.1")
    done = bare_root.run(bare, colocated.root, *paint)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pixel"] == "#2a6f97"


@pytest.mark.long
def test_a_child_paints_too(colocated: Pair) -> None:
    code = "import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-m', 'colocated', 'paint']))"
    done = colocated.in_release(code, command="eval", QT_QPA_PLATFORM="offscreen")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pixel"] == "#2a6f97"
