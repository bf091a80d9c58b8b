"""The metadata of the release's distributions: each RECORD as things are, and all texts in one index."""

from __future__ import annotations

import base64
import csv
import hashlib
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from hatch_release.runtime import metadata

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hatch_release.distributions import Distribution


def write_record(directory: Path, info: str) -> None:
    """Rewrite the RECORD of a distribution whose sources were replaced by compiled files.

    Source of the format: the specification "Recording installed projects" of the Python Packaging User Guide.

    Args:
        directory: The distribution's directory, which it may share.
        info: Name of its dist-info directory.
    """
    record = directory / info / "RECORD"
    with record.open(encoding="utf-8", newline="") as stream:
        owned = [row[0] for row in csv.reader(stream) if row]
    rows = []
    for file in owned:
        present = next((each for each in (file, f"{file}c") if (directory / each).is_file()), None)
        if present is None or present == f"{info}/RECORD":
            continue
        data = (directory / present).read_bytes()
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode("ascii")
        rows.append((present, f"sha256={digest}", str(len(data))))
    rows.append((f"{info}/RECORD", "", ""))
    with record.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(rows)


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
