"""Which interpreter `include-python` means, and what is said when it means none."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
from dataclasses import replace as changed
from typing import TYPE_CHECKING

import pytest

from hatch_release.binaries.libraries import bundle_libraries
from hatch_release.interpreter.copying import copy_interpreter
from hatch_release.interpreter.facts import probe
from tests import interpreters
from tests.builds import at, configure, failure, greets, nothing_written, replace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

SYSTEM_ONLY = "/usr/bin:/bin"
OTHERS = [minor for minor in interpreters.available() if minor != interpreters.running()]
NO_OTHER = pytest.mark.skipif(not OTHERS, reason="there is one interpreter alone")


@pytest.fixture(scope="module")
def other() -> Path:
    """An interpreter of another version than the one that builds."""
    found = interpreters.find(OTHERS[0])
    assert found
    return found


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory, other: Path) -> Path:
    """An archive of it, as python-build-standalone makes them."""
    directory = tmp_path_factory.mktemp("archive")
    interpreter = probe(other)
    copy_interpreter(interpreter, directory / "python")
    bundle_libraries(directory, directory / "python")
    (directory / "python/bin" / f"python{interpreter.minor}").symlink_to("python3")
    with tarfile.open(directory / "some.tar.gz", "w:gz", compresslevel=1) as packed:
        packed.add(directory / "python", "python")
    return directory / "some.tar.gz"


def included(root: Path) -> str:
    """The version of the interpreter that the release `hello` includes, which must work."""
    assert greets(root)
    described = json.loads((root / "releases/1.0.0/hello.rel").read_text())["python"]
    assert described["included"]
    assert (root / f"python-{described['version']}").is_dir()
    return str(described["version"])


@NO_OTHER
@pytest.mark.parametrize("form", ["prefix", "executable", "relative", "environment"])
def test_a_path_to_an_installation(builder: Builder, project: Path, other: Path, form: str, uv: str) -> None:
    path = {"prefix": str(probe(other).prefix), "executable": str(other)}.get(form, "tools/python")
    if form == "relative":
        (project / "tools").mkdir()
        (project / "tools/python").symlink_to(probe(other).prefix)
    elif form == "environment":
        subprocess.run([uv, "venv", "-q", "--python", str(other), str(project / path)], check=True)
    configure(project, f'include-python = "{path}"')
    assert included(builder.release(project)) == probe(other).version


@NO_OTHER
def test_a_version_is_found(builder: Builder, project: Path, other: Path) -> None:
    version = probe(other).version
    configure(project, f'include-python = "{version}"')
    path = f"{other.parent}:{SYSTEM_ONLY}"
    assert included(builder.release(project, PATH=path, UV_PYTHON_DOWNLOADS="never")) == version


@NO_OTHER
def test_a_version_that_pyenv_has_not_switched_on_is_found(
    builder: Builder, project: Path, other: Path, tmp_path: Path
) -> None:
    interpreter = probe(other)
    shim = tmp_path / "pyenv/shims" / f"python{interpreter.minor}"
    shim.parent.mkdir(parents=True)
    shim.write_text("#!/bin/sh\necho pyenv: command not found >&2\nexit 127\n")
    shim.chmod(0o755)
    (tmp_path / "pyenv/versions").mkdir()
    (tmp_path / "pyenv/versions" / interpreter.version).symlink_to(interpreter.prefix)
    configure(project, f'include-python = "{interpreter.minor}"')
    path = f"{shim.parent}:{SYSTEM_ONLY}"
    root = builder.release(
        project, PATH=path, UV_PYTHON_DOWNLOADS="never", UV_PYTHON_INSTALL_DIR=str(tmp_path / "none")
    )
    assert included(root) == interpreter.version


@NO_OTHER
def test_a_version_that_is_nowhere_is_installed(
    builder: Builder, project: Path, archive: Path, other: Path, tmp_path: Path
) -> None:
    interpreter = probe(other)
    if shutil.which(f"python{interpreter.minor}", path=SYSTEM_ONLY):
        pytest.skip("the system has that version")
    major, minor, patch = interpreter.version.split(".")
    machine = interpreter.platform.partition("-")[2]
    download = {
        "name": "cpython",
        "arch": {"family": machine, "variant": None},
        "os": "linux",
        "libc": interpreter.libc,
        "major": int(major),
        "minor": int(minor),
        "patch": int(patch),
        "prerelease": "",
        "url": archive.as_uri(),
        "sha256": hashlib.sha256(archive.read_bytes()).hexdigest(),
        "variant": None,
        "build": "20250101",
    }
    index = tmp_path / "downloads.json"
    index.write_text(
        json.dumps({f"cpython-{interpreter.version}-linux-{machine}-{interpreter.libc}": download})
    )
    variables = {
        "PATH": SYSTEM_ONLY,
        "HOME": str(tmp_path / "home"),
        "UV_PYTHON_INSTALL_DIR": str(tmp_path / "installed"),
        "UV_PYTHON_DOWNLOADS_JSON_URL": str(index),
    }
    configure(project, f'include-python = "{interpreter.minor}"')
    assert included(builder.release(project, **variables)) == interpreter.version
    assert not (tmp_path / "home/.local/bin").exists()
    replace(project, f'"{interpreter.minor}"', f'"{major}.99"')
    message = failure(builder.build(project, **variables, HATCH_RELEASE_OVERWRITE="1"))
    assert message.startswith(
        f"{at(project, '.99')}include-python is '{major}.99', and this machine has no CPython {major}.99 that uv "
        "finds, nor can uv install it (No download found for request: "
    )
    assert message.endswith("give another version, or the path of an installation")


def test_a_version_that_can_t_be_downloaded(builder: Builder, project: Path, tmp_path: Path) -> None:
    configure(project, 'include-python = "3.12.0"')
    variables = {
        "PATH": SYSTEM_ONLY,
        "UV_PYTHON_INSTALL_DIR": str(tmp_path),
        "UV_PYTHON_INSTALL_MIRROR": "http://127.0.0.1:9",
        "UV_HTTP_RETRIES": "0",
    }
    message = failure(builder.build(project, **variables))
    assert message.startswith(
        f"{at(project, '3.12.0')}include-python is '3.12.0', and this machine has no CPython 3.12.0 that uv finds, "
    )
    assert "connect to the network" in message
    assert nothing_written(project)


@NO_OTHER
def test_an_archive(builder: Builder, project: Path, archive: Path, other: Path) -> None:
    shutil.copy(archive, project / "python.tar.gz")
    configure(project, 'include-python = "python.tar.gz"')
    root = builder.release(project)
    assert included(root) == probe(other).version
    for file in root.rglob("*"):  # where it was unpacked to is gone and not spoken of
        assert not file.is_file() or b".assembling-" not in file.read_bytes(), file


FUNCTIONS = f"""
import pathlib

def path():
    return pathlib.Path({str(interpreters.find(OTHERS[0]) if OTHERS else sys.executable)!r})

def off():
    return False

def number():
    return 3.12

def again():
    return "choose:path"

def fails():
    raise LookupError("no\\nidea")

constant = "3.12"
"""


@NO_OTHER
def test_a_function_of_the_project_chooses(builder: Builder, project: Path, other: Path) -> None:
    (project / "choose.py").write_text(FUNCTIONS)
    configure(project, 'include-python = "choose:path"')
    assert included(builder.release(project)) == probe(other).version


def test_a_function_of_the_project_chooses_none(builder: Builder, project: Path) -> None:
    (project / "choose.py").write_text(FUNCTIONS)
    configure(project, 'include-python = "choose:off"')
    root = builder.release(project)
    assert not list(root.glob("python-*"))
    assert not json.loads((root / "releases/1.0.0/hello.rel").read_text())["python"]["included"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("number", "which gave 3.12: expected true, false, a path or a version"),
        ("again", "which gave 'choose:path': expected true, false, a path or a version"),
        ("fails", "which failed: LookupError: no idea"),
        ("constant", "which is a str, not a function"),
        ("absent", "which can't be loaded from"),
    ],
)
def test_a_function_of_the_project_is_wrong(builder: Builder, project: Path, name: str, message: str) -> None:
    (project / "choose.py").write_text(FUNCTIONS)
    configure(project, f'include-python = "choose:{name}"')
    assert f"the option include-python names 'choose:{name}', {message}" in failure(builder.build(project))
    assert nothing_written(project)


def script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("nowhere", "nowhere does not exist: correct the path, which is relative to the project, or give"),
        ("empty", "empty holds no interpreter (no bin/python3): name the prefix directory"),
        ("pyproject.toml", "pyproject.toml is no program and no archive: name an installation"),
        ("other/bin/python3", "other/bin/python3 doesn't answer as an interpreter does"),
        ("other", "other/bin/python3 doesn't answer as an interpreter does"),
        ("old", "old/bin/python3 is CPython 3.9.1: take CPython 3.10 or newer"),
        ("pypy", "pypy/bin/python3 is PyPy 3.9.16: take CPython 3.10 or newer"),
        ("empty.zip", "empty.zip is damaged (File is not a zip file): fetch or make it again"),
        ("text.tar.gz", "text.tar.gz holds no interpreter (no bin/python3): name the prefix directory"),
        ("other.tar.gz", "other.tar.gz: python/bin/python3 doesn't answer as an interpreter does"),
        ("linked.tar.gz", "linked.tar.gz holds no whole interpreter, since that in it uses "),
    ],
)
def test_what_is_no_interpreter_is_refused(builder: Builder, project: Path, value: str, message: str) -> None:
    (project / "empty").mkdir()
    (project / "empty.zip").touch()
    script(project / "other/bin/python3", "echo hello")
    for name, version in (("old", "CPython 3.9.1"), ("pypy", "PyPy 3.9.16")):
        script(project / name / "bin/python3", f'case "$*" in *-c*) echo {version} ;; *) exit 1 ;; esac')
    script(project / "linked/bin/python3", f'exec "{probe().executable}" "$@"')
    for name, member in (("text", "empty"), ("other", "other"), ("linked", "linked")):
        with tarfile.open(project / f"{name}.tar.gz", "w:gz") as packed:
            packed.add(project / member, "python")
    configure(project, f'include-python = "{value}"')
    assert message in failure(builder.build(project))
    assert nothing_written(project)


@NO_OTHER
def test_the_project_must_support_it(builder: Builder, project: Path, other: Path) -> None:
    version = probe(other).version
    replace(project, '">=3.10"', f'">=3.10,!={version}"')
    configure(project, f'include-python = "{other}"')
    message = failure(builder.build(project))
    assert (
        f"requires Python !={version},>=3.10, and the release would run on {version} ({probe(other).executable})"
        in message
    )
    assert nothing_written(project)


def test_the_identity_of_an_installation_changes_with_its_files(tmp_path: Path) -> None:
    copy_interpreter(probe(), tmp_path / "python")
    bundle_libraries(tmp_path, tmp_path / "python")
    executable = tmp_path / "python/bin/python3"
    first = probe(executable)
    assert probe(executable).identity == first.identity != probe().identity
    os.utime(first.stdlib / "json/decoder.py", (1, 1))
    assert probe(executable).identity != first.identity


def test_the_identity_of_an_archive_is_that_of_its_contents(tmp_path: Path) -> None:
    this = probe()
    one, moved = changed(this, archive="1"), changed(this, archive="1", prefix=tmp_path)
    assert one.identity == moved.identity != changed(this, archive="2").identity
