"""What `importlib.metadata` answers in a release is what it answers in a virtual environment."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests import interpreters, side_by_side
from tests.projects import FIXTURES, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder
    from tests.side_by_side import Pair

DISTRIBUTIONS = ("certifi", "importlib_metadata", "Markdown", "resources", "tzdata", "zipp")
FACTS = (
    "name",
    "version",
    "requires",
    "keys",
    "values",
    "summary",
    "json",
    "entry points",
    "top level",
    "no such file",
    "wheel",
    "files",
    "located",
)
LOOKUPS = (
    "missing",
    "spellings",
    "requires",
    "metadata",
    "absent key",
    "files",
    "text of a file",
    "selected",
    "loaded",
    "by name",
    "discovered by name",
    "from",
)


@pytest.fixture(scope="module")
def resources(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Pair:
    return side_by_side.make(
        "resources", tmp_path_factory.mktemp("resources"), builders[interpreters.running()]
    )


@pytest.fixture(scope="module", params=["importlib.metadata", "importlib_metadata"])
def answers(request: pytest.FixtureRequest, resources: Pair) -> tuple[Any, Any]:
    """What one of the two modules says in the virtual environment and in the release."""
    options = ["--backport"] if request.param == "importlib_metadata" else []
    return resources.reports("metadata", *options)


def test_the_same_distributions_are_there(answers: tuple[Any, Any]) -> None:
    expected, seen = (set(view["distributions"]) for view in answers)
    assert seen == expected
    assert seen >= set(DISTRIBUTIONS)
    assert [view["count"] for view in answers] == [len(expected)] * 2


@pytest.mark.parametrize("fact", FACTS)
def test_every_distribution_tells_the_same(answers: tuple[Any, Any], fact: str) -> None:
    expected, seen = ({name: each[fact] for name, each in view["distributions"].items()} for view in answers)
    assert seen == expected


REPORT = """
import importlib.metadata, json, sys
sys.path.append({directory!r})
import metadata_report
print(json.dumps({{
    "distributions": {{
        each.name: metadata_report.distribution_facts(each)
        for each in importlib.metadata.distributions()
        if each.name not in metadata_report.UNLOCKED
    }},
    "entry points": metadata_report.entry_points(importlib.metadata),
}}))
"""
"""What every distribution of a project says, whatever the project is."""


@pytest.mark.parametrize(
    "name",
    ["webapp", *(pytest.param(each, marks=pytest.mark.long) for each in ("cli", "children", "sdist_only"))],
)
def test_every_distribution_of_other_projects_tells_the_same(
    builders: dict[str, Builder], tmp_path: Path, name: str
) -> None:
    pair = side_by_side.make(name, tmp_path, builders[interpreters.running()])
    code = REPORT.format(directory=str(FIXTURES / "resources" / "src" / "resources"))
    done = pair.run(str(pair.venv / "bin" / "python"), "-c", code), pair.in_release(code, command="eval")
    assert [each.returncode for each in done] == [0, 0], done
    expected, seen = (pair.comparable(json.loads(each.stdout)) for each in done)
    unneeded = expected["distributions"].keys() - seen["distributions"].keys()
    # The lock may hold more than the project needs on this machine.
    assert len(seen["distributions"]) >= 3
    for each in unneeded:
        del expected["distributions"][each]
    assert seen["distributions"] == expected["distributions"]
    if not unneeded:
        assert seen["entry points"] == expected["entry points"]


def test_record_is_rewritten_to_what_is_there(answers: tuple[Any, Any]) -> None:
    wrong = {name: each["files"]["wrong"] for name, each in answers[1]["distributions"].items()}
    assert [found for found in wrong.values() if found] == []


def test_entry_points_are_the_same(answers: tuple[Any, Any]) -> None:
    expected, seen = (view["entry points"] for view in answers)
    assert seen == expected
    assert {"console_scripts", "gui_scripts", "markdown.extensions", "resources.shapes"} <= set(seen)


def test_top_level_modules_are_known_by_their_distributions(answers: tuple[Any, Any]) -> None:
    expected, seen = (view["packages"] for view in answers)
    assert {name: seen.get(name) for name in expected} == expected


@pytest.mark.parametrize("lookup", LOOKUPS)
def test_lookups_give_the_same(answers: tuple[Any, Any], lookup: str) -> None:
    expected, seen = (view["lookups"][lookup] for view in answers)
    assert seen == expected


def test_everything_is_compared(answers: tuple[Any, Any]) -> None:
    for view in answers:
        assert set(view["lookups"]) == set(LOOKUPS)
        assert {fact for each in view["distributions"].values() for fact in each} == set(FACTS)


@pytest.mark.parametrize("module", ["importlib.metadata", "importlib_metadata"])
def test_answers_come_from_the_index(resources: Pair, module: str) -> None:
    # An audit hook hears of every file that is opened and every directory that is listed.
    code = f"""
import sys
import {module} as metadata
metadata.version("zipp")  # the index itself is read when first needed
seen = []
watched = {{"open", "os.listdir", "os.scandir"}}
sys.addaudithook(lambda event, arguments: seen.append((event, arguments[0])) if event in watched else None)
for distribution in list(metadata.distributions()):
    distribution.version, distribution.requires, distribution.entry_points, distribution.metadata["Name"]
metadata.entry_points()
metadata.version("markdown")
metadata.packages_distributions()
print([each for each in seen if "dist-info" in str(each[1]) or each[0] != "open"])
"""
    done = run(resources.root / "bin" / "resources", "eval", code)
    assert (done.stdout, done.stderr) == ("[]\n", "")


@pytest.mark.parametrize("module", ["importlib.metadata", "importlib_metadata"])
def test_a_directory_beyond_the_release_is_searched_as_ever(
    resources: Pair, module: str, tmp_path: Path
) -> None:
    info = tmp_path / "stowaway-7.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: stowaway\nVersion: 7.0\n")
    (info / "entry_points.txt").write_text("[resources.shapes]\nflat = stowaway:AREA\n")
    code = (
        f"import sys, {module} as m; sys.path.append({str(tmp_path)!r});"
        "print(m.version('stowaway'), sorted(p.name for p in m.entry_points(group='resources.shapes')))"
    )
    done = run(resources.root / "bin" / "resources", "eval", code)
    assert (done.stdout, done.stderr) == ("7.0 ['flat', 'round', 'square']\n", "")


def test_a_child_interpreter_answers_the_same(resources: Pair) -> None:
    code = (
        "import subprocess, sys; print(subprocess.run([sys.executable, '-c', "
        "'from importlib import metadata as m; print(m.version(\"markdown\"), len(list(m.distributions())))'], "
        "capture_output=True, text=True).stdout)"
    )
    done = run(resources.root / "bin" / "resources", "eval", code)
    assert re.fullmatch(r"3\.\d+(\.\d+)? \d+\n\n", done.stdout), done.stdout + done.stderr
