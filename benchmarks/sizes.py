"""How much room things take."""

from __future__ import annotations

import os
import tarfile
from typing import TYPE_CHECKING

from hatch_release.tree import zstd

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path


def tree(place: Path, without: Collection[str] = ()) -> int:
    """The bytes of one file, or of all below a directory; links count nothing.

    Sizes, not blocks: what is copied, whatever file system it lies on.

    Args:
        place: The file or directory.
        without: Names of directories to leave out.
    """
    if place.is_file():
        return place.stat().st_size
    total = 0
    for directory, names, files in os.walk(place):
        names[:] = [name for name in names if name not in without]
        for name in files:
            path = os.path.join(directory, name)  # noqa: PTH118 - ten thousand files, several times
            total += 0 if os.path.islink(path) else os.stat(path).st_size  # noqa: PTH114, PTH116 - the same
    return total


def packed(places: Iterable[Path], destination: Path, without: Collection[str] = ()) -> int:
    """The bytes of a tar.zst, compressed with the parameters of hatch-release's own archives.

    Args:
        places: The files and directories to pack.
        destination: A file that is made and removed again.
        without: Names of directories to leave out.
    """

    def chosen(member: tarfile.TarInfo) -> tarfile.TarInfo | None:
        return None if member.name.rpartition("/")[2] in without else member

    try:
        with (
            destination.open("wb") as file,
            zstd.compressing(file) as stream,
            tarfile.open(fileobj=stream, mode="w|", format=tarfile.GNU_FORMAT) as archive,
        ):
            for place in places:
                archive.add(place, arcname=place.name, filter=chosen)  # sorted, as `add` does it
        return destination.stat().st_size
    finally:
        destination.unlink(missing_ok=True)
