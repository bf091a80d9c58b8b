"""The manifest: what it holds, that sha256sum reads it, and what its check finds."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from hatch_release.errors import ReleaseError
from hatch_release.runtime import manifest
from hatch_release.staging.area import Staging
from hatch_release.tree.manifest import conflicts, write_manifest
from tests.trees import release_of, version_files, write_files, write_version

if TYPE_CHECKING:
    from pathlib import Path

SHA256SUM = shutil.which("sha256sum") or ""
needs_sha256sum = pytest.mark.skipif(not SHA256SUM, reason="there is no sha256sum here")


def check(root: Path, version: str, name: str = "manifest.sha256") -> subprocess.CompletedProcess[str]:
    command = [SHA256SUM, "--strict", "-c", f"releases/{version}/{name}"]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)


def install(root: Path, version: str, files: dict[str, str] | None = None) -> None:
    with Staging(root) as staging:
        write_version(staging.path, version, files)
        staging.install(version)


def test_holds_what_the_version_owns_sorted(tmp_path: Path) -> None:
    write_files(tmp_path, version_files("1.0", **{"README": "an overlay", "tmp/log": "of a run"}))
    write_manifest(release_of(tmp_path, "1.0"))
    assert list(manifest.read(str(tmp_path), "1.0")) == [
        "lib/common-1.0/common.pyc",
        "lib/demo-1.0/demo.pyc",
        "python-3.11.7/bin/python3",
        "python-3.11.7/lib/os.pyc",
        "releases/1.0/shared.sha256",
        "releases/1.0/start.boot",
    ]
    assert list(manifest.read(str(tmp_path), "1.0", manifest.SHARED)) == ["README", "bin/demo"]


def test_comes_out_the_same_when_written_again(tmp_path: Path) -> None:
    write_version(tmp_path, "1.0")
    file = tmp_path / "releases/1.0/manifest.sha256"
    before = file.read_bytes()
    write_manifest(release_of(tmp_path, "1.0"))
    assert file.read_bytes() == before


@needs_sha256sum
def test_sha256sum_checks_it_after_another_version_came(tmp_path: Path) -> None:
    root = tmp_path / "demo"
    install(root, "1.0")
    assert check(root, "1.0").returncode == 0
    assert check(root, "1.0", "shared.sha256").returncode == 0
    install(root, "2.0", version_files("2.0", **{"bin/demo": "another launcher", "README": "new"}))
    for version in ("1.0", "2.0"):
        assert check(root, version).returncode == 0
        assert manifest.verify(str(root), version) == []


AWKWARD = ["back\\slash", "new\nline", "\\n", "carriage\rreturn", "spa ce", "ünï", " lead", "*star", "t\ttab"]


@needs_sha256sum
def test_escapes_names_as_sha256sum_does(tmp_path: Path) -> None:
    write_version(tmp_path, "1.0", version_files("1.0", **{f"lib/a-1/{name}": name for name in AWKWARD}))
    done = check(tmp_path, "1.0")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.count("OK") == len(AWKWARD) + 6
    entries = manifest.read(str(tmp_path), "1.0")
    assert {f"lib/a-1/{name}" for name in AWKWARD} <= set(entries)
    ours = (tmp_path / "releases/1.0/manifest.sha256").read_bytes().splitlines(keepends=True)
    theirs = subprocess.run(
        [SHA256SUM, "--", *sorted(entries)], cwd=tmp_path, capture_output=True, check=True
    )
    assert sorted(theirs.stdout.splitlines(keepends=True)) == sorted(ours)


def test_takes_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    write_files(tmp_path, version_files("1.0"))
    (tmp_path / "lib/demo-1.0/caf\udce9").write_text("latin-1", encoding="ascii")
    write_manifest(release_of(tmp_path, "1.0"))
    assert b"lib/demo-1.0/caf\xe9\n" in (tmp_path / "releases/1.0/manifest.sha256").read_bytes()
    assert manifest.verify(str(tmp_path), "1.0") == []


def test_follows_links_inside_the_tree_only(tmp_path: Path) -> None:
    library = tmp_path / "tree/lib/demo-1.0"
    write_files(tmp_path, {"outside": "of another machine"})
    write_files(tmp_path / "tree", version_files("1.0"))
    (library / "same.pyc").symlink_to("demo.pyc")
    (library / "directory").symlink_to("../common-1.0")
    (library / "nowhere").symlink_to("missing")
    (library / "out").symlink_to(tmp_path / "outside")
    write_manifest(release_of(tmp_path / "tree", "1.0"))
    listed = [path for path in manifest.read(str(tmp_path / "tree"), "1.0") if path.startswith("lib/demo")]
    assert listed == ["lib/demo-1.0/demo.pyc", "lib/demo-1.0/same.pyc"]


def test_finds_what_is_missing_and_changed(tmp_path: Path) -> None:
    write_version(tmp_path, "1.0")
    (tmp_path / "lib/common-1.0/common.pyc").unlink()
    (tmp_path / "lib/demo-1.0/demo.pyc").write_text("tampered", encoding="utf-8")
    (tmp_path / "releases/1.0/start.boot").unlink()
    (tmp_path / "releases/1.0/start.boot").mkdir()
    (tmp_path / "bin/demo").write_text("tampered", encoding="utf-8")
    assert manifest.verify(str(tmp_path), "1.0") == [
        "changed: bin/demo",
        "missing: lib/common-1.0/common.pyc",
        "changed: lib/demo-1.0/demo.pyc",
        "changed: releases/1.0/start.boot",
    ]


def test_a_problem_is_one_line_whatever_the_name(tmp_path: Path) -> None:
    write_version(tmp_path, "1.0", version_files("1.0", **{"lib/a-1/new\nline": ""}))
    (tmp_path / "lib/a-1/new\nline").unlink()
    assert manifest.verify(str(tmp_path), "1.0") == ["missing: lib/a-1/new\\nline"]


def test_what_an_installation_changes_is_no_problem(tmp_path: Path) -> None:
    write_version(tmp_path, "1.0")
    write_files(
        tmp_path, {"releases/COOKIE": "another", "releases/start.data": "x 2.0\n", "tmp/log/a": "line"}
    )
    assert manifest.verify(str(tmp_path), "1.0") == []


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"nonsense\n", "line 1 is not 'DIGEST  PATH'"),
        (b"0" * 64 + b"  lib/a", "its last line is cut off"),
    ],
)
def test_a_damaged_manifest_is_one_clear_line(tmp_path: Path, content: bytes | None, reason: str) -> None:
    write_version(tmp_path, "1.0")
    file = tmp_path / "releases/1.0/manifest.sha256"
    file.unlink()
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(ReleaseError) as caught:
        manifest.verify(str(tmp_path), "1.0")
    assert str(caught.value) == (
        f"the manifest {file} can't be read ({reason}): install the release again from its archive"
    )


def test_conflicts_are_the_directories_that_differ(tmp_path: Path) -> None:
    install(tmp_path / "demo", "1.0", version_files("1.0", **{"lib/gone-1/a": "a"}))
    tree = tmp_path / "tree"
    write_version(tree, "2.0")
    assert conflicts(tmp_path / "demo", tree, "2.0") == []
    write_files(tree, {"lib/common-1.0/common.pyc": "other", "python-3.11.7/lib/extra.pyc": ""})
    assert conflicts(tmp_path / "demo", tree, "2.0") == ["lib/common-1.0", "python-3.11.7"]
    assert conflicts(tmp_path / "demo", tree, "1.0") == []
    assert conflicts(tmp_path / "nothing", tree, "2.0") == []
