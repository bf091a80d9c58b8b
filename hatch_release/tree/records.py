"""The metadata of the release's distributions: each RECORD as things are, and all texts in one index."""

from __future__ import annotations

import base64
import csv
import posixpath
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from hatch_release.dependencies.distributions import record_rows
from hatch_release.runtime import metadata
from hatch_release.tree.manifest import tree_files
from hatch_release.units import data_files

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from hatch_release.cache.digests import Digests
    from hatch_release.dependencies.distributions import Distribution

_DATA = tuple(f"{name}/" for name in data_files.DIRECTORIES)


def write_record(directory: str, info: str, root: Path, digests: Digests, prefix: str = "") -> None:
    """Rewrite the RECORD of a distribution whose sources were compiled and whose data files were moved.

    Source of the format: the specification "Recording installed projects" of the Python Packaging User Guide.

    Args:
        directory: The distribution's directory, relative to `root`; it may be shared.
        info: Name of its dist-info directory.
        root: The release's root.
        digests: Of the files below `root`.
        prefix: Where its data files went, relative to `root` (`data_files.py`).
    """
    home = f"{root}/{directory}"
    elsewhere = posixpath.relpath(prefix, directory) if prefix else ""
    record = f"{info}/RECORD"
    owned = [row[0] for row in record_rows(Path(home, record))]
    here = frozenset(file.removeprefix(f"{directory}/") for file in tree_files(root, directory))
    found = [each for file in owned if (each := _present(home, here, file, elsewhere)) and each != record]
    paths = {file: posixpath.normpath(f"{directory}/{file}") for file in found}
    sums, sizes = digests.of(paths.values()), digests.sizes(paths.values())
    rows = [(file, f"sha256={_encoded(sums[path])}", str(sizes[path])) for file, path in paths.items()]
    with Path(home, record).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows([*rows, (record, "", "")])


def _present(home: str, here: Collection[str], file: str, elsewhere: str) -> str | None:
    """The file, what it was compiled to, or where it was moved."""
    if file in here:
        return file
    if f"{file}c" in here:
        return f"{file}c"
    if not file.startswith((*_DATA, "..")):
        return None
    moved = f"{elsewhere}/{file}"
    return next((each for each in (file, moved) if Path(home, each).is_file()), None)


def _encoded(digest: str) -> str:
    """A checksum as RECORD spells it: URL-safe base64 without padding."""
    return base64.urlsafe_b64encode(bytes.fromhex(digest)).rstrip(b"=").decode("ascii")


def write_metadata_index(
    root: Path, target: Path, placed: Iterable[tuple[str, Distribution]], empty: Iterable[str]
) -> None:
    """Write the index that answers `importlib.metadata` inside the release.

    Args:
        root: The release's root.
        target: The index, relative to `root`.
        placed: Directories relative to `root`, with the distributions in them.
        empty: Other directories that hold none, so that nobody has to look.
    """
    index: metadata.Index = {directory: [] for directory in empty}
    for directory, distribution in placed:
        info = root / directory / distribution.info
        texts = {name: _text(info / name) for name in metadata.TEXTS if (info / name).is_file()}
        entry = (metadata.normalized(distribution.name), distribution.version, distribution.info, texts)
        index.setdefault(PurePosixPath(directory).as_posix(), []).append(entry)
    (root / target).parent.mkdir(parents=True, exist_ok=True)
    (root / target).write_bytes(metadata.pack(index))


def _text(path: Path) -> str:
    """The text as `importlib.metadata` reads it."""
    return path.read_text(encoding="utf-8")
