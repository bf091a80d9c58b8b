"""Units that the build before this one had: copied from the cache while it is found out which are wanted now.

Builds of one release in one place want nearly the same units one after the other. What was copied in vain goes with the
scratch directory; what was not, is copied when it is wanted.

What a build has copied, and the installed release held already, is not removed: the cache keeps it, and the next build
begins with it. Its files are compared with their checksums like all others; what is not as it was is copied again.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from hatch_release.cache.store import key_of, tool
from hatch_release.runtime import layout

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from concurrent.futures import Future, ThreadPoolExecutor

    from hatch_release.cache.store import Cache, Entry
    from hatch_release.release import Release
    from hatch_release.units.unit import Unit

KIND = "recent"
LEFT = "left"


class _Coming(NamedTuple):
    """One unit on its way."""

    place: Path
    """Where it is copied to."""
    known: Entry
    """What the cache holds of it."""
    copying: Future[Entry | None]


class Ahead:
    """The units of the build before, on their way.

    Args:
        release: What is built.
        cache: Has them.
        pool: Copies them.
    """

    def __init__(self, release: Release, cache: Cache, pool: ThreadPoolExecutor) -> None:
        """Begin to copy what was noted."""
        self._cache = cache
        self._key = _key(release)
        noted = cache.restore(KIND, self._key)
        self._noted: list[list[Any]] = noted.facts["units"] if noted else []
        self._notes: list[list[Any]] = []
        self._coming: dict[str, _Coming] = {}
        home = release.scratch / "ahead"
        home.mkdir(exist_ok=True)
        if self._noted:
            cache.lend(KIND, self._key, home / LEFT)
        for place, (directory, kind, key, names, _) in self._places(home):
            known = cache.restore(kind, key)
            if known is not None:
                wanted = _among(names)
                beside = release.install_path / directory
                copying = pool.submit(cache.restore, kind, key, place, wanted, known=known, beside=beside)
                self._coming[key] = _Coming(place, known, copying)

    def _places(self, home: Path) -> list[tuple[Path, list[Any]]]:
        """Where each unit goes, with what the build before has left of it."""
        found = [(home / str(number), each) for number, each in enumerate(self._noted)]
        left = (home / LEFT).resolve()
        # Units inside of others first.
        for place, (directory, *_, alone) in sorted(found, key=lambda pair: -pair[1][0].count("/")):
            of_unit = Path(left, directory)
            # Steps may have put links there, which lead anywhere.
            if alone and of_unit.resolve() == of_unit:
                with contextlib.suppress(OSError):
                    of_unit.rename(place)
        return found

    def known(self, unit: Unit) -> Entry | None:
        """What the cache holds of a unit, if that was read already."""
        found = self._coming.get(unit.key)
        return found.known if found else None

    def move(
        self, unit: Unit, destination: Path, wanted: Callable[[str], bool] = lambda _path: True
    ) -> Entry | None:
        """Move what was copied of a unit to its place.

        Args:
            unit: The unit.
            destination: Does not exist.
            wanted: Says by its path, relative to the unit, whether a file is wanted.

        Returns:
            What was copied; None when that is nothing, or not what is wanted: then nothing has happened.

        Raises:
            OSError: When it could not be written.
        """
        found = self._coming.pop(unit.key, None)
        entry = found.copying.result() if found else None
        if found is None or entry is None:
            return None
        if [file.path for file in entry.files] != [
            file.path for file in found.known.files if wanted(file.path)
        ]:
            return None
        destination.parent.mkdir(parents=True, exist_ok=True)
        found.place.rename(destination)
        return entry

    def note(self, unit: Unit, names: Iterable[str] | None = None, *, alone: bool = True) -> None:
        """Note a unit for the next build.

        Args:
            unit: Is in the release.
            names: Its files, where it is not all of them; directories may be among them.
            alone: Whether nothing else is in its directory but other units.
        """
        listed = None if names is None else sorted(names)
        self._notes.append([unit.directory, unit.kind, unit.key, listed, alone])

    def keep(self) -> None:
        """Keep the notes, if they are others than before."""
        if self._notes != self._noted:
            self._cache.note(KIND, self._key, {"units": self._notes})


def leave(release: Release, cache: Cache) -> None:
    """Leave what the root held already to the next build.

    Args:
        release: Was installed; what is still in its tree has gone nowhere.
        cache: Keeps it, if it is in the same file system.
    """
    left = release.scratch / LEFT
    with contextlib.suppress(OSError):
        left.mkdir()
        for name in (layout.LIB, release.python_directory):
            if name and (release.path / name).is_dir() and not (release.path / name).is_symlink():
                (release.path / name).rename(left / name)
        cache.take_back(KIND, _key(release), left)


def _key(release: Release) -> str:
    return key_of(tool(), os.fspath(release.install_path), release.name)


def _among(names: list[str] | None) -> Callable[[str], bool]:
    """Whether a file is one of those; None: all are."""
    return (lambda _path: True) if names is None else frozenset(names).__contains__
