"""What a release holds of what is locked: every kind of lock, extras, groups, and no lock at all."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.builds import at, configure, failure, nothing_written, replace
from tests.conftest import copy_fixture
from tests.projects import Builder, clean_environment, run
from tests.wheels import locked, make_wheel

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


def make_lock(project: Path, uv: str, lock: str) -> None:
    """Lock a project with uv."""
    subprocess.run([uv, *MAKE[lock]], cwd=project, env=clean_environment(), check=True, capture_output=True)
    if lock == "pylock.toml":
        (project / "uv.lock").unlink(missing_ok=True)


@pytest.mark.parametrize("lock", MAKE)
def test_every_kind_of_lock_gives_the_same(builder: Builder, unlocked: Path, uv: str, lock: str) -> None:
    make_lock(unlocked, uv, lock)
    done = builder.build(unlocked)
    assert (done.returncode, "Warning" in done.stderr) == (0, False), done.stderr
    root = unlocked / "dist" / "release" / "hello"
    assert distributions(root) == LIBRARIES
    directories = {path.name for path in (root / "lib").iterdir() if "runtime" not in path.name}
    assert directories == {f"{name}-{version}" for name, version in LIBRARIES.items()}
    code = "import importlib.metadata, idna, sniffio, mdurl; print(importlib.metadata.version('idna'))"
    assert run(root / "bin" / "hello", "eval", code).stdout == "3.10\n"


REFRESH = {
    "pylock.toml": "make pylock.toml again with `uv export --format pylock.toml",
    "uv.lock": "make it again with `uv lock`",
    "requirements.lock": "make requirements.lock again with `uv pip compile pyproject.toml --generate-hashes",
}


@pytest.mark.parametrize("lock", MAKE)
def test_a_lock_that_no_longer_fits_says_how_it_is_made(
    builder: Builder, unlocked: Path, uv: str, lock: str
) -> None:
    make_lock(unlocked, uv, lock)
    replace(unlocked, '"idna==3.10"', '"idna>=3.11"')
    message = failure(builder.build(unlocked))
    assert message.startswith(at(unlocked, "idna>=3.11"))
    assert "idna>=3.11" in message
    assert REFRESH[lock] in message
    assert nothing_written(unlocked)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (('"idna==3.10"', '"idna>=3"'), "the project asks for idna>=3, the lock was made for idna==3.10"),
        (('["idna==3.10"]', "[]"), "the project asks for less, the lock was made for idna==3.10"),
        (
            ('"sniffio==1.3.1"', '"sniffio"'),
            "the project asks for sniffio, the lock was made for sniffio==1.3.1",
        ),
        (('"mdurl==0.1.2"', '"mdurl>0"'), "the project asks for mdurl>0, the lock was made for mdurl==0.1.2"),
    ],
)
def test_a_stale_uv_lock_is_told_even_if_all_that_is_needed_is_locked(
    builder: Builder, unlocked: Path, uv: str, change: tuple[str, str], told: str
) -> None:
    make_lock(unlocked, uv, "uv.lock")
    replace(unlocked, *change)
    message = failure(builder.build(unlocked))
    place = "" if change[1] == "[]" else at(unlocked, change[1])
    assert message.startswith(f"{place}{unlocked / 'uv.lock'} was made for other requirements: {told}: ")
    done = builder.build(unlocked, HATCH_RELEASE_NO_DEPS_CHECK="1")
    assert done.returncode == 0, done.stderr


def test_a_uv_lock_with_markers_extras_and_other_sources_is_fresh(
    builder: Builder, unlocked: Path, uv: str
) -> None:
    required = [
        "Idna < 4, >= 3 ; python_version >= '3.8'",
        "tomli; python_version < '3'",
        "sniffio>=1",
        "Other[More]",
    ]
    replace(unlocked, '["idna==3.10"]', json.dumps(required))
    make_wheel(unlocked / "wheels", "other", extras=["more"])
    with (unlocked / "pyproject.toml").open("a") as file:
        file.write('\n[tool.uv.sources]\nother = { path = "wheels/other-1.0-py3-none-any.whl" }\n')
    make_lock(unlocked, uv, "uv.lock")
    done = builder.build(unlocked)
    assert (done.returncode, "Warning" in done.stderr) == (0, False), done.stderr


def test_what_the_lock_does_not_name_is_told(builder: Builder, project: Path) -> None:
    ghost = {
        "other-1.0.data/purelib/ghost-2.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: ghost\nVersion: 2.0\n",
        "other-1.0.data/purelib/ghost-2.0.dist-info/RECORD": "ghost-2.0.dist-info/METADATA,,\n",
    }
    wheel = make_wheel(project / "wheels", "other", files={"other.py": "", **ghost})
    (project / "requirements.lock").write_text(locked("other", wheel))
    done = builder.build(replace(project, "dependencies = []", 'dependencies = ["other"]'))
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Warning: ")]
    assert line == f"Warning: {project / 'requirements.lock'} does not name what was installed: ghost 2.0"


@pytest.mark.parametrize(("needy", "winner"), [("one", "one"), ("two", "two"), ("", "two")])
def test_files_of_two_owners_come_from_the_same_one_in_every_build(
    builder: Builder, project: Path, needy: str, winner: str
) -> None:
    files = {f"common/m{number}.py": "OWNER = {!r}\n" for number in range(60)}
    wheels = {
        name: make_wheel(
            project / "wheels",
            name,
            requires=[other] if name == needy else [],
            files={"LICENSE": "the same", **{file: text.format(name) for file, text in files.items()}},
        )
        for name, other in (("one", "two"), ("two", "one"))
    }
    (project / "requirements.lock").write_text("".join(locked(*each) for each in wheels.items()))
    replace(project, "dependencies = []", 'dependencies = ["one", "two"]')
    code = f"import importlib; print({{importlib.import_module(f'common.m{{n}}').OWNER for n in range({len(files)})}})"
    for _ in range(2):
        done = builder.build(project, HATCH_RELEASE_FORCE="1", HATCH_RELEASE_OVERWRITE="1")
        assert done.returncode == 0, done.stderr
        root = project / "dist" / "release" / "hello"
        assert run(root / "bin" / "hello", "eval", code).stdout == f"{{{winner!r}}}\n"
        loser = "one" if winner == "two" else "two"
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("Warning: ")]
        assert line == (
            f"Warning: {loser} and {winner} own the same files, LICENSE and {len(files)} more: "
            f"those of {winner} are in the release"
        )


def test_a_file_of_the_project_comes_before_one_of_its_dependencies(builder: Builder, project: Path) -> None:
    wheel = make_wheel(
        project / "wheels", "other", files={"other.py": "", "hello/release_tasks.py": "broken("}
    )
    (project / "requirements.lock").write_text(locked("other", wheel))
    replace(project, "dependencies = []", 'dependencies = ["other"]')
    mine = (project / "hello" / "release_tasks.py").read_text()
    for _ in range(2):  # the second one installs the project alone
        root = builder.release(
            configure(project, 'strip = { keep = ["source:hello"] }'), HATCH_RELEASE_OVERWRITE="1"
        )
        assert [path.read_text() for path in root.glob("lib/*/hello/release_tasks.py")] == [mine]
        replace(project, 'strip = { keep = ["source:hello"] }', "")
        (project / "hello" / "more.py").touch()


def test_a_damaged_cache_of_uv_is_noticed(builder: Builder, unlocked: Path, uv: str, tmp_path: Path) -> None:
    make_lock(unlocked, uv, "requirements.lock")
    private = {"UV_CACHE_DIR": str(tmp_path / "uv"), "HATCH_RELEASE_OVERWRITE": "1"}
    assert builder.build(unlocked, **private).returncode == 0
    for file in (tmp_path / "uv").glob("archive-v0/*/idna/core.py"):
        file.write_text("print('changed')\n")
    # As good as it was: what is kept of the first build.
    assert builder.build(unlocked, **private).returncode == 0
    private["HATCH_RELEASE_FORCE"] = "1"
    message = failure(builder.build(unlocked, **private))
    assert message.startswith("idna/core.py of idna 3.10 is not what its RECORD says")
    assert "`uv cache clean idna`" in message
    subprocess.run([uv, "cache", "clean", "-q", "idna"], env={**os.environ, **private}, check=True)
    assert builder.build(unlocked, **private).returncode == 0


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
    assert failure(builder.build(unlocked)) == at(unlocked, option) + message
    assert nothing_written(unlocked)


@pytest.mark.parametrize("lock", [True, False])
def test_direct_references_and_markers_are_followed(builder: Builder, project: Path, *, lock: bool) -> None:
    wheels = {name: make_wheel(project / "wheels", name) for name in ("direct", "marked", "absent")}
    lines = "".join(locked(*each) for each in wheels.items() if each[0] != "absent")
    lock_file = project / "requirements.lock"
    lock_file.write_text(lines) if lock else lock_file.unlink()
    requirements = [
        "direct @ {root:uri}/wheels/direct-1.0-py3-none-any.whl",
        "marked @ {root:uri}/wheels/marked-1.0-py3-none-any.whl ; python_version >= '3.10'",
        "absent @ {root:uri}/wheels/absent-1.0-py3-none-any.whl ; sys_platform == 'win32'",
    ]
    replace(project, "dependencies = []", f"dependencies = {json.dumps(requirements)}")
    configure(project, "\n[tool.hatch.metadata]\nallow-direct-references = true")
    root = builder.release(project)
    assert distributions(root) == {"hello": "1.0.0", "direct": "1.0", "marked": "1.0"}
    done = run(root / "bin" / "hello", "eval", "import direct, marked; print(direct.NAME, marked.NAME)")
    assert done.stdout == "direct marked\n"
    # Nothing tells where it was built.
    assert not [
        path for path in root.rglob("*") if path.is_file() and os.fsencode(project) in path.read_bytes()
    ]


def test_extras_bring_what_they_need(builders: dict[str, Builder], tmp_path: Path) -> None:
    project = configure(copy_fixture("cli", tmp_path), 'extras = ["toml"]')
    root = builders[interpreters.running()].release(project)
    names = distributions(root)
    assert "tomli-w" in names
    assert ("tomli" in names) == (interpreters.running() == "3.10")
    assert {"click", "httpx", "pydantic", "rich", "cli"} <= set(names)
    listed = run(root / "bin" / "cli", "start", "table", "--as", "toml")
    assert (listed.returncode, "Jupiter" in listed.stdout) == (0, True), listed.stderr
