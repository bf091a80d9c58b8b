"""Every way to have a release made: front ends of PEP 517, the back end, and `hatch-release` for any back end."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_release import build as back_end
from hatch_release.tree.templates import DEFAULTS
from tests.builds import configure, greets, replace
from tests.conftest import copy_fixture
from tests.projects import clean_environment, run

if TYPE_CHECKING:
    from tests.projects import Done

PYTHON = sys.executable
PROGRAM = str(Path(PYTHON).with_name("hatch-release"))
HOOK = "\n[tool.hatch.build.targets.wheel.hooks.release]\nenable-by-default = false\n"
ENABLED = {"HATCH_BUILD_HOOK_ENABLE_RELEASE": "true"}
FRONT_ENDS = {
    "build": [PYTHON, "-m", "build", "--no-isolation"],
    "build-w": [PYTHON, "-m", "build", "--no-isolation", "-w"],
    "uv": ["uv", "build", "--no-build-isolation", "--python", PYTHON],
    "pip": [PYTHON, "-m", "pip", "wheel", "--no-build-isolation", "--no-deps", "-w", "dist", "."],
}
BACK_END = ('build-backend = "hatchling.build"', 'build-backend = "hatch_release.build"')


def call(command: list[str], directory: Path, **environment: str) -> Done:
    variables = clean_environment(**environment)
    path = os.pathsep.join([str(Path(PYTHON).parent), variables["PATH"]])
    return subprocess.run(
        command,
        cwd=directory,
        env={**variables, "PATH": path},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def succeeds(command: list[str], directory: Path, **environment: str) -> Done:
    done = call(command, directory, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def installed(project: Path) -> Path:
    return project / "dist" / "release" / "hello"


# The build hook


@pytest.mark.parametrize("front_end", FRONT_ENDS)
def test_a_front_end_assembles_the_release_from_the_wheel_that_it_made(project: Path, front_end: str) -> None:
    configure(project, f'check = false\nsteps = ["assemble", "tar"]\n{HOOK}')
    succeeds(FRONT_ENDS[front_end], project)
    assert list((project / "dist").glob("hello-1.0.0-*.whl"))
    assert not (project / "dist" / "release").exists(), "it is off by default"
    succeeds(FRONT_ENDS[front_end], project, **ENABLED)
    assert greets(installed(project))
    assert list((project / "dist" / "release").glob("hello-1.0.0-*.tar.zst"))
    failed = call(FRONT_ENDS[front_end], project, **ENABLED)
    assert failed.returncode != 0
    assert "hello 1.0.0 exists already" in failed.stdout + failed.stderr
    assert "Traceback" not in failed.stderr.replace(
        'Traceback (most recent call last):\n  File "<string>"', ""
    )


def test_the_hook_makes_the_releases_that_it_names_and_none_of_an_editable_wheel(project: Path) -> None:
    configure(project, f"check = false\nreleases.web = {{}}\nreleases.worker = {{}}\n{HOOK}")
    configure(project, "[tool.hatch.build]\ndev-mode-dirs = ['.']")
    replace(project, "enable-by-default = false", 'releases = ["worker"]')
    succeeds(FRONT_ENDS["build-w"], project)
    assert os.listdir(project / "dist" / "release") == ["worker"]  # noqa: PTH208 - names
    code = "import os, hatchling.build as b; print(b.build_editable(os.environ['OUT']))"
    succeeds([PYTHON, "-c", code], project, OUT=str(project / "editable"))
    assert not (project / "editable" / "release").exists()
    replace(project, '["worker"]', '"worker"')
    failed = call(FRONT_ENDS["build-w"], project)
    assert "hooks.release.releases: expected a list of names, found 'worker'" in failed.stdout + failed.stderr


def test_a_build_of_the_release_target_is_not_followed_by_one_of_the_hook(project: Path) -> None:
    configure(project, f"check = false\n{HOOK}")
    done = succeeds([PYTHON, "-m", "hatchling", "build", "-t", "release"], project, **ENABLED)
    assert done.stdout.count("Assembling hello") == 1


# The back end


def test_the_back_end_hands_hatchling_s_functions_on() -> None:
    import hatchling.build  # noqa: PLC0415 - what is compared

    assert set(hatchling.build.__all__) <= set(dir(back_end))
    assert back_end.build_sdist is hatchling.build.build_sdist


def test_config_settings_of_the_back_end(project: Path, tmp_path: Path) -> None:
    configure(replace(project, *BACK_END), "check = false\nreleases.web = {}\nreleases.worker = {}")
    succeeds(FRONT_ENDS["build-w"], project)
    assert not (project / "dist" / "release").exists()
    build = FRONT_ENDS["build-w"]
    succeeds([*build, "-C", "release=web,worker"], project)
    assert sorted(os.listdir(project / "dist" / "release")) == ["web", "worker"]  # noqa: PTH208 - names
    again = call([*build, "-C", "release=web"], project)
    assert "web 1.0.0 exists already" in again.stdout + again.stderr
    succeeds([*build, "-C", "release=web", "-C", "overwrite=true"], project)
    succeeds([*build, "-C", "release=web", "-C", f"path={tmp_path}/my place"], project)
    assert run(tmp_path / "my place" / "bin" / "web", "version").stdout == "web 1.0.0\n"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("relase=web", "unknown config setting 'relase', did you mean 'release'?"),
        ("x=1", "unknown config setting 'x', there are release, overwrite, path"),
        ("overwrite=true", "the config setting overwrite is about a release: name one by -C release=NAME"),
        ("release=nope", "Unknown release 'nope'. The available releases are: hello"),
    ],
)
def test_a_config_setting_that_is_wrong(project: Path, setting: str, message: str) -> None:
    replace(project, *BACK_END)
    done = call([*FRONT_ENDS["build-w"], "-C", setting], project)
    assert done.returncode != 0
    assert message in done.stdout + done.stderr


# hatch-release build


@pytest.mark.parametrize("name", ["setuptools", "poetry", "flit", "uv", "maturin"])
def test_a_project_with_another_back_end(tmp_path: Path, name: str) -> None:
    if name == "maturin" and shutil.which("cargo") is None:
        pytest.skip("maturin needs cargo")
    project = copy_fixture(f"backend_{name}", tmp_path)
    done = succeeds([PROGRAM, "build", "sample"], project)
    assert "Release sample 1.0 is in dist/release/sample" in done.stdout
    started = run(project / "dist" / "release" / "sample" / "bin" / "sample", "start").stdout
    assert started == f"built by {name} 1.0{' 42' * (name == 'maturin')}\n"


def test_the_manual_s_flags(project: Path, tmp_path: Path) -> None:
    configure(project, "check = false")
    place = tmp_path / "place"
    arguments = ["build", "--path", str(place), "--version", "2.0-rc1", "--quiet"]
    done = succeeds([PROGRAM, *arguments], project)
    assert (done.stdout, done.stderr) == ("", "")
    assert run(place / "bin" / "hello", "version").stdout == "hello 2.0-rc1\n"
    assert greets(place)
    failed = call([PROGRAM, *arguments], project)
    assert (failed.returncode, failed.stderr.count("\n")) == (1, 1)
    assert "hello 2.0-rc1 exists already" in failed.stderr
    succeeds([PROGRAM, *arguments, "--overwrite", "--force", "--no-deps-check"], project)
    replace(project, 'requires-python = ">=3.10"', 'requires-python = ">=3.99"')
    assert "requires Python >=3.99" in call([PROGRAM, *arguments, "--overwrite"], project).stderr
    succeeds([PROGRAM, *arguments, "--overwrite", "--no-python-version-check"], project)
    failed = call([PROGRAM, *arguments, "--overwrite", "--no-compile"], project)
    assert "--no-compile takes the newest wheel of hello in" in failed.stderr
    replace(project, 'requires-python = ">=3.99"', 'requires-python = ">=3.10"')
    succeeds(FRONT_ENDS["build-w"], project)
    (project / "hello" / "__init__.py").write_text("raise SystemExit('not built again')")
    succeeds([PROGRAM, *arguments, "--overwrite", "--no-compile"], project)
    assert greets(place)


@pytest.mark.parametrize(
    ("old", "new", "arguments", "message"),
    [
        ("[project]", "[project", [], "pyproject.toml:5: this is no TOML: "),
        ("[project]", "[project]", ["nope"], "Unknown release 'nope'. The available releases are: hello"),
        (
            "hatchling.build",
            "hatchlin.build",
            [],
            "the project's wheel can't be built by hatchlin.build: ",
        ),
    ],
)
def test_what_goes_wrong_is_one_line(
    project: Path, old: str, new: str, arguments: list[str], message: str
) -> None:
    replace(project, old, new)
    done = call([PROGRAM, "build", *arguments], project)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1), done.stderr
    assert message in done.stderr
    assert not (project / "dist").exists()


def test_a_directory_without_a_project(tmp_path: Path) -> None:
    for command in ("build", "init"):
        done = call([PROGRAM, command], tmp_path)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1)
        assert "call it in the directory of a project" in done.stderr
    assert list(tmp_path.iterdir()) == []


# hatch-release init


def test_init_writes_the_very_defaults_and_overwrites_nothing(project: Path) -> None:
    configure(project, "check = false")
    succeeds([PROGRAM, "build"], project)
    version = installed(project) / "releases" / "1.0.0"
    names = ("vm.args", "remote.vm.args", "env.sh")
    before = {name: (version / name).read_bytes() for name in names}
    succeeds([PROGRAM, "init"], project)
    written = sorted(each.name for each in (project / "rel").iterdir())
    assert written == ["env.bat.j2", "env.sh.j2", "remote.vm.args.j2", "vm.args.j2"]
    done = succeeds([PROGRAM, "build", "--overwrite"], project)
    assert "rel/" not in done.stderr
    assert {name: (version / name).read_bytes() for name in names} == before
    (project / "rel" / "env.sh.j2").write_text("export MINE=1\n")
    told = succeeds([PROGRAM, "init"], project).stdout
    assert "kept    rel/env.sh.j2, which is there already (--force replaces it)" in told
    assert (project / "rel" / "env.sh.j2").read_text() == "export MINE=1\n"
    assert "changed rel/env.sh.j2" in succeeds([PROGRAM, "init", "--force"], project).stdout
    assert (project / "rel" / "env.sh.j2").read_bytes() == (DEFAULTS / "env.sh.j2").read_bytes()


def test_the_templates_teach() -> None:
    taught = "".join((DEFAULTS / name).read_text() for name in ("env.sh.j2", "vm.args.j2"))
    for word in (
        "RELEASE_HEART",
        "RELEASE_MODE",
        "RELEASE_DISTRIBUTION",
        "PORT",
        "RELEASE_COMMAND",
        "-X dev",
    ):
        assert word in taught
