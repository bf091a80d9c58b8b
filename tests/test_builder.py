"""The door: which release is built, what is said about it, and what is asked."""

from __future__ import annotations

import os
import shlex
import subprocess
from typing import TYPE_CHECKING

import pytest

from hatch_release.options.table import Options
from hatch_release.stages import STAGES
from hatch_release.testing.project import TABLE
from tests import interpreters
from tests.builds import at, configure, failure, greets, nothing_written, replace
from tests.conftest import copy_fixture
from tests.projects import Builder, clean_environment, run
from tests.terminals import CTRL_C, CTRL_D, Terminal, screen
from tests.trees import snapshot

if TYPE_CHECKING:
    from pathlib import Path

BUILD = ["-m", "hatchling", "build", "-t", "release"]
TWO = "releases.web = {}\nreleases.worker = {}"


def on_terminal(builder: Builder, project: Path, **environment: str) -> Terminal:
    """Build on a terminal."""
    return Terminal([str(builder.python), *BUILD], project, clean_environment(**environment))


@pytest.fixture(scope="module")
def assembled(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project whose release is there already; tests leave it as it is."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("assembled"))
    builders[interpreters.running()].release(project)
    return project


# Names


@pytest.mark.parametrize(
    ("options", "target", "message"),
    [
        (TWO, "release", "2 releases are configured and none is named (web, worker)"),
        (TWO, "release:worke", "Unknown release 'worke', did you mean 'worker'?"),
        (TWO, "release:web,nope", "Unknown release 'nope'. The available releases are: web, worker"),
        ("", "release:other", "Unknown release 'other'. The available releases are: hello"),
        (
            'default-release = "wep"\n' + TWO,
            "release",
            "unknown release 'wep', the available ones are: web, worker",
        ),
        ("releases.My-App = {}", "release", "such as 'my_app', found 'My-App'"),
        ('versions = ["hallo"]', "release", "Unknown release 'hallo', did you mean 'hello'?"),
        ('versions = "hello"', "release", "release.versions: expected a list of names, found 'hello'"),
    ],
)
def test_a_release_that_cannot_be_chosen(
    builder: Builder, project: Path, options: str, target: str, message: str
) -> None:
    configure(project, options)
    assert message in failure(builder.build(project, target=target))
    assert nothing_written(project)


def test_two_named_releases_are_both_built(builder: Builder, project: Path) -> None:
    configure(
        project, 'check = false\nreleases.web = {}\nreleases.worker = { version = "7" }\nreleases.third = {}'
    )
    done = builder.build(project, target="release:web,worker")
    assert done.returncode == 0, done.stderr
    root = project / "dist" / "release"
    assert sorted(path.name for path in root.iterdir()) == ["web", "worker"]
    assert run(root / "web/bin/web", "version").stdout == "web 1.0.0\n"
    assert run(root / "worker/bin/worker", "version").stdout == "worker 7\n"
    assert run(root / "worker/bin/worker", "start").stdout == "Hello, world!\n"


def test_the_default_release_and_the_target_s_versions(builder: Builder, project: Path) -> None:
    configure(project, 'default-release = "worker"\nsteps = ["missing:step", "assemble"]\n' + TWO)
    # The release that is chosen is told by the first line of a build, which the step's error precedes.
    assert "missing:step" in failure(builder.build(project))
    configure(replace(project, 'steps = ["missing:step", "assemble"]', ""), "")
    done = builder.build(project, HATCH_RELEASE_PATH="/proc/release")
    assert "Assembling worker 1.0.0" in done.stdout
    replace(project, 'default-release = "worker"', 'versions = ["web"]')
    done = builder.build(project, HATCH_RELEASE_PATH="/proc/release")
    assert "Assembling web 1.0.0" in done.stdout


# What hatchling itself would answer with a traceback


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('version = "1.0.0"', "version = 5", "Field `project.version` must be a string"),
        ('version = "1.0.0"', "", "Field `project.version` can only be resolved dynamically"),
        ('version = "1.0.0"', 'version = "one two"', "Invalid version `one two`"),
        ("[project]", "[project", "pyproject.toml:5: this is no TOML: Expected"),
        ("[project]", "[tool.hatch]\nbuild = 5\n[project]", "Field `tool.hatch.build` must be a table"),
        (
            "[project]",
            "[tool.hatch.build.targets]\nrelease = 5\n[project]",
            "Field `tool.hatch.build.targets.release` must be a table",
        ),
        ("[project]", f"{TABLE}\nhooks.nope = {{}}\n[project]", "Unknown build hook: nope"),
        ("[project]", "[tool.hatch.build]\ndirectory = 5\n[project]", "`tool.hatch.build.directory` must be"),
        ("[project]", "[tool.hatch.build.targets.wheel]\npackages = 5\n[project]", "wheel can't be built"),
    ],
)
def test_metadata_that_is_not_valid(
    builder: Builder, project: Path, old: str, new: str, message: str
) -> None:
    replace(project, old, new)
    found = failure(builder.build(project))
    assert message in found
    if message.startswith(("Field", "`tool")) and new:
        assert found.startswith(at(project, new.splitlines()[-2 if new.startswith("[tool") else 0]))
    assert nothing_written(project)


def test_all_problems_of_options_are_told_at_once(builder: Builder, project: Path) -> None:
    configure(project, 'strp = false\nstdlib = 5\nfloor = "glibc 2.17"\nsteps = ["tar"]')
    done = builder.build(project, HATCH_RELEASE_OVERWRIT="1")
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (1, "", 5)
    assert "unknown option 'strp', did you mean 'strip'?" in lines[0]
    assert "stdlib: expected" in lines[1]
    assert "floor: this option is not supported yet" in lines[2]
    assert "assemble" in lines[3]
    assert "HATCH_RELEASE_OVERWRIT: unknown variable" in lines[4]
    assert nothing_written(project)


def test_verbose_shows_where_an_error_comes_from(builder: Builder, project: Path) -> None:
    configure(project, 'steps = ["missing:step", "assemble"]')
    done = builder.build(project, HATCH_VERBOSE="1")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "No module named 'missing'" in done.stderr


# A version that exists


def test_an_existing_version_is_kept_without_a_terminal(builder: Builder, assembled: Path) -> None:
    before = snapshot(assembled / "dist")
    message = failure(builder.build(assembled))
    assert "hello 1.0.0 exists already" in message
    assert "HATCH_RELEASE_OVERWRITE=1" in message
    assert snapshot(assembled / "dist") == before


@pytest.mark.parametrize(
    ("typed", "code", "last"),
    [
        ("n\n", 1, "it was left as it is"),
        ("\n", 1, "it was left as it is"),
        (CTRL_D, 1, "it was left as it is"),
        (CTRL_C, 130, "interrupted: what was not finished is as it was before"),
    ],
)
def test_a_question_that_is_not_answered_with_yes(
    builder: Builder, assembled: Path, typed: str, code: int, last: str
) -> None:
    before = snapshot(assembled / "dist")
    with on_terminal(builder, assembled) as terminal:
        terminal.expect("Overwrite it? [y/N] ")
        terminal.send(typed)
        assert terminal.finish() == code
    shown = [line for line in screen(terminal.output) if line]
    assert len(shown) == 2, terminal.output
    assert shown[0].startswith("Release hello 1.0.0 exists already in ")
    assert shown[1].endswith(last)
    assert snapshot(assembled / "dist") == before


def test_yes_overwrites_and_the_terminal_shows_the_stages(builder: Builder, project: Path) -> None:
    old = project / "dist" / "release" / "hello" / "releases" / "1.0.0" / "old"
    old.mkdir(parents=True)
    with on_terminal(builder, project) as terminal:
        terminal.expect("Overwrite it? [y/N] ")
        terminal.send("y\n")
        assert terminal.finish() == 0
    assert greets(project / "dist" / "release" / "hello")
    assert not old.exists()
    shown = screen(terminal.output)
    assert shown[1] == "Assembling hello 1.0.0"
    stages = [line.rpartition(", ") for line in shown[2 : shown.index("", 2)]]
    assert [stage[0] for stage in stages] == [stage.title for stage in STAGES if stage.wanted(Options())]
    assert all(stage[2].endswith(" s") and float(stage[2][:-2]) < 60 for stage in stages)
    # While a stage lasts, a bar is shown with it; nothing of it stays.
    assert "━" in terminal.output
    assert "━" not in "".join(shown)
    assert "\x1b[?25h" in terminal.output


# The end of a build


def test_what_is_said_at_the_end_works_when_pasted(builder: Builder, tmp_path: Path) -> None:
    parent = tmp_path / "with a space"
    parent.mkdir()
    project = copy_fixture("hello", parent)
    configure(project, 'path = "out put/näme"\nsteps = ["assemble", "tar"]')
    done = builder.build(project)
    assert done.returncode == 0, done.stderr
    root = project / "out put" / "näme"
    archive = root / "hello-1.0.0-x86_64-unknown-linux-gnu.tar.zst"
    # The archive of a configured path is inside it, and the release's own directory is not made.
    assert archive.is_file()
    assert not (project / "dist").exists()
    told = done.stdout.split("\n\n")
    size = sum(path.lstat().st_size for path in root.rglob("*") if path.is_file() and path != archive)
    assert (
        told[1].splitlines()[0].startswith(f"Release hello 1.0.0 is in out put/näme ({size / 1e6:.1f} MB, ")
    )
    assert told[1].splitlines()[1].startswith(f"Archive out put/näme/{archive.name} (")
    commands = [line.strip() for line in told[2].splitlines()]
    assert commands[0] == shlex.quote("out put/näme/bin/hello") + " start"
    answers = [
        subprocess.run(
            ["/bin/sh", "-c", line],
            cwd=project,
            env=clean_environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        for line in commands
    ]
    assert [answer.stdout for answer in answers] == ["Hello, world!\n", "2\n", ""]
    assert "The known commands are" in answers[2].stderr
    # Elsewhere than on a terminal: plain lines.
    assert "\x1b" not in done.stdout
    assert f"\n{STAGES[-1].title} ...\n" in done.stdout
    # `-c` takes a configured path's own files away, and nothing else.
    (root / "mine").write_text("mine")
    (root / "lib" / "mine").write_text("mine")
    cleaned = builder.build(project, "--clean-only")
    assert (cleaned.returncode, cleaned.stderr) == (0, "")
    assert sorted(path.name for path in root.rglob("*")) == ["lib", "mine", "mine"]


def test_variables_of_the_environment(builder: Builder, project: Path, tmp_path: Path) -> None:
    replace(
        project,
        'requires-python = ">=3.10"\ndependencies = []',
        'requires-python = ">=3.99"\ndependencies = ["no-such"]',
    )
    subprocess.run(
        [builder.python, "-m", "hatchling", "build", "-t", "wheel"],
        cwd=project,
        check=True,
        capture_output=True,
    )
    # What is compiled is the wheel, whatever has become of the sources.
    (project / "hello" / "__init__.py").write_text("raise SystemExit('not built again')")
    place = tmp_path / "place"
    names = ("QUIET", "FORCE", "NO_COMPILE", "NO_DEPS_CHECK", "NO_PYTHON_VERSION_CHECK")
    variables = {f"HATCH_RELEASE_{name}": "1" for name in names}
    done = builder.build(project, HATCH_RELEASE_PATH=str(place), HATCH_RELEASE_VERSION="2.0-rc1", **variables)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    # hatchling itself names what was built
    assert done.stderr == f"{place}\n"
    assert run(place / "bin/hello", "version").stdout == "hello 2.0-rc1\n"
    assert greets(place)
    again = builder.build(
        project, HATCH_RELEASE_PATH=str(place), HATCH_RELEASE_VERSION="2.0-rc1", **variables
    )
    assert "HATCH_RELEASE_OVERWRITE=1" in failure(again)


def test_no_compile_needs_a_wheel_of_this_version(builder: Builder, project: Path) -> None:
    dist = project / "dist"
    dist.mkdir()
    (dist / "hello-0.9-py3-none-any.whl").touch()
    message = failure(builder.build(project, HATCH_RELEASE_NO_COMPILE="1"))
    assert "holds no hello-1.0.0-*.whl: build one with `hatch build -t wheel`" in message
    assert os.listdir(dist) == ["hello-0.9-py3-none-any.whl"]  # noqa: PTH208 - names


def test_clean_removes_the_release_and_its_archives(builder: Builder, project: Path) -> None:
    release = project / "dist" / "release" / "hello"
    (release / "releases" / "0.9").mkdir(parents=True)
    (release / "tmp").mkdir()
    archive = release.parent / "hello-0.9-x86_64-unknown-linux-gnu.tar.zst"
    other = release.parent / "other-0.9-x86_64-unknown-linux-gnu.tar.zst"
    archive.touch()
    other.touch()
    # Steps are looked up before anything is cleaned away.
    configure(project, 'steps = ["missing:step", "assemble"]')
    assert "missing:step" in failure(builder.build(project, "-c"))
    assert archive.exists()
    replace(project, '"missing:step", ', "")
    done = builder.build(project, "-c")
    assert done.returncode == 0, done.stderr
    assert not archive.exists()
    assert other.exists()
    assert sorted(path.name for path in (release / "releases").iterdir()) == ["1.0.0", "COOKIE", "start.data"]
    assert not (release / "tmp").exists()
    assert greets(release)


def test_another_directory_for_artifacts(builder: Builder, project: Path) -> None:
    (project / "stop.py").write_text("def now(release):\n    raise SystemExit('stopped')\n")
    configure(project, 'steps = ["stop:now", "assemble"]')
    assert failure(builder.build(project, "-d", "out/here")) == "stopped"
    assert not (project / "out").exists()
    (project / "out").write_text("mine")
    message = failure(builder.build(project, "-d", "out/here"))
    assert "out" in message
    assert "HATCH_VERBOSE=1 shows where" in message
