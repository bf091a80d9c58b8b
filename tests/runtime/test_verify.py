"""`verify`: the files of a version against its manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.projects import run
from tests.runtime.probe import Probe, rewrite

if TYPE_CHECKING:
    from pathlib import Path

MODULE = "lib/probe-1.2.0/probe/tools.pyc"
DATA = "lib/probe-1.2.0/probe/data/text.txt"


@pytest.fixture
def clone(probe: Probe, tmp_path: Path) -> Probe:
    return probe.clone(tmp_path / "root")


def test_untouched_release(each_probe: Probe) -> None:
    done = run(each_probe.launcher, "verify")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "probe 1.2.0: every file is as it was assembled\n"


def test_changed_and_missing_files_are_listed(clone: Probe) -> None:
    rewrite(clone.root / DATA, "tampered")
    (clone.root / MODULE).unlink()
    done = run(clone.launcher, "verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"changed: {DATA}",
        f"missing: {MODULE}",
        "ERROR: probe 1.2.0: 2 files differ from the manifest",
    ]


def test_one_file(clone: Probe) -> None:
    rewrite(clone.root / DATA, "data of the package\nand more")
    assert run(clone.launcher, "verify").stderr.splitlines() == [
        f"changed: {DATA}",
        "ERROR: probe 1.2.0: 1 file differs from the manifest",
    ]


def test_files_of_others_are_no_concern(clone: Probe) -> None:
    (clone.root / "lib" / "probe-1.2.0" / "extra.txt").write_text("x")
    (clone.root / "tmp").mkdir(exist_ok=True)
    (clone.root / "tmp" / "log").write_text("x")
    rewrite(clone.root / "releases" / "COOKIE", "another")
    assert run(clone.launcher, "verify").returncode == 0


def test_directory_in_place_of_a_file(clone: Probe) -> None:
    (clone.root / DATA).unlink()
    (clone.root / DATA).mkdir()
    assert run(clone.launcher, "verify").stderr.splitlines()[0] == f"changed: {DATA}"


def test_file_that_cannot_be_read(clone: Probe) -> None:
    # Not by permissions: the tests may run as root, who reads everything.
    (clone.root / DATA).unlink()
    (clone.root / DATA).symlink_to(clone.root / DATA)
    done = run(clone.launcher, "verify")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0] == f"unreadable: {DATA} (Too many levels of symbolic links)"


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "No such file or directory"), ("nonsense\n", "line 1 is not 'DIGEST  PATH'")],
)
def test_manifest_that_cannot_be_read(clone: Probe, content: str | None, reason: str) -> None:
    manifest = clone.version_path / "manifest.sha256"
    if content is None:
        manifest.unlink()
    else:
        rewrite(manifest, content)
    done = run(clone.launcher, "verify")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"ERROR: the manifest {manifest} can't be read ({reason}): install the release again from its archive\n"
    )


def test_changed_code_of_the_interpreter_is_found(clone: Probe) -> None:
    library = next(clone.root.glob("python-*/lib/python3*/pprint.pyc"))
    rewrite(library, b"x")
    relative = library.relative_to(clone.root)
    assert run(clone.launcher, "verify").stderr.splitlines()[0] == f"changed: {relative}"
