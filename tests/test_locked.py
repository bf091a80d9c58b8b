"""What a release holds of what is locked: every kind of lock, extras, groups, and no lock at all."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.builds import configure, failure, nothing_written, replace
from tests.conftest import copy_fixture
from tests.projects import Builder, clean_environment, run

if TYPE_CHECKING:
    from pathlib import Path

GROUPS = """
[project.optional-dependencies]
web = ["sniffio==1.3.1"]
other = ["mypy-extensions==1.0.0"]

[dependency-groups]
dev = ["iniconfig==2.0.0"]
ops = ["mdurl==0.1.2"]
"""
CHOSEN = 'extras = ["web"]\ngroups = ["ops"]\ncheck = false'
LIBRARIES = {"hello": "1.0.0", "idna": "3.10", "sniffio": "1.3.1", "mdurl": "0.1.2"}
MAKE = {
    "pylock.toml": [
        *["export", "--format", "pylock.toml", "-o", "pylock.toml"],
        *["--all-extras", "--no-default-groups", "--group", "ops"],
    ],
    "uv.lock": ["lock"],
    "requirements.lock": [
        *["pip", "compile", "pyproject.toml", "--generate-hashes", "--universal", "-o", "requirements.lock"],
        *["--all-extras", "--group", "ops"],
    ],
}


@pytest.fixture
def unlocked(project: Path) -> Path:
    """A project with dependencies, extras and groups, and without a lock."""
    (project / "requirements.lock").unlink()
    replace(project, "dependencies = []", 'dependencies = ["idna==3.10"]')
    replace(project, "[project.scripts]", f"{GROUPS}\n[project.scripts]")
    return configure(project, CHOSEN)


def distributions(root: Path) -> dict[str, str]:
    """The distributions of the only version in a root, and their versions."""
    (description,) = (root / "releases").glob("*/*.rel")
    return {each["name"]: each["version"] for each in json.loads(description.read_text())["applications"]}


@pytest.mark.parametrize("lock", MAKE)
def test_every_kind_of_lock_gives_the_same(builder: Builder, unlocked: Path, uv: str, lock: str) -> None:
    subprocess.run([uv, *MAKE[lock]], cwd=unlocked, env=clean_environment(), check=True, capture_output=True)
    if lock == "pylock.toml":
        (unlocked / "uv.lock").unlink(missing_ok=True)
    done = builder.build(unlocked)
    assert (done.returncode, "Warning" in done.stderr) == (0, False), done.stderr
    root = unlocked / "dist" / "release" / "hello"
    assert distributions(root) == LIBRARIES
    directories = {path.name for path in (root / "lib").iterdir() if "runtime" not in path.name}
    assert directories == {f"{name}-{version}" for name, version in LIBRARIES.items()}
    code = "import importlib.metadata, idna, sniffio, mdurl; print(importlib.metadata.version('idna'))"
    assert run(root / "bin" / "hello", "eval", code).stdout == "3.10\n"


def test_without_a_lock_there_is_a_warning(builder: Builder, unlocked: Path) -> None:
    done = builder.build(unlocked)
    assert done.returncode == 0, done.stderr
    warning, _built = done.stderr.splitlines()
    assert warning.startswith(f"Warning: no lock found in {unlocked}: the newest versions that fit are taken")
    assert "`uv pip compile --universal --generate-hashes pyproject.toml -o requirements.lock`" in warning
    assert distributions(unlocked / "dist" / "release" / "hello") == LIBRARIES


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ('extras = ["wep"]', "the project has no extra 'wep' in pyproject.toml: did you mean 'web'?"),
        ('groups = ["xyz"]', "the project has no dependency group 'xyz' in pyproject.toml: it has dev, ops"),
    ],
)
def test_an_extra_or_group_that_does_not_exist(
    builder: Builder, unlocked: Path, option: str, message: str
) -> None:
    replace(unlocked, CHOSEN, option)
    (unlocked / "requirements.lock").write_text("# nothing\n")
    assert failure(builder.build(unlocked)) == message
    assert nothing_written(unlocked)


def test_extras_bring_what_they_need(builders: dict[str, Builder], tmp_path: Path) -> None:
    project = configure(copy_fixture("cli", tmp_path), 'extras = ["toml"]')
    root = builders[interpreters.running()].release(project)
    names = distributions(root)
    assert "tomli-w" in names
    assert ("tomli" in names) == (interpreters.running() == "3.10")
    assert {"click", "httpx", "pydantic", "rich", "cli"} <= set(names)
    listed = run(root / "bin" / "cli", "start", "table", "--as", "toml")
    assert (listed.returncode, "Jupiter" in listed.stdout) == (0, True), listed.stderr
