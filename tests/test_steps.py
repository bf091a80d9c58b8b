"""Steps: the project's own ones around ours, and what is wrong with them."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.builds import at, configure, failure, greets, nothing_written, replace
from tests.conftest import copy_fixture
from tests.projects import Builder, run
from tests.trees import snapshot

if TYPE_CHECKING:
    from pathlib import Path

STEPS = """
import json

from hatch_release.steps import tar


def before(release):
    note(release, "before")
    release.version = "9.9"
    return release


def after(release):
    note(release, "after")
    license = release.path / "LICENSE"
    license.write_text("free")
    (release.version_path / "mine" / "deep").mkdir(parents=True)
    (release.version_path / "mine" / "deep" / "data").write_text("mine")
    extra = release.scratch / "extra.txt"
    extra.write_text("extra")
    release.artifacts.append(extra)
    release.steps = [last, tar, *release.steps]
    return release


def last(release):
    note(release, "last")
    return release


def note(release, step):
    with open(release.project.root / "notes", "a") as notes:
        left = [each.__name__ for each in release.steps]
        assembled = (release.path / "bin" / release.name).exists()
        print(json.dumps([step, left, assembled]), file=notes)


def nothing(release):
    note(release, "nothing")


def text(release):
    return "release"


def exploding(release):
    (release.path / "half").write_text("done")
    raise LookupError("no such\\nthing")


def forgetful(release):
    release.steps.clear()
    return release


def promising(release):
    release.artifacts.append(release.scratch / "report.txt")
    return release


def clearing(release):
    del release.steps[0]
    return release


def late(release):
    release.version = "late"
    return release


def naming(release):
    release.steps.append("tar")
    return release


def leaving(release):
    raise SystemExit("enough")


number = 5
"""


def with_steps(project: Path, *steps: str) -> Path:
    """The project with steps of its own."""
    (project / "release_steps.py").write_text(STEPS)
    return configure(project, f"steps = {json.dumps(steps)}")


@pytest.fixture(scope="module")
def stepped(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project that was assembled with steps before and after `assemble`."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("stepped"))
    with_steps(project, "release_steps:before", "assemble", "release_steps:after")
    configure(project, 'archive = "tar.gz"')
    builders[interpreters.running()].release(project)
    return project


def test_a_step_is_removed_before_it_is_called_and_may_change_what_is_left(stepped: Path) -> None:
    notes = [json.loads(line) for line in (stepped / "notes").read_text().splitlines()]
    assert notes == [
        ["before", ["assemble", "after"], False],
        ["after", [], True],
        ["last", ["tar"], True],
    ]


def test_a_step_before_assemble_may_change_the_version(stepped: Path) -> None:
    release = stepped / "dist" / "release" / "hello"
    assert run(release / "bin" / "hello", "version").stdout == "hello 9.9\n"


def test_what_steps_add_is_in_the_tree_the_manifest_and_the_archive(stepped: Path) -> None:
    root = stepped / "dist" / "release"
    release = root / "hello"
    version = release / "releases" / "9.9"
    assert (version / "mine" / "deep" / "data").read_text() == "mine"
    assert "releases/9.9/mine/deep/data" in (version / "manifest.sha256").read_text()
    assert "  LICENSE\n" in (version / "shared.sha256").read_text()
    with tarfile.open(root / "hello-9.9-x86_64-unknown-linux-gnu.tar.gz") as archive:
        assert {"LICENSE", "releases/9.9/mine/deep/data", "releases/9.9/manifest.sha256"} <= set(
            archive.getnames()
        )
    assert (root / "extra.txt").read_text() == "extra"
    assert greets(release)
    (release / "LICENSE").write_text("changed")
    done = run(release / "bin" / "hello", "verify")
    assert (done.returncode, "LICENSE" in done.stdout + done.stderr) == (1, True)
    (release / "LICENSE").write_text("free")


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (["exploding"], "step release_steps:exploding of release 'hello' failed: LookupError: no such thing"),
        (
            ["nothing"],
            "step release_steps:nothing of release 'hello' gave None: a step must return the release",
        ),
        (
            ["text"],
            "step release_steps:text of release 'hello' gave 'release': a step must return the release",
        ),
        (["leaving"], "enough"),
        (["forgetful"], "the steps of release 'hello' ended without an assembled release"),
        (
            ["naming", "clearing"],
            "the steps that are left of release 'hello' hold 'tar': a step is a function",
        ),
    ],
)
def test_a_step_that_fails(builder: Builder, project: Path, steps: list[str], message: str) -> None:
    with_steps(project, *(f"release_steps:{step}" for step in steps), "assemble")
    place = at(project, "steps") if message.startswith("step ") else ""
    assert failure(builder.build(project)).startswith(place + message)
    assert nothing_written(project)


def test_a_step_that_fails_leaves_the_installed_release(builder: Builder, stepped: Path) -> None:
    before = snapshot(stepped / "dist")
    replace(stepped, '"assemble", "release_steps:after"', '"assemble", "release_steps:exploding"')
    done = builder.build(stepped, HATCH_RELEASE_OVERWRITE="1", HATCH_VERBOSE="1")
    assert done.returncode == 1
    # The cause is shown to whom wants to see it.
    assert 'raise LookupError("no such\\nthing")' in done.stderr
    assert "Starting the release once" in done.stdout
    assert snapshot(stepped / "dist") == before
    replace(stepped, "release_steps:exploding", "release_steps:late")
    assert "changed the version after it" in failure(builder.build(stepped, HATCH_RELEASE_OVERWRITE="1"))
    assert snapshot(stepped / "dist") == before


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        (["assembel"], "assembel"),
        (["tar"], "assemble"),
        ([], "assemble"),
        (["assemble", "assemble"], "assemble"),
        (["tar", "assemble"], "tar"),
        (["assemble", "no_such_module:step"], "can't be loaded from "),
        (["assemble", "release_steps:no_such"], "has no attribute 'no_such'"),
        (["assemble", "release_steps:number"], "'release_steps:number', which is a int, not a function"),
        (["assemble", "broken_steps:step"], "whose import fails: ZeroDivisionError: division by zero"),
        (["assemble", "exiting_steps:step"], "whose import fails: SystemExit: 3"),
    ],
)
def test_steps_are_checked_before_anything_is_written(
    builder: Builder, project: Path, steps: list[str], message: str
) -> None:
    (project / "broken_steps.py").write_text("1 / 0")
    (project / "exiting_steps.py").write_text("import sys; sys.path.clear(); sys.exit(3)")
    with_steps(project, *steps)
    done = builder.build(project)
    line = failure(done)
    assert "steps" in line
    assert message in line
    assert done.stdout == ""
    assert nothing_written(project)


def test_a_version_that_a_step_chose_is_not_overwritten(builder: Builder, project: Path) -> None:
    (project / "dist" / "release" / "hello" / "releases" / "9.9").mkdir(parents=True)
    with_steps(project, "release_steps:before", "assemble")
    assert "hello 9.9 exists already" in failure(builder.build(project))
    assert [path.name for path in (project / "dist" / "release" / "hello").rglob("*")] == ["releases", "9.9"]
