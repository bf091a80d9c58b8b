from __future__ import annotations

import shutil
import sys
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement

from hatch_release.dependencies.closure import closure, project_roots
from hatch_release.dependencies.distributions import place, read_distributions, shared_files
from hatch_release.dependencies.installer import install
from hatch_release.dependencies.lock import Lock
from hatch_release.errors import ReleaseError
from tests.wheels import locked, make_wheel

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = {key: str(value) for key, value in default_environment().items()}
ENVIRONMENT = {**HERE, "python_version": "3.12", "sys_platform": "linux"}
ODD_FILES = {
    "odd/__init__.py": "",
    "odd/data.txt": "data\n",
    "Odd-1.0.data/scripts/odd-script": "#!python\n",
    "Odd-1.0.data/headers/odd.h": "/* C */\n",
    "Odd-1.0.data/data/share/odd/odd.1": ".TH ODD\n",
}
SCRIPTS = "[console_scripts]\nodd = odd:main\n\n[odd.plugins]\nfirst = odd:First\n"


def site_of(tmp_path: Path, *wheels: Path) -> Path:
    """A flat directory that the real installer filled with `wheels`."""
    first, *others = wheels
    lines = [locked(wheel.name.split("-")[0], wheel) for wheel in others]
    (tmp_path / "requirements.txt").write_text("".join(lines), "utf-8")
    lock = Lock(tmp_path / "requirements.txt", "requirements")
    site = tmp_path / "site"
    install(wheel=first, lock=lock, python=Path(sys.executable), destination=site, root=tmp_path)
    return site


def needs(tmp_path: Path, **requires: list[str]) -> Path:
    """A flat directory of distributions that need each other as `requires` says."""
    wheels = [
        make_wheel(tmp_path / "wheels", name, requires=wanted, extras=["fast", "all"])
        for name, wanted in requires.items()
    ]
    return site_of(tmp_path, *wheels)


def chosen(
    site: Path, *roots: str, environment: Mapping[str, str] = ENVIRONMENT, check: bool = True
) -> list[str]:
    wanted = [Requirement(root) for root in roots]
    return list(closure(read_distributions(site), wanted, environment, check=check))


@pytest.fixture
def odd(tmp_path: Path) -> Path:
    wheel = make_wheel(
        tmp_path, "Odd", requires=["idna>=1.*; extra == 'x'"], files=ODD_FILES, entry_points=SCRIPTS
    )
    return site_of(tmp_path, wheel)


def test_a_distribution_is_read_from_its_dist_info(odd: Path) -> None:
    (distribution,) = read_distributions(odd).values()
    assert (distribution.name, distribution.version, distribution.summary) == (
        "odd",
        "1.0",
        "The Odd of the tests",
    )
    assert (distribution.directory, distribution.info) == ("Odd-1.0", "Odd-1.0.dist-info")
    assert distribution.entry_points == {
        "console_scripts": {"odd": "odd:main"},
        "odd.plugins": {"first": "odd:First"},
    }


def test_a_requirement_that_pep_440_does_not_allow_keeps_its_name_and_marker(odd: Path) -> None:
    (distribution,) = read_distributions(odd).values()
    assert [str(required) for required in distribution.requires] == ['idna; extra == "x"']


def test_scripts_headers_and_what_the_installer_left_are_not_owned(odd: Path) -> None:
    (distribution,) = read_distributions(odd).values()
    assert (odd / "bin" / "odd").exists()
    assert [str(file) for file in distribution.files] == [
        "Odd-1.0.dist-info/METADATA",
        "Odd-1.0.dist-info/RECORD",
        "Odd-1.0.dist-info/WHEEL",
        "Odd-1.0.dist-info/entry_points.txt",
        "odd/__init__.py",
        "odd/data.txt",
        "share/odd/odd.1",
    ]


def test_a_package_named_bin_is_a_package(tmp_path: Path) -> None:
    site = site_of(tmp_path, make_wheel(tmp_path, "boxes", files={"bin/__init__.py": "", "bin/box.py": ""}))
    assert PurePosixPath("bin/box.py") in read_distributions(site)["boxes"].files


@pytest.mark.parametrize("name", ["RECORD", "METADATA"])
def test_a_dist_info_without_its_files(odd: Path, name: str) -> None:
    (odd / "Odd-1.0.dist-info" / name).unlink()
    with pytest.raises(ReleaseError, match=rf"Odd-1\.0\.dist-info has no {name}: "):
        read_distributions(odd)


def test_a_legacy_egg_info(odd: Path) -> None:
    (odd / "old_one-2.0-py3.11.egg-info").mkdir()
    with pytest.raises(ReleaseError, match=r"old_one-2\.0-py3\.11\.egg-info has no list of its files"):
        read_distributions(odd)


def test_two_versions_in_one_directory(odd: Path) -> None:
    shutil.copytree(odd / "Odd-1.0.dist-info", odd / "odd-2.0.dist-info")
    with pytest.raises(ReleaseError, match=r"Odd-1\.0\.dist-info and odd-2\.0\.dist-info"):
        read_distributions(odd)


def test_the_closure_holds_what_is_needed_dependencies_first(tmp_path: Path) -> None:
    site = needs(tmp_path, demo=["middle"], middle=["bottom>=1"], bottom=[], unrelated=["bottom"])
    assert chosen(site, "demo") == ["bottom", "middle", "demo"]


def test_extras_are_followed_through_other_extras(tmp_path: Path) -> None:
    site = needs(
        tmp_path,
        demo=["helper[fast]; extra == 'all'", "demo[all]; extra == 'fast'"],
        helper=["engine; extra == 'fast'", "other; extra == 'all'"],
        engine=[],
        other=[],
    )
    assert chosen(site, "demo") == ["demo"]
    assert chosen(site, "demo[Fast]") == ["engine", "helper", "demo"]


def test_markers_are_those_of_the_interpreter_given(tmp_path: Path) -> None:
    site = needs(tmp_path, demo=["backport; python_version < '3.11'"], backport=[])
    assert chosen(site, "demo") == ["demo"]
    assert chosen(site, "demo", environment={**ENVIRONMENT, "python_version": "3.10"}) == ["backport", "demo"]
    assert chosen(site, "demo", "backport; sys_platform == 'win32'") == ["demo"]


def test_a_cycle_is_walked_once(tmp_path: Path) -> None:
    site = needs(tmp_path, demo=["left"], left=["right"], right=["left"])
    assert sorted(chosen(site, "demo")) == ["demo", "left", "right"]
    assert chosen(site, "demo")[-1] == "demo"


def test_build_tools_and_what_only_they_need_stay_out(tmp_path: Path) -> None:
    site = needs(
        tmp_path, demo=["hatch_release", "shared"], hatch_release=["tool", "shared"], tool=[], shared=[]
    )
    assert chosen(site, "demo") == ["shared", "demo"]


@pytest.mark.parametrize(
    ("requires", "message"),
    [
        ("missing>=2", "demo 1.0 requires missing>=2, but it is not locked: make the lock again"),
        ("helper>=2", "demo 1.0 requires helper>=2, but 1.0 is locked: make the lock again"),
    ],
)
def test_a_requirement_that_is_not_met(tmp_path: Path, requires: str, message: str) -> None:
    site = needs(tmp_path, demo=[requires], helper=[])
    with pytest.raises(ReleaseError) as caught:
        chosen(site, "demo")
    assert str(caught.value).startswith(message)


def test_without_the_check_what_is_there_is_taken(tmp_path: Path) -> None:
    site = needs(tmp_path, demo=["missing", "helper>=2"], helper=[])
    assert chosen(site, "demo", check=False) == ["helper", "demo"]


def test_a_root_that_is_missing(tmp_path: Path) -> None:
    site = needs(tmp_path, demo=[])
    with pytest.raises(ReleaseError, match="the project requires mdurl, but it is not locked"):
        chosen(site, "demo", "mdurl")


PYPROJECT = {
    "project": {"name": "demo", "optional-dependencies": {"postgres": ["psycopg"]}},
    "dependency-groups": {"Ops": ["mdurl>=0.1", {"include-group": "base"}], "base": ["idna"]},
}


def test_the_roots_are_the_project_and_its_groups() -> None:
    roots = project_roots("demo", ["Postgres"], ["ops"], PYPROJECT)
    assert [str(root) for root in roots] == ["demo[Postgres]", "mdurl>=0.1", "idna"]


def test_an_unknown_extra_or_group_is_answered_with_the_nearest() -> None:
    with pytest.raises(
        ReleaseError, match=r"no extra 'postgras' in pyproject\.toml: did you mean 'postgres'\?"
    ):
        project_roots("demo", ["postgras"], [], PYPROJECT)
    with pytest.raises(ReleaseError, match=r"no dependency group 'web' in pyproject\.toml: it has base, ops"):
        project_roots("demo", [], ["web"], PYPROJECT)


def test_extras_that_only_the_back_end_knows_are_taken_as_they_are() -> None:
    dynamic = {"project": {"name": "demo", "dynamic": ["optional-dependencies"]}}
    assert [str(root) for root in project_roots("demo", ["web"], [], dynamic)] == ["demo[web]"]


def test_a_group_that_includes_itself() -> None:
    with pytest.raises(ReleaseError, match=r"\[dependency-groups\] in pyproject\.toml is wrong: "):
        project_roots("demo", [], ["a"], {"dependency-groups": {"a": [{"include-group": "a"}]}})


def test_a_distribution_moves_into_its_own_directory(odd: Path, tmp_path: Path) -> None:
    (odd / "odd" / "data.txt").chmod(0o755)
    (distribution,) = read_distributions(odd).values()
    home = place(distribution, odd, tmp_path / "lib")
    assert home == tmp_path / "lib" / "Odd-1.0"
    there = {PurePosixPath(path.relative_to(home)) for path in home.rglob("*") if path.is_file()}
    assert there == set(distribution.files)
    assert (home / "odd" / "data.txt").stat().st_mode & 0o777 == 0o755
    assert not (odd / "odd" / "data.txt").exists()
    assert not (odd / distribution.info).exists()


def test_the_record_lists_what_is_there(odd: Path, tmp_path: Path) -> None:
    (distribution,) = read_distributions(odd).values()
    home = place(distribution, odd, tmp_path / "lib")
    rows = (home / distribution.info / "RECORD").read_text("utf-8").splitlines()
    assert sorted(row.split(",")[0] for row in rows) == [str(file) for file in distribution.files]
    assert read_distributions(home) == {"odd": distribution}


def test_two_distributions_can_share_one_directory(tmp_path: Path) -> None:
    files = {"common/__init__.py": "", "common/left.py": ""}
    left = make_wheel(tmp_path, "left", files=files)
    right = make_wheel(tmp_path, "right", files={"common/__init__.py": "", "common/right.py": ""})
    site = site_of(tmp_path, left, right)
    found = read_distributions(site)
    assert shared_files(found.values()) == {PurePosixPath("common/__init__.py"): ["left", "right"]}
    homes = {place(one, site, tmp_path / "lib", directory="left-1.0") for one in found.values()}
    assert homes == {tmp_path / "lib" / "left-1.0"}
    assert read_distributions(homes.pop()) == found


def test_distributions_that_share_nothing(tmp_path: Path) -> None:
    site = needs(tmp_path, demo=[], helper=[])
    assert shared_files(read_distributions(site).values()) == {}


def test_real_distributions(tmp_path: Path) -> None:
    requires = ["anyio==4.4.0", "rich==13.9.4"]
    wheel = make_wheel(tmp_path, "demo", requires=requires)
    site = tmp_path / "site"
    install(wheel=wheel, lock=None, python=Path(sys.executable), destination=site, root=tmp_path)
    found = read_distributions(site)
    kept = closure(found, [Requirement("demo")], HERE)
    assert set(kept) == set(found)
    assert {"anyio", "idna", "sniffio", "rich", "markdown-it-py", "mdurl", "pygments"} <= set(kept)
    assert kept["anyio"].entry_points["pytest11"] == {"anyio": "anyio.pytest_plugin"}
    assert kept["rich"].directory == "rich-13.9.4"
    for distribution in kept.values():
        place(distribution, site, tmp_path / "lib")
    left = [path for path in site.rglob("*") if path.is_file() and path.parent != site / "bin"]
    assert left == []
