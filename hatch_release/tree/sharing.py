"""Directories that the versions in one root share: what differs gets a directory of its own.

Two versions that hold an equal `lib/NAME-VSN` or `python-X.Y.Z` share it. Contents may differ under the same
name all the same: other options, code that changed while its version did not. The directory of the new version
is then called `lib/NAME-VSN.HASH` or `python-X.Y.Z.HASH`, so that the versions which are installed keep theirs.
HASH is made of the contents, so a third version with the same contents shares it.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from hatch_release.errors import ReleaseError
from hatch_release.runtime import manifest
from hatch_release.tree.manifest import conflicts, tree_files
from hatch_release.units.bytecode import rename_code

if TYPE_CHECKING:
    from pathlib import Path

HASH_DIGITS = 8


def separate(root: Path, tree: Path, version: str, python: Path) -> dict[str, str]:
    """Rename what an installed version has with other contents.

    To be called when the tree is compiled, before anything names its directories but the code itself, whose
    file names are changed here.

    Args:
        root: The release's root, which may not exist yet.
        tree: The new version.
        version: The new version's name.
        python: Executable of the interpreter that will load the code.

    Returns:
        New names by old ones, both relative to the root.

    Raises:
        ReleaseError: When a file of the tree can't be read, or the code not be changed.
    """
    renamed = {unit: f"{unit}.{_digest(tree, unit)}" for unit in conflicts(root, tree, version)}
    for old, new in renamed.items():
        (tree / old).rename(tree / new)
        rename_code(tree, old, new, python)
    return renamed


def check_shared(root: Path, tree: Path, version: str) -> None:
    """Refuse a tree that would change what an installed version uses.

    Args:
        root: The release's root, which may not exist yet.
        tree: The new version, after all steps.
        version: The new version's name.

    Raises:
        ReleaseError: Names the first such directory.
    """
    changed = conflicts(root, tree, version)
    if changed:
        raise ReleaseError(
            f"{changed[0]} was changed by a step after assemble, and another version in {root} uses it as it "
            "was: change it in the project or before assemble, or give this version another path"
        )


def _digest(tree: Path, unit: str) -> str:
    """A short hash of the contents of a directory."""
    entries = manifest.digests(str(tree), tree_files(tree, unit))
    return hashlib.sha256(manifest.pack(entries)).hexdigest()[:HASH_DIGITS]
