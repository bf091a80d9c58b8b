"""Keeping the cache small: what it holds, removing what was not used for long, and emptying it."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_release.cache.store import ENTRY, INCOMING, TREE

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hatch_release.cache.store import Cache

DAYS = 30.0
"""After how many days without use an entry goes."""
GIGABYTES = 5.0
"""How large the cache may be; what was not used for longest goes first."""
BYTES_PER_GIGABYTE = 1_000_000_000
_DAY = 86_400.0
_ABANDONED = 3_600.0
"""Seconds after which what is being written counts as left by a killed build."""
_LAST = ".pruned"


@dataclass(frozen=True)
class Kept:
    """One entry of the cache."""

    place: Path
    kind: str
    size: int
    """Bytes."""
    used: float
    """When it was last used, in seconds since the epoch."""


def entries(cache: Cache) -> list[Kept]:
    """Everything in the cache, the longest unused first; what can't be read counts as never used."""
    found = []
    for place in cache.entries.glob("[!.]*/*"):
        size, used = 0, 0.0
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            used = (place / ENTRY).stat().st_mtime
            size = int(json.loads((place / ENTRY).read_text("utf-8").partition("\n")[2])["size"])
            size = size or sum(file.lstat().st_size for file in (place / TREE).rglob("*"))
        found.append(Kept(place, place.parent.name, size, used))
    return sorted(found, key=lambda each: (each.used, each.place))


def prune(cache: Cache, days: float = DAYS, gigabytes: float = GIGABYTES) -> list[Kept]:
    """Remove what was not used for `days`, and then as much as it takes to get down to `gigabytes`.

    Args:
        cache: The cache; builds may use it meanwhile.
        days: Age in days since the last use.
        gigabytes: Size of all entries, in 10^9 bytes.

    Returns:
        What was removed.

    Raises:
        OSError: When the cache can't be written.
    """
    everything = entries(cache)
    oldest = time.time() - days * _DAY
    total = sum(each.size for each in everything)
    removed = []
    for each in everything:
        if each.used < oldest or total > gigabytes * BYTES_PER_GIGABYTE:
            removed.append(each)
            total -= each.size
    _remove(cache, [each.place for each in removed])
    return removed


def prune_sometimes(cache: Cache) -> None:
    """Prune once a day; a cache that can't be written is left alone."""
    marker = cache.entries / _LAST
    with contextlib.suppress(OSError):
        if cache.entries.is_dir() and _age(marker) > _DAY:
            marker.touch()
            prune(cache)


def clear(cache: Cache) -> list[Kept]:
    """Remove everything; gives what was there.

    Raises:
        OSError: When the cache can't be written.
    """
    everything = entries(cache)
    _remove(cache, [each.place for each in everything])
    return everything


def _remove(cache: Cache, places: Iterable[Path]) -> None:
    """Take entries away, each in one moment, and what killed builds left."""
    incoming = cache.entries / INCOMING
    if incoming.is_dir():
        for each in incoming.iterdir():
            if _age(each) > _ABANDONED:
                shutil.rmtree(each, ignore_errors=True)
    for place in places:
        incoming.mkdir(parents=True, exist_ok=True)
        grave = tempfile.mkdtemp(dir=incoming)
        with contextlib.suppress(FileNotFoundError):  # another one was faster
            place.rename(f"{grave}/removed")
        shutil.rmtree(grave, ignore_errors=True)


def _age(path: Path) -> float:
    """Seconds since `path` was changed; endless when it is not there."""
    try:
        return time.time() - path.stat().st_mtime
    except FileNotFoundError:
        return float("inf")
