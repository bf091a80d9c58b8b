"""The directories that a release is made of: each is made once, and then taken from the cache.

A unit is a `lib/NAME-VSN` or the `python-X.Y.Z`: stripped and compiled, before anything is done to it that depends on
what else is in the release. Beside its files the cache keeps what was found out about them.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hatch_release.binaries import elf
from hatch_release.binaries.elf import Binary
from hatch_release.errors import ReleaseError
from hatch_release.imports.reachability import Scanned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from hatch_release.cache.copy_worker import Copy
    from hatch_release.cache.store import Cache, Entry
    from hatch_release.release import Release
    from hatch_release.units.ahead import Ahead


@dataclass
class Unit:
    """One directory of a release."""

    directory: str
    """Relative to the root."""
    kind: str
    """What the cache keeps it as."""
    key: str
    """A hash of everything that it is made of."""
    scanned: dict[str, Scanned] = field(default_factory=dict)
    """What its modules name, by full name."""
    failed: dict[str, str] = field(default_factory=dict)
    """Files that don't compile, relative to the directory, with the compiler's message."""
    modules: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Directory, relative to the unit's, and suffix of each module, where they have to be known early."""
    entry: Entry | None = None
    """What the cache holds of it, once it has been recalled."""


def recall(unit: Unit, cache: Cache, ahead: Ahead) -> bool:
    """Take what is known about a unit from the cache, without its files; false when it isn't there."""
    unit.entry = ahead.known(unit) or cache.restore(unit.kind, unit.key)
    if unit.entry is not None:
        _read_facts(unit, unit.entry.facts)
    return unit.entry is not None


def restore(
    unit: Unit,
    release: Release,
    cache: Cache,
    ahead: Ahead,
    wanted: Callable[[str], bool] = lambda _path: True,
) -> bool:
    """Copy a unit that was recalled from the cache into the release.

    Args:
        unit: Was recalled.
        release: Where to.
        cache: Where from.
        ahead: May have it already.
        wanted: Says by its path, relative to the unit, whether a file is wanted.

    Returns:
        False when it isn't there any more, or is damaged: then nothing has happened.

    Raises:
        OSError: When the release can't be written.
    """
    destination = release.path / unit.directory
    entry = ahead.move(unit, destination, wanted)
    if entry is None:
        beside = release.install_path / unit.directory
        entry = cache.restore(unit.kind, unit.key, destination, wanted, known=unit.entry, beside=beside)
    if entry is None:
        return False
    _remember(unit, release, entry)
    return True


def keep(unit: Unit, release: Release, cache: Cache) -> None:
    """Put a unit, which has just been made, into the cache."""
    home = release.path / unit.directory
    cache.store(unit.kind, unit.key, _facts(unit, home), home)


def _facts(unit: Unit, home: Path) -> dict[str, Any]:
    """What is worth knowing about a unit, as JSON holds it."""
    return {
        "scanned": {name: each.to_json() for name, each in unit.scanned.items()},
        "failed": unit.failed,
        "modules": unit.modules,
        "binaries": dict(_binaries(home)),
    }


def _binaries(home: Path) -> Iterator[tuple[str, dict[str, Any] | None]]:
    """The ELF files of a directory; of one that is damaged, as samples for tests are, nothing is known."""
    for path in sorted(home.rglob("*")):
        if elf.is_elf(path):
            known = None
            with contextlib.suppress(ReleaseError):
                known = elf.read(path).to_json()
            yield path.relative_to(home).as_posix(), known


def _read_facts(unit: Unit, facts: dict[str, Any]) -> None:
    unit.scanned = {name: Scanned.from_json(each) for name, each in facts["scanned"].items()}
    unit.failed = facts["failed"]
    unit.modules = {name: (directory, suffix) for name, (directory, suffix) in facts["modules"].items()}


def _remember(unit: Unit, release: Release, entry: Entry) -> None:
    """What is known about the files need not be found out again."""
    remember_copies(release, unit.directory, (file.path for file in entry.files), entry.copies)
    binaries = entry.facts["binaries"]
    for file, copied in zip(entry.files, entry.copies, strict=True):
        if copied is not None and binaries.get(file.path, True):
            elf.remember(copied[0], Binary.from_json(binaries[file.path]) if file.path in binaries else None)


def remember_copies(
    release: Release, directory: str, names: Iterable[str], copies: Iterable[Copy | None]
) -> None:
    """Note the checksums of files that were copied into the release, and of those that it had before.

    Args:
        release: The release.
        directory: Where they are, relative to its root.
        names: Their paths, relative to the directory.
        copies: What is known about each.
    """
    for name, copied in zip(names, copies, strict=True):
        if copied is not None:
            state, digest, beside = copied
            release.digests.remember(f"{directory}/{name}", state, digest)
            if beside is not None:
                release.installed.remember(f"{directory}/{name}", beside, digest)
