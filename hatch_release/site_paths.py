"""The `.pth` files of distributions, expanded while assembling (see the standard library's `site`)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path


@dataclass
class SitePaths:
    """What `.pth` files ask for."""

    directories: list[str] = field(default_factory=list)
    """More directories for `sys.path`, relative to the root."""
    lines: list[tuple[str, str]] = field(default_factory=list)
    """Lines to run at every start, each with the directory that its file is in, relative to the root."""


def read_site_paths(root: Path, directories: Iterable[str]) -> SitePaths:
    """Read the `.pth` files at the top of each directory, in the order in which `site` would.

    Args:
        root: The release's root.
        directories: The directories of the distributions, relative to `root`.
    """
    found = SitePaths()
    for directory in directories:
        for file in sorted((root / directory).glob("*.pth")):
            for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines():
                _read_line(root, directory, line, found)
    return found


def _read_line(root: Path, directory: str, line: str, found: SitePaths) -> None:
    """Take one line: a comment, code, or a directory that is there."""
    if not line.strip() or line.startswith("#"):
        return
    if line.startswith(("import ", "import\t")):
        found.lines.append((directory, line))
        return
    path = os.path.normpath(f"{directory}/{line.rstrip()}")
    inside = not line.startswith("/") and not path.startswith("..")
    if inside and (root / path).is_dir() and path not in found.directories:
        found.directories.append(path)
