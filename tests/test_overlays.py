"""Overlays, sentence by sentence of the manual's "Overlays", and what goes wrong with them."""

from __future__ import annotations

import os
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.builds import configure, failure, greets, nothing_written
from tests.conftest import copy_fixture
from tests.projects import Builder, run

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = """
check = false
steps = ["assemble", "tar"]
archive = "tar.gz"
overlays = ["deploy", { path = "more", exclude = ["*.bak", "cache/", "!keep.bak"] }]
"""


def write(root: Path, *names: str) -> None:
    """Write files that hold where they come from; a name that ends with a slash is that of a directory."""
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if name.endswith("/"):
            path.mkdir(exist_ok=True)
        else:
            path.write_text(f"{root.name}/{name}", "utf-8")


@pytest.fixture(scope="module")
def project(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with three overlays, assembled."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("overlaid"))
    overlays, deploy, more = project / "rel" / "overlays", project / "deploy", project / "more"
    write(overlays, "Dockerfile", "etc/a", "etc/spaße kön/nen", "empty/", "empty/deep/", "both")
    write(deploy, "etc/b", "both", "lib/hello-1.0.0/hello/data.txt", "releases/1.0.0/extra")
    write(more, "etc/c", "etc/c.bak", "etc/keep.bak", "cache/x", "etc/private", "run.sh")
    (overlays / "etc" / "link").symlink_to("a")
    (overlays / "etc" / "nowhere").symlink_to("/no/such")
    (overlays / "etc" / "directory").symlink_to("../empty")
    (more / "etc" / "private").chmod(0o600)
    (more / "run.sh").chmod(0o750)
    (overlays / "empty" / "deep").chmod(0o700)
    (overlays / "read-only").mkdir()
    write(overlays / "read-only", "file")
    (overlays / "read-only").chmod(0o555)
    configure(project, OPTIONS)
    builders[interpreters.running()].release(project)
    return project


@pytest.fixture
def root(project: Path) -> Path:
    return project / "dist" / "release" / "hello"


def test_any_file_in_rel_overlays_is_copied_as_is_to_the_root(root: Path) -> None:
    assert (root / "Dockerfile").read_text() == "overlays/Dockerfile"
    assert (root / "etc" / "spaße kön" / "nen").read_text("utf-8") == "overlays/etc/spaße kön/nen"


def test_extra_directories_come_in_their_order_and_the_last_wins(root: Path) -> None:
    assert sorted(each.name for each in (root / "etc").iterdir()) == [
        "a", "b", "c", "directory", "keep.bak", "link", "nowhere", "private", "spaße kön",
    ]  # fmt: skip
    assert (root / "both").read_text() == "deploy/both"


def test_patterns_leave_files_and_directories_out(root: Path) -> None:
    assert not (root / "etc" / "c.bak").exists()
    assert (root / "etc" / "keep.bak").exists()
    assert not (root / "cache").exists()


def test_empty_directories_modes_and_links_are_kept(root: Path) -> None:
    assert list((root / "empty" / "deep").iterdir()) == []
    modes = {
        name: stat.S_IMODE((root / name).stat().st_mode) for name in ("empty/deep", "read-only", "run.sh")
    }
    assert modes == {"empty/deep": 0o700, "read-only": 0o555, "run.sh": 0o750}
    assert stat.S_IMODE((root / "etc" / "private").stat().st_mode) == 0o600
    assert os.readlink(root / "etc" / "link") == "a"  # noqa: PTH115 - as it is written
    assert os.readlink(root / "etc" / "nowhere") == "/no/such"  # noqa: PTH115 - as above
    assert (root / "read-only" / "file").read_text() == "read-only/file"


def test_overlaid_files_are_in_the_archive_and_the_manifest(project: Path, root: Path) -> None:
    with tarfile.open(project / "dist/release/hello-1.0.0-x86_64-unknown-linux-gnu.tar.gz") as archive:
        names = {each.name: each for each in archive.getmembers()}
    assert {"Dockerfile", "etc/c", "empty/deep", "lib/hello-1.0.0/hello/data.txt"} <= set(names)
    assert (names["etc/private"].mode, names["etc/nowhere"].linkname) == (0o600, "/no/such")
    version = root / "releases" / "1.0.0"
    assert "  Dockerfile\n" in (version / "shared.sha256").read_text()
    manifest = (version / "manifest.sha256").read_text()
    assert "  lib/hello-1.0.0/hello/data.txt\n" in manifest
    assert "  releases/1.0.0/extra\n" in manifest
    assert greets(root)
    (root / "Dockerfile").write_text("changed")
    assert "changed: Dockerfile" in run(root / "bin" / "hello", "verify").stderr
    (root / "Dockerfile").write_text("overlays/Dockerfile")


def test_what_replaces_a_file_of_the_release_is_warned_about(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    project = copy_fixture("hello", tmp_path)
    write(project / "rel" / "overlays", "bin/hello", "releases/COOKIE", "tmp/x")
    write(project / "deploy", "bin/hello")
    configure(project, 'check = false\noverlays = ["deploy"]')
    done = builder.build(project)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if "overlay" in line]
    assert [line.partition(" replaces ")[2] for line in warnings] == [
        "bin/hello, a file of the release itself",
        "releases/COOKIE, a file of the release itself",
        "",
    ]
    assert "tmp/ is made at run time and in no archive" in warnings[2]
    release = project / "dist" / "release" / "hello"
    assert (release / "bin" / "hello").read_text() == "deploy/bin/hello"
    assert stat.S_IMODE((release / "releases" / "COOKIE").stat().st_mode) == 0o600


def test_without_overlays_there_is_nothing_to_say(builder: Builder, tmp_path: Path) -> None:
    project = copy_fixture("hello", tmp_path)
    (project / "rel" / "overlays").mkdir(parents=True)
    done = builder.build(project)
    assert (done.returncode, done.stderr.count("\n")) == (0, 1)  # hatchling names what was built


def pipe(project: Path) -> None:
    (project / "deploy").mkdir()
    os.mkfifo(project / "deploy" / "pipe")


def through_a_link(project: Path) -> None:
    write(project / "rel" / "overlays", "etc/")
    (project / "rel" / "overlays" / "out").symlink_to("/tmp")  # noqa: S108 - nothing is written there
    write(project / "deploy", "out/file")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda _project: None, "the overlay deploy does not exist ("),
        (lambda project: (project / "deploy").touch(), "the overlay deploy is no directory ("),
        (pipe, "the overlay deploy holds pipe, which is neither a file, a directory nor a link"),
        (through_a_link, "the overlay deploy holds out, which is a link in the release"),
        (
            lambda project: write(project / "deploy", "bin"),
            "the overlay deploy holds bin, which is a directory in the release",
        ),
        (
            lambda project: write(project / "deploy", "bin/hello/x"),
            "the overlay deploy holds bin/hello, which is a file in the release",
        ),
        (
            lambda project: write(project / "deploy", "releases/1.0.0/start.boot"),
            "holds releases/1.0.0/start.boot, which is written from everything else in the release",
        ),
        (lambda project: (project / "deploy").symlink_to("dist"), "holds the release itself"),
    ],
)
def test_an_overlay_that_cannot_be_copied(
    builder: Builder, tmp_path: Path, make: object, message: str
) -> None:
    project = copy_fixture("hello", tmp_path)
    assert callable(make)
    make(project)
    configure(project, 'overlays = ["deploy"]')
    assert message in failure(builder.build(project))
    assert nothing_written(project)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("[5]", "overlays[0]: expected a path or a table { path ="),
        ('[{ exclude = ["a"] }]', "the key 'path' is missing"),
        ('[{ path = "a", exlude = [] }]', "unknown key 'exlude', did you mean 'exclude'?"),
        ('[{ path = "a", exclude = ["ok", "!"] }]', "overlays[0].exclude[1]: found a wrong pattern"),
    ],
)
def test_an_option_that_is_wrong(builder: Builder, tmp_path: Path, value: str, message: str) -> None:
    project = copy_fixture("hello", tmp_path)
    configure(project, f"overlays = {value}")
    assert message in failure(builder.build(project))
