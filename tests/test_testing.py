"""The kit for plugin authors: its fixtures, and a plugin of somebody else that is installed and tested with them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest
from uv import find_uv_bin

from hatch_release.testing import BuildError
from tests import interpreters
from tests.conftest import copy_fixture
from tests.projects import FIXTURES, Builder, clean_environment

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_release.testing import ReleaseProject


def test_a_project_is_built_and_run(release_project: ReleaseProject) -> None:
    built = release_project.configure('steps = ["assemble", "tar"]').build()
    assert built.run("start", "one", "two").stdout == "sample one two\n"
    done = built.run("eval", "import sys, os; print(os.environ['X'], file=sys.stderr); sys.exit(3)", X="y")
    assert (done.returncode, done.stdout, done.stderr) == (3, "", "y\n")
    (archive,) = built.artifacts
    assert archive.name.startswith("sample-1.0.0-")
    assert "Assembling sample 1.0.0" in built.output
    assert built.report["warnings"] == []


def test_a_running_release(release_project: ReleaseProject) -> None:
    release_project.write(
        {"sample.py": "import time\n\n\ndef main():\n    print('up', flush=True)\n    time.sleep(600)\n"}
    )
    with release_project.build().running() as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert process.poll() is None
    assert process.returncode is not None


def test_failures_are_what_a_user_reads(release_project: ReleaseProject) -> None:
    with pytest.raises(BuildError, match="the build succeeded"):
        release_project.fail()
    release_project.configure("strp = false")
    assert release_project.fail().endswith("unknown option 'strp', did you mean 'strip'?")
    with pytest.raises(BuildError, match="did you mean 'strip'"):
        release_project.build()


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Path:
    """The interpreter of an environment with the plugin of somebody else, installed from its wheel, and pytest."""
    directory = tmp_path_factory.mktemp("stranger")
    source = copy_fixture("third_party_plugin", directory)
    python = Builder.create(interpreters.running(), directory / "venv", wheels).python
    command = [str(python), "-m", "hatchling", "build", "-t", "wheel", "-d", str(directory)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = directory.glob("release_notes_plugin-*.whl")
    install = [find_uv_bin(), "pip", "install", "-q", "--python", str(python), "--find-links", str(wheels)]
    subprocess.run([*install, "pytest", str(wheel)], check=True)
    return python


def test_a_plugin_of_somebody_else_passes_its_own_tests(stranger: Path, tmp_path: Path) -> None:
    source = FIXTURES / "third_party_plugin" / "tests"
    done = subprocess.run(
        [str(stranger), "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(source)],
        cwd=tmp_path,
        env={**clean_environment(), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 passed" in done.stdout


def test_a_plugin_of_somebody_else_is_listed_and_disabled(stranger: Path, tmp_path: Path) -> None:
    program = str(stranger.with_name("hatch-release"))
    done = subprocess.run([program, "plugins"], cwd=tmp_path, capture_output=True, text=True, check=True)
    first = done.stdout.splitlines()[0]
    assert first == (
        "  1  release-notes (release-notes-plugin 0.4.0): release_steps, release_artifact, release_check"
    )
    project = copy_fixture("hello", tmp_path)
    table = (
        '\n[tool.hatch.build.targets.release]\nplugins = ["!release-notes"]\nsteps = ["assemble", "notes"]\n'
    )
    with (project / "pyproject.toml").open("a", encoding="utf-8") as file:
        file.write(table)
    done = Builder(stranger).build(project)
    assert done.returncode == 1
    assert "unknown step 'notes'" in done.stderr
