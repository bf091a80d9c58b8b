"""Writing the manifest of a version, and what the manifests in a root say about who uses what."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.errors import ReleaseError
from hatch_release.runtime import layout, manifest
from hatch_release.tree.permissions import usual_umask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hatch_release.release import Release

PYTHON = layout.python_directory("")
"""What the names of interpreter directories begin with."""


def write_manifest(release: Release) -> None:
    """Write `manifest.sha256` and `shared.sha256` of the version below `release.path`.

    `hatch_release.runtime.manifest` tells which file is in which. A link to a file inside the tree is listed
    with the contents that it leads to, since `sha256sum` follows links; one that leads nowhere, to a
    directory or out of the tree is not listed. Written again, they come out the same.

    Args:
        release: Everything else below its `path` has been written.

    Raises:
        ReleaseError: When a file can't be read, or the manifest not written.
    """
    directory = release.version_path
    own = f"{layout.RELEASES}/{release.version}"
    written = {f"{own}/{layout.MANIFEST}", f"{own}/{manifest.SHARED}"}
    try:
        files = [file for file in tree_files(release.path) if file not in written]
        units = {file: unit(file) for file in files}
        shared = [file for file, each in units.items() if each == file and _is_shared(file)]
        owned = [file for file, each in units.items() if each != file]
        with usual_umask():
            directory.mkdir(parents=True, exist_ok=True)
            (directory / manifest.SHARED).write_bytes(manifest.pack(release.digests.of(shared)))
            entries = release.digests.of([*owned, f"{own}/{manifest.SHARED}"])
            (directory / layout.MANIFEST).write_bytes(manifest.pack(entries))
    except OSError as error:
        raise ReleaseError(
            f"the manifest of {release.name} {release.version} can't be written: {error}"
        ) from error


def tree_files(root: Path, below: str = "") -> Iterator[str]:
    """The files in a tree, and the links to files in it, as POSIX paths relative to `root`.

    Args:
        root: The tree.
        below: Only those below this directory of it.
    """
    base = os.path.realpath(root)
    pending = [os.path.join(root, below)] if below else [os.fspath(root)]  # noqa: PTH118 - for thousands of files
    skip = len(os.fspath(root)) + 1
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.is_file() and (not entry.is_symlink() or _is_inside(Path(entry.path), base)):
                    yield entry.path[skip:]


def unit(path: str) -> str:
    """What a file is installed and removed with: its `lib/X`, `python-X.Y.Z` or `releases/VSN`, or itself.

    Args:
        path: A POSIX path relative to the release's root.
    """
    first, *rest = path.split("/")
    if rest and first.startswith(PYTHON):
        return first
    if len(rest) > 1 and first in {layout.LIB, layout.RELEASES}:
        return f"{first}/{rest[0]}"
    return path


def used_by_others(root: Path, version: str) -> dict[str, dict[str, str]] | None:
    """What the other versions in a root list, both manifests together.

    Args:
        root: The release's root.
        version: The version that is left out.

    Returns:
        Digests by path, by version; None when a version has no readable manifest, so that nobody knows.
    """
    others = [each for each in manifest.versions(str(root)) if each != version]
    try:
        return {each: listed(root, each) for each in others}
    except ReleaseError:
        return None


def listed(root: Path, version: str) -> dict[str, str]:
    """The digests by path of everything that a version in a root lists, the shared files included.

    Args:
        root: The release's root.
        version: The version.

    Raises:
        ReleaseError: When its manifest is missing, can't be read, or is damaged.
    """
    entries = manifest.read(str(root), version)
    if (root / layout.RELEASES / version / manifest.SHARED).exists():
        entries.update(manifest.read(str(root), version, manifest.SHARED))
    return entries


def conflicts(root: Path, tree: Path, version: str) -> list[str]:
    """The directories of a new version that another one uses with different contents.

    Args:
        root: The release's root, which may not exist yet.
        tree: The new version, assembled.
        version: The new version's name.

    Returns:
        The `lib/X` and `python-X.Y.Z` that would break another version if they were replaced, sorted.
        Versions without a readable manifest can't be asked and are passed over.

    Raises:
        ReleaseError: When a file of the tree can't be read.
    """
    found: set[str] = set()
    for other in manifest.versions(str(root)):
        if other != version:
            found.update(_conflicts_with(root, tree, other))
    return sorted(found)


def _conflicts_with(root: Path, tree: Path, other: str) -> Iterator[str]:
    """The units of the tree that differ from those of one other version."""
    try:
        theirs = _by_unit(listed(root, other).items())
    except ReleaseError:
        return
    for name, entries in theirs.items():
        if name.startswith((PYTHON, layout.LIB + "/")) and (tree / name).is_dir():
            try:
                ours = manifest.digests(str(tree), tree_files(tree, name))
            except OSError as error:
                raise ReleaseError(
                    f"{name} can't be compared with that of version {other}: {error}"
                ) from error
            if ours != entries:
                yield name


def _by_unit(entries: Iterable[tuple[str, str]]) -> dict[str, dict[str, str]]:
    """Digests by path, by unit."""
    units: dict[str, dict[str, str]] = {}
    for path, checksum in entries:
        units.setdefault(unit(path), {})[path] = checksum
    return units


def _is_shared(path: str) -> bool:
    """Whether every version writes a path that is no unit's: `bin/NAME` and overlays at the top level are."""
    return path.partition("/")[0] not in {layout.RELEASES, layout.TMP}


def _is_inside(link: Path, base: str) -> bool:
    """Whether a link leads to something below `base`."""
    return os.path.realpath(link).startswith(base + os.sep)
