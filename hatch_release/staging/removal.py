"""Removing installed releases, as `hatch build -c` does."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

from hatch_release.errors import ReleaseError
from hatch_release.make import install_path
from hatch_release.runtime import layout, manifest
from hatch_release.tree.manifest import listed, unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from hatch_release.options.reading import Options


def remove_release(root: Path, name: str, options: Options, directory: Path, formats: Iterable[str]) -> None:
    """Remove an installed release with all its versions, and its archives.

    Its own directory below `dist` goes as a whole. From a configured `path`, which may hold anything else
    as well, goes what the manifests list and what it wrote when it ran.

    Args:
        root: The project's root.
        name: The release's name.
        options: Its options.
        directory: Where the project's artifacts are.
        formats: The endings of its archives.

    Raises:
        ReleaseError: When something can't be removed.
    """
    path = install_path(root, name, options, directory)
    beside = path if options.path else path.parent
    try:
        for kind in formats:
            for archive in beside.glob(f"{name}-*.{kind}"):
                archive.unlink()
        if (path / layout.RELEASES).is_dir():
            _remove_parts(path, list(_parts(path, name))) if options.path else shutil.rmtree(path)
    except OSError as error:
        raise ReleaseError(
            f"release {name} in {path} can't be removed: {error.strerror} ({error.filename})"
        ) from error


def _parts(path: Path, name: str) -> Iterator[str]:
    """What belongs to the release in `path`, relative to it."""
    for version in manifest.versions(str(path)):
        # Without a readable manifest nobody knows what else is the version's.
        with contextlib.suppress(ReleaseError):
            yield from {unit(file) for file in listed(path, version)}
        yield f"{layout.RELEASES}/{version}"
    yield from (f"{layout.RELEASES}/{layout.COOKIE}", f"{layout.RELEASES}/{layout.START_DATA}")
    yield from (f"{layout.BIN}/{name}", layout.TMP)


def _remove_parts(path: Path, parts: list[str]) -> None:
    """Remove files and directories below `path`, and the directories that this empties."""
    for part in dict.fromkeys(parts):
        target = path / part
        if target.is_dir() and not target.is_symlink():
            shutil.rmtree(target)
        else:
            target.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            while target != path:
                target = target.parent
                target.rmdir()
