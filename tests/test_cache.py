"""The cache: what later builds take from it, and what becomes of them when it is damaged, closed or full."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from hatch_release.cache import upkeep as cache_upkeep
from hatch_release.cache.store import ENTRY, INCOMING, TREE, Cache
from tests.trees import snapshot, write_files

if TYPE_CHECKING:
    from pathlib import Path


def tree(directory: Path) -> Path:
    write_files(directory, {"bin/tool": "a tool", "data/text.txt": "text", "large.bin": "x" * 1_000_000})
    (directory / "link").symlink_to("data/text.txt")
    return directory


@pytest.fixture
def warnings() -> list[str]:
    return []


@pytest.fixture
def cache(tmp_path: Path, warnings: list[str]) -> Cache:
    return Cache(tmp_path / "cache", warn=warnings.append)


@pytest.fixture
def stored(cache: Cache, tmp_path: Path) -> dict[str, object]:
    """What was stored under the key `k`, as plain data."""
    source = tree(tmp_path / "source")
    cache.store("thing", "k", {"answer": 42}, source)
    return snapshot(source)


def test_what_is_stored_comes_back(cache: Cache, stored: dict[str, object], tmp_path: Path) -> None:
    entry = cache.restore("thing", "k", tmp_path / "copy")
    assert entry is not None
    assert entry.facts == {"answer": 42}
    assert snapshot(tmp_path / "copy") == stored
    kept = cache.restore("thing", "k", tmp_path / "part", lambda path: path.startswith("data/"))
    assert kept is not None
    assert sorted(snapshot(tmp_path / "part")) == ["data", "data/text.txt"]
    assert cache.restore("thing", "other", tmp_path / "none") is None
    assert not (tmp_path / "none").exists()


def test_modes_come_back_whatever_umask_says(cache: Cache, stored: dict[str, object], tmp_path: Path) -> None:
    code = f"""
import os, pathlib
os.umask(0o077)
from hatch_release.cache.store import Cache
Cache(pathlib.Path({str(cache.directory)!r})).restore("thing", "k", pathlib.Path({str(tmp_path / "copy")!r}))
"""
    subprocess.run([sys.executable, "-c", code], check=True)
    assert (tmp_path / "copy" / "bin" / "tool").stat().st_mode == (
        tmp_path / "source" / "bin" / "tool"
    ).stat().st_mode
    assert stored


def test_a_copy_is_no_link_to_what_is_kept(cache: Cache, stored: dict[str, object], tmp_path: Path) -> None:
    cache.restore("thing", "k", tmp_path / "copy")
    (tmp_path / "copy" / "data" / "text.txt").write_text("changed")
    cache.restore("thing", "k", tmp_path / "again")
    assert snapshot(tmp_path / "again") == stored


DAMAGE = {
    "a byte": lambda place: (place / TREE / "large.bin").write_text("y" + "x" * 999_999),
    "a small file": lambda place: (place / TREE / "data" / "text.txt").write_text("txet"),
    "cut short": lambda place: (place / TREE / "large.bin").write_text("x"),
    "a missing file": lambda place: (place / TREE / "bin" / "tool").unlink(),
    "facts": lambda place: (place / ENTRY).write_text((place / ENTRY).read_text().replace("42", "43")),
    "no facts": lambda place: (place / ENTRY).write_text(""),
    "binary facts": lambda place: (place / ENTRY).write_bytes(b"\xff\x00"),
    "facts gone": lambda place: (place / ENTRY).unlink(),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_told_once_and_leaves_nothing(
    cache: Cache, stored: dict[str, object], tmp_path: Path, warnings: list[str], damage: str
) -> None:
    place = cache.entries / "thing" / "k"
    DAMAGE[damage](place)
    assert cache.restore("thing", "k", tmp_path / "copy") is None
    assert not (tmp_path / "copy").exists()
    (line,) = warnings
    assert line.startswith(f"the cache entry {place} is damaged (")
    assert line.endswith("): it is made anew")
    assert not place.exists()
    cache.store("thing", "k", {}, tmp_path / "source")
    cache.restore("thing", "k", tmp_path / "copy")
    assert snapshot(tmp_path / "copy") == stored


def test_fresh_finds_nothing_and_replaces(cache: Cache, stored: dict[str, object], tmp_path: Path) -> None:
    fresh = Cache(cache.directory, fresh=True)
    assert fresh.restore("thing", "k") is None
    fresh.store("thing", "k", {"answer": 43}, tmp_path / "source")
    entry = cache.restore("thing", "k")
    assert entry is not None
    assert entry.facts == {"answer": 43}
    assert stored


STORE = """
import pathlib, sys
from hatch_release.cache.store import Cache
root = pathlib.Path(sys.argv[1])
def warn(line):
    raise SystemExit(line)
cache = Cache(root / "cache", warn=warn)
for number in range(40):
    cache.store("thing", str(number), {"n": number}, root / "source")
    copy = root / sys.argv[2] / str(number)
    if cache.restore("thing", str(number), copy) is not None:
        assert (copy / "large.bin").stat().st_size == 1_000_000
    if number % 10 == 9:
        from hatch_release.cache import upkeep as cache_upkeep
        cache_upkeep.prune(cache, gigabytes=0.01)
"""


def test_many_at_once(tmp_path: Path) -> None:
    tree(tmp_path / "source")
    running = [
        subprocess.Popen(
            [sys.executable, "-c", STORE, str(tmp_path), f"copies-{number}"], stderr=subprocess.PIPE
        )
        for number in range(4)
    ]
    assert [(each.communicate()[1], each.returncode) for each in running] == [(b"", 0)] * 4
    assert list((tmp_path / "cache" / "v1" / INCOMING).iterdir()) == []


def test_what_a_killed_build_left_is_removed_later(cache: Cache, stored: dict[str, object]) -> None:
    left = cache.entries / INCOMING / "left"
    left.mkdir()
    (left / "file").write_text("half")
    cache_upkeep.prune(cache)
    assert left.exists()  # it may be another build's
    two_hours_ago = time.time() - 7200
    os.utime(left, (two_hours_ago, two_hours_ago))
    cache_upkeep.prune(cache)
    assert not left.exists()
    assert stored
    assert len(cache_upkeep.entries(cache)) == 1


def aged(cache: Cache, key: str, days: float) -> None:
    """Make an entry look as if it was used last some days ago."""
    then = time.time() - days * 86_400
    os.utime(cache.entries / "thing" / key / ENTRY, (then, then))


def test_what_was_not_used_for_long_goes_and_then_what_is_oldest(
    cache: Cache, stored: dict[str, object], tmp_path: Path
) -> None:
    for number, days in enumerate((40, 20, 10, 5)):
        cache.store("thing", str(number), {}, tmp_path / "source")
        aged(cache, str(number), days)
    assert [each.place.name for each in cache_upkeep.prune(cache)] == ["0"]
    assert cache.restore("thing", "1")  # used now
    removed = cache_upkeep.prune(cache, gigabytes=2.5 * 1_000_100 / 1e9)
    assert [each.place.name for each in removed] == ["2", "3"]
    assert {each.place.name for each in cache_upkeep.entries(cache)} == {"1", "k"}
    assert stored


def test_builds_prune_once_a_day(cache: Cache, stored: dict[str, object]) -> None:
    aged(cache, "k", 31)
    cache_upkeep.prune_sometimes(cache)
    assert cache_upkeep.entries(cache) == []
    cache.store("thing", "k", {"files": len(stored)})
    aged(cache, "k", 31)
    cache_upkeep.prune_sometimes(cache)
    assert len(cache_upkeep.entries(cache)) == 1
    marker = next(cache.entries.glob(".pruned"))
    yesterday = time.time() - 90_000
    os.utime(marker, (yesterday, yesterday))
    cache_upkeep.prune_sometimes(cache)
    assert cache_upkeep.entries(cache) == []
