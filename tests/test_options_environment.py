"""Options that variables of the environment give."""
# ruff: noqa: E501 - messages stand here whole, so that a search finds them

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_release.options.reading import Options
from tests.checked_options import load, only, problems

if TYPE_CHECKING:
    from collections.abc import Sequence


# The environment

FLAGS = ["OVERWRITE", "QUIET", "FORCE", "NO_COMPILE", "NO_DEPS_CHECK", "NO_PYTHON_VERSION_CHECK"]


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize(
    ("value", "held"),
    [
        ("1", True),
        ("true", True),
        ("Yes", True),
        ("ON", True),
        ("0", False),
        ("False", False),
        ("no", False),
        ("off", False),
        ("", False),
    ],
)
def test_a_flag_of_the_environment(flag: str, value: str, held: bool) -> None:  # noqa: FBT001 - a parameter of the test
    options = load({}, environ={f"HATCH_RELEASE_{flag}": value})["demo"]
    assert getattr(options, flag.lower()) is held


def test_the_environment_replaces_the_tables() -> None:
    target = {"version": "1", "path": "a", "overwrite": True, "releases": {"web": {"version": "2"}}}
    environ = {"HATCH_RELEASE_VERSION": "3", "HATCH_RELEASE_PATH": "b", "HATCH_RELEASE_OVERWRITE": "no"}
    assert load(target, environ=environ)["web"] == Options(version="3", path="b")


def test_an_empty_path_or_version_counts_as_not_set() -> None:
    assert only({"version": "1"}, HATCH_RELEASE_VERSION="", HATCH_RELEASE_PATH="") == Options(version="1")


def test_other_variables_are_not_ours() -> None:
    assert only({}, RELEASE_NAME="x", HATCH_ENV="y", HATCH_RELEASE="z") == Options()


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        (
            {"HATCH_RELEASE_QUITE": "1"},
            "HATCH_RELEASE_QUITE: unknown variable, did you mean 'HATCH_RELEASE_QUIET'?",
        ),
        ({"HATCH_RELEASE_STRIP": "1"}, "HATCH_RELEASE_STRIP: unknown variable"),
        (
            {"HATCH_RELEASE_QUIET": "2"},
            "HATCH_RELEASE_QUIET: expected 1, true, yes, on, 0, false, no or off, found '2'",
        ),
    ],
)
def test_a_wrong_variable_is_named(environ: dict[str, str], problem: str) -> None:
    assert problems({}, environ=environ) == [problem]


def test_a_version_of_the_environment_is_checked() -> None:
    (problem,) = problems({}, environ={"HATCH_RELEASE_VERSION": "1/2"})
    assert problem.startswith("HATCH_RELEASE_VERSION: expected a version of letters, digits")


@pytest.mark.parametrize("name", ["path", "version"])
@pytest.mark.parametrize("names", [(), ("web",), ("web", "worker")])
def test_one_path_or_version_is_not_for_several_releases(name: str, names: Sequence[str]) -> None:
    target = {"default-release": "web", "releases": {"web": {}, "worker": {}}}
    environ = {f"HATCH_RELEASE_{name.upper()}": "x1"}
    if len(names) < 2:
        assert getattr(load(target, *names, environ=environ)["web"], name) == "x1"
    else:
        assert problems(target, *names, environ=environ) == [
            f"HATCH_RELEASE_{name.upper()}: it holds for one release, and 2 are asked for (web, worker): assemble them one by one, or set the option {name} of each"
        ]
