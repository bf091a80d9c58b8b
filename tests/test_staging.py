"""Staging: nothing is left behind, nothing is half installed, whatever kills a run."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from hatch_release.errors import ReleaseError
from hatch_release.runtime import manifest
from hatch_release.staging.area import Staging
from tests.staged import FIRST, OVERWRITTEN, install, installed_root
from tests.trees import snapshot, version_files, write_files, write_version

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with version 1.0."""
    return installed_root(tmp_path)


def test_the_first_version_becomes_the_root(tmp_path: Path) -> None:
    root = tmp_path / "dist/release/demo"
    mask = os.umask(0o077)
    try:
        with Staging(root) as staging:
            assert staging.path.parent.parent == root.parent
            assert staging.recovered == []
            write_files(staging.scratch, {"intermediate": ""})
            write_version(staging.path, "1.0")
            expected = snapshot(staging.path)
            staging.install("1.0")
            assert not staging.path.exists()
    finally:
        os.umask(mask)
    assert snapshot(root) == expected
    assert root.stat().st_mode & 0o777 == 0o755
    assert list(root.parent.iterdir()) == [root]


def test_another_version_comes_beside_it(root: Path) -> None:
    before = snapshot(root)
    install(root, "2.0")
    after = snapshot(root)
    replaced = {name for name in before if before[name] != after[name]}
    assert replaced == {"releases/start.data"}
    assert after["releases/start.data"] == ("-rw-r--r--", b"3.11.7 2.0\n")
    assert set(after) > set(before)
    assert manifest.verify(str(root), "1.0") == []
    assert manifest.verify(str(root), "2.0") == []


def test_what_is_equal_is_left_alone(root: Path) -> None:
    inodes = {path: path.stat().st_ino for path in root.rglob("*")}
    seen: list[str] = []
    with Staging(root, lambda _source, target: seen.append(target.name)) as staging:
        write_version(staging.path, "1.0", FIRST)
        staging.install("1.0")
    assert seen == []
    assert {path: path.stat().st_ino for path in root.rglob("*")} == inodes


@pytest.mark.parametrize("change", ["bit", "private", "directory", "link", "kind", "extra"])
def test_what_differs_in_any_way_is_replaced(root: Path, change: str) -> None:
    library = root / "lib/common-1.0"
    with Staging(root) as staging:
        write_version(staging.path, "1.0", FIRST)
        new = staging.path / "lib/common-1.0"
        if change == "bit":
            (new / "common.pyc").chmod(0o755)
        elif change == "private":
            (new / "common.pyc").chmod(0o600)
        elif change == "directory":
            new.chmod(0o750)
        elif change == "extra":
            (new / "empty").mkdir()
        elif change == "link":
            (library / "link").symlink_to("one")
            (new / "link").symlink_to("two")
        else:
            shutil.rmtree(new)
            new.write_text("a file", encoding="utf-8")
        expected = snapshot(staging.path / "lib")
        staging.install("1.0")
    assert snapshot(root / "lib") == expected


def test_overwriting_removes_what_the_version_no_longer_has(root: Path) -> None:
    install(root, "2.0", version_files("2.0", **{"lib/gone-1/gone.pyc": "gone"}))
    install(root, "1.0", OVERWRITTEN)
    assert (root / "lib/gone-1/gone.pyc").exists(), "version 2.0 uses it"
    assert not (root / "etc/demo").exists()
    assert (root / "etc/mine.conf").read_text(encoding="utf-8") == "the user's"
    assert (root / "tmp/log/demo.log").exists()
    assert (root / "lib/new-1/new.pyc").exists()
    install(root, "2.0", version_files("2.0", **{"python-3.11.7/lib/added.pyc": "added"}))
    assert not (root / "lib/gone-1").exists(), "nobody uses it any more"
    assert manifest.verify(str(root), "1.0") == []
    assert manifest.verify(str(root), "2.0") == []


def test_nothing_is_removed_when_a_version_cannot_say_what_it_uses(root: Path) -> None:
    install(root, "2.0")
    (root / "releases/2.0/manifest.sha256").unlink()
    install(root, "1.0", OVERWRITTEN)
    assert (root / "lib/gone-1/gone.pyc").exists()


@pytest.mark.parametrize("installs", [True, False])
def test_what_links_lead_to_outlives_the_tree(root: Path, tmp_path: Path, *, installs: bool) -> None:
    outside = tmp_path / "outside"
    write_files(outside, {"directory/deeper/file": "of somebody", "file": "too"})
    before = snapshot(outside)
    with Staging(root) as staging:
        write_version(staging.path, "1.0", FIRST)
        for place in (staging.path, staging.path / "lib", staging.path / "lib/common-1.0", staging.scratch):
            (place / "link").symlink_to(outside)
        if installs:
            staging.install("1.0")
    assert snapshot(outside) == before
    with Staging(root) as staging:
        write_version(staging.path, "1.0", FIRST)
        staging.install("1.0")
    assert snapshot(outside) == before


def test_a_link_as_root_and_as_directory_is_followed(root: Path, tmp_path: Path) -> None:
    (root / "etc").rename(tmp_path / "etc")
    (root / "etc").symlink_to(tmp_path / "etc")
    (tmp_path / "current").symlink_to(root)
    install(tmp_path / "current", "1.0", OVERWRITTEN)
    assert (tmp_path / "current").is_symlink()
    assert (root / "etc").is_symlink()
    assert {path.name for path in (tmp_path / "etc").iterdir()} == {"kept.conf", "mine.conf"}
    assert manifest.verify(str(root), "1.0") == []


def test_a_file_does_not_replace_a_directory(root: Path) -> None:
    before = snapshot(root)
    with pytest.raises(ReleaseError, match="etc is a directory, and the new release has a file of that name"):
        install(root, "2.0", version_files("2.0", etc="a file"))
    assert snapshot(root) == before


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_assembly_leaves_no_litter(tmp_path: Path, raised: type[BaseException]) -> None:
    def assemble() -> None:
        with Staging(tmp_path / "dist/release/demo") as staging:
            write_version(staging.path, "1.0")
            (staging.path / "lib/common-1.0").chmod(0o500)
            raise raised

    with pytest.raises(raised):
        assemble()
    assert list(tmp_path.iterdir()) == []
