"""One release after the other: versions in one root, archives, and builds that are cut off."""

from __future__ import annotations

import os
import re
import shutil
import stat
import subprocess
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
import zstandard

from tests import interpreters
from tests.builds import SIGNALS, configure, failure, greets, interrupted, replace
from tests.conftest import copy_fixture
from tests.projects import Builder, clean_environment, run
from tests.trees import snapshot

if TYPE_CHECKING:
    from collections.abc import Mapping

COOKIE = "a-cookie-for-tests-alone"
TRIPLE = "x86_64-unknown-linux-gnu"
OVERWRITE = {"HATCH_RELEASE_OVERWRITE": "1"}
LIBRARY = "hatch_release_runtime-0.1.0"
CODE_FILE = "import hello; print(hello.greeting.__code__.co_filename, hello.__file__)"


def where_code_is(root: Path, version: str) -> list[str]:
    """Where the code of the module `hello` says that it is, and where it is, relative to the root."""
    answer = run(root / "bin" / "hello", "eval", CODE_FILE, RELEASE_VSN=version)
    assert answer.returncode == 0, answer.stderr
    return answer.stdout.replace(f"{root}/", "").split()


@dataclass(frozen=True)
class Two:
    """A project of which two versions were assembled into one root, the second one from changed code."""

    project: Path
    root: Path
    first: Mapping[str, object]
    """What the root held after the first."""
    cookie: str


@pytest.fixture(scope="module")
def two(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Two:
    builder = builders[interpreters.running()]
    project = copy_fixture("hello", tmp_path_factory.mktemp("two"))
    root = builder.release(project)
    first = snapshot(root)
    cookie = (root / "releases" / "COOKIE").read_text()
    replace(project, "1.0.0", "1.1.0")
    replace(project, "Hello, ", "Good day, ", "hello/__init__.py")
    configure(project, 'steps = ["assemble", "tar"]')
    builder.release(project)
    return Two(project, root, first, cookie)


def test_both_versions_run_and_the_newer_one_boots(two: Two) -> None:
    launcher = two.root / "bin" / "hello"
    assert run(launcher, "start").stdout == "Good day, world!\n"
    assert run(launcher, "start", RELEASE_VSN="1.0.0").stdout == "Hello, world!\n"
    assert run(launcher, "versions").stdout == "1.0.0\n1.1.0 (boots)\n"
    assert run(launcher, "version", RELEASE_VSN="1.0.0").stdout == "hello 1.0.0\n"
    assert (two.root / "releases" / "start.data").read_text().split()[1] == "1.1.0"
    for version in ("1.0.0", "1.1.0"):
        assert run(launcher, "verify", RELEASE_VSN=version).returncode == 0


def test_versions_share_what_is_equal_and_keep_the_cookie(two: Two) -> None:
    assert (two.root / "releases" / "COOKIE").read_text() == two.cookie
    assert sorted(path.name for path in (two.root / "lib").iterdir()) == [
        LIBRARY,
        "hello-1.0.0",
        "hello-1.1.0",
    ]
    assert len(list(two.root.glob("python-*"))) == 1
    now = snapshot(two.root)
    changed = {path for path, what in two.first.items() if now.get(path) != what}
    assert changed == {"releases/start.data"}


def test_the_archive_holds_only_its_own_version(two: Two, tmp_path: Path) -> None:
    unpack(two.root.parent / f"hello-1.1.0-{TRIPLE}.tar.zst", tmp_path)
    assert sorted(path.name for path in (tmp_path / "lib").iterdir()) == [LIBRARY, "hello-1.1.0"]
    assert sorted(path.name for path in (tmp_path / "releases").iterdir()) == [
        "1.1.0",
        "COOKIE",
        "start.data",
    ]
    assert run(tmp_path / "bin" / "hello", "start").stdout == "Good day, world!\n"


def test_a_version_built_again_replaces_its_own_and_nothing_else(builder: Builder, two: Two) -> None:
    project, root = two.project, Path(shutil.copytree(two.root, two.project / "copy", symlinks=True))
    (root / "mine").write_text("mine")
    (root / "lib" / "mine").mkdir()
    (root / "tmp" / "log").mkdir(parents=True)
    replace(project, 'version = "1.1.0"', 'version = "1.2.0"')
    variables = {"HATCH_RELEASE_PATH": "copy", "HATCH_RELEASE_VERSION": "1.1.0"}
    assert "hello 1.1.0 exists already" in failure(builder.build(project, **variables))
    done = builder.build(project, **variables, **OVERWRITE)
    replace(project, 'version = "1.2.0"', 'version = "1.1.0"')
    assert done.returncode == 0, done.stderr
    # hello-1.1.0 is nobody's any more, hello-1.0.0 is that of version 1.0.0.
    names = sorted(path.name for path in (root / "lib").iterdir())
    assert names == [LIBRARY, "hello-1.0.0", "hello-1.2.0", "mine"]
    assert (root / "mine").read_text() == "mine"
    assert (root / "tmp" / "log").is_dir()
    assert greets(root, "1.0.0")
    assert run(root / "bin" / "hello", "start").stdout == "Good day, world!\n"


def test_what_differs_under_the_same_name_gets_its_own_directory(builder: Builder, project: Path) -> None:
    root = builder.release(project)
    before = snapshot(root)
    # The code changes, its version does not; and the interpreter's directory differs as well.
    replace(project, "Hello, ", "Good day, ", "hello/__init__.py")
    configure(project, 'stdlib = "full"\ncheck = false')
    builder.release(project, HATCH_RELEASE_VERSION="2")
    builder.release(project, HATCH_RELEASE_VERSION="3")
    now = snapshot(root)
    changed = {path for path, what in before.items() if now.get(path) != what}
    assert changed == {"releases/start.data"}
    # Equal ones are shared again.
    own, other = sorted(path.name for path in (root / "lib").glob("hello-*"))
    assert own == "hello-1.0.0"
    assert re.fullmatch(r"hello-1\.0\.0\.[0-9a-f]{8}", other)
    python, changed_python = sorted(path.name for path in root.glob("python-*"))
    assert re.fullmatch(re.escape(python) + r"\.[0-9a-f]{8}", changed_python)
    launcher = root / "bin" / "hello"
    assert greets(root, "1.0.0")
    for version in ("2", "3"):
        assert run(launcher, "start", RELEASE_VSN=version).stdout == "Good day, world!\n"
        assert run(launcher, "verify", RELEASE_VSN=version).returncode == 0
        executable = run(launcher, "eval", "import sys; print(sys.executable)", RELEASE_VSN=version).stdout
        assert executable == f"{root}/{changed_python}/bin/python3\n"
        assert where_code_is(root, version) == [
            f"lib/{other}/hello/__init__.{kind}" for kind in ("py", "pyc")
        ]
    assert where_code_is(root, "1.0.0") == [
        "lib/hello-1.0.0/hello/__init__.py",
        "lib/hello-1.0.0/hello/__init__.pyc",
    ]


# Archives


@pytest.fixture(scope="module")
def packed(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a fixed cookie, packed in every format."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("packed"))
    (project / "pack.py").write_text(PACK)
    configure(project, f'cookie = "{COOKIE}"\nsteps = ["assemble", "tar", "pack:again", "tar"]')
    replace(project, '"pack:again", "tar"', '"pack:again"')
    builders[interpreters.running()].release(project, SOURCE_DATE_EPOCH="1000000000")
    return project


# The step `tar` twice more, for other formats.
PACK = """
import dataclasses
from hatch_release.steps import tar

def again(release):
    for archive in ("tar.gz", "zip"):
        release.options = dataclasses.replace(release.options, archive=archive)
        release = tar(release)
    return release
"""


def unpack(archive: Path, directory: Path) -> None:
    """Unpack as a user does who has the usual programs."""
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as files:
            for info in files.infolist():
                target = Path(files.extract(info, directory))
                mode = info.external_attr >> 16
                if stat.S_ISLNK(mode):
                    link = target.read_text()
                    target.unlink()
                    target.symlink_to(link)
                else:
                    target.chmod(stat.S_IMODE(mode))
        return
    with (
        archive.open("rb") as stream,
        opened(stream, archive) as tar,
        tarfile.open(fileobj=tar, mode="r|*") as files,
    ):
        files.extractall(directory, filter="tar")


def opened(stream: IO[bytes], archive: Path) -> IO[bytes]:
    """The archive without its compression, where tarfile doesn't know it."""
    if archive.suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(stream, closefd=False)
    return stream


@pytest.mark.parametrize("kind", ["tar.zst", "tar.gz", "zip"])
def test_an_archive_is_the_tree_and_runs(packed: Path, tmp_path: Path, kind: str) -> None:
    root = packed / "dist" / "release" / "hello"
    archive = root.parent / f"hello-1.0.0-{TRIPLE}.{kind}"
    unpack(archive, tmp_path / "ünpacked here")
    assert snapshot(tmp_path / "ünpacked here") == snapshot(root)
    assert greets(tmp_path / "ünpacked here")


def test_entries_are_sorted_and_nobody_s(packed: Path) -> None:
    root = packed / "dist" / "release"
    with tarfile.open(root / f"hello-1.0.0-{TRIPLE}.tar.gz") as archive:
        members = archive.getmembers()
    names = [member.name for member in members]
    assert names == sorted(names, key=lambda name: name.split("/"))
    assert {(member.uid, member.gid, member.mtime) for member in members} == {(0, 0, 1_000_000_000)}
    modes = {member.name: member.mode for member in members}
    assert (modes["bin/hello"], modes["releases/COOKIE"], modes["releases/1.0.0/vm.args"]) == (
        0o755,
        0o600,
        0o644,
    )
    with zipfile.ZipFile(root / f"hello-1.0.0-{TRIPLE}.zip") as files:
        assert [name.rstrip("/") for name in files.namelist()] == names


def test_archives_of_the_same_project_are_the_same(builder: Builder, packed: Path, tmp_path: Path) -> None:
    """Elsewhere, by another umask, with other processors, after a build of something else."""
    project = copy_fixture("hello", tmp_path)
    for name in ("pyproject.toml", "pack.py"):
        shutil.copy(packed / name, project / name)
    before = os.umask(0o077)
    try:
        builder.release(project, SOURCE_DATE_EPOCH="1000000000")
    finally:
        os.umask(before)
    for kind in ("tar.zst", "tar.gz", "zip"):
        name = f"dist/release/hello-1.0.0-{TRIPLE}.{kind}"
        assert (project / name).read_bytes() == (packed / name).read_bytes(), kind


# Cut off


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("Assembling hello", "SIGINT"),
        ("Installing the dependencies ...", "SIGTERM"),
        (" the interpreter ...", "SIGINT"),
        ("Compiling", "SIGTERM"),
        ("Compiling", "SIGINT"),
        ("Starting the release once ...", "SIGHUP"),
        ("Packing ", "SIGINT"),
    ],
)
def test_a_build_that_is_interrupted(builder: Builder, packed: Path, line: str, name: str) -> None:
    before = snapshot(packed / "dist")
    number = SIGNALS[name]

    def interrupt(process: subprocess.Popen[str]) -> None:
        if name == "SIGTERM":
            process.send_signal(number)
        else:
            os.killpg(process.pid, number)  # as a terminal does

    done = interrupted(builder, packed, line, interrupt)
    told = "interrupted: what was not finished is as it was before\n" if name == "SIGINT" else ""
    assert (done.returncode, done.stderr) == (128 + number, told), done.stdout
    assert snapshot(packed / "dist") == before
    assert greets(packed / "dist" / "release" / "hello")


def test_two_builds_at_once_both_end_well(builder: Builder, project: Path) -> None:
    command = [str(builder.python), "-m", "hatchling", "build", "-t", "release"]
    processes = [
        subprocess.Popen(
            command,
            cwd=project,
            env=clean_environment(**OVERWRITE),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for process in processes:
        out, err = process.communicate(timeout=300)
        assert process.returncode == 0, out + err
    root = project / "dist" / "release"
    assert greets(root / "hello")
    assert [path.name for path in root.iterdir()] == ["hello"]
