"""The files of a directory or an archive against the manifests in it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hatch_release.inspection.contents import DIRECTORY, format_of, walk, without_link
from hatch_release.inspection.root import File, Root, choose_versions, no_release, take_text
from hatch_release.runtime import layout, manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hatch_release.inspection.contents import Item

UNLISTED = frozenset({f"{layout.RELEASES}/{layout.COOKIE}", f"{layout.RELEASES}/{layout.START_DATA}"})
"""Files that differ between installations on purpose."""


@dataclass
class Checked:
    """How a release compares with its manifests."""

    name: str
    """Where the release is."""
    problems: dict[str, list[str]] = field(default_factory=dict)
    """By version, one line each: `missing: PATH`, `changed: PATH`, `unreadable: PATH (why)`."""
    unlisted: list[str] = field(default_factory=list)
    """Files that no manifest names."""


def check(source: Path, version: str | None = None) -> Checked:
    """Compare every file with the manifests of the versions.

    Args:
        source: A release's directory, or an archive of one, which is not unpacked.
        version: The only version to check; None: all.

    Raises:
        ReleaseError: When it is no release, or a manifest is missing or damaged.
    """
    root = Root(source, format_of(source), None)
    digests: dict[str, str] = {}

    def visit(item: Item) -> None:
        root.files[item.path] = File(item.size, "", item.link)
        if take_text(root, item):
            digests[item.path] = hashlib.sha256(root.texts[item.path]).hexdigest()
        elif root.format != DIRECTORY and item.link is None:
            digests[item.path] = _digest(item)

    walk(source, visit)
    if not root.versions:
        raise no_release(root)
    checked = Checked(str(source), unlisted=_unlisted(root))
    for each in choose_versions(root, version):
        if root.format == DIRECTORY:
            checked.problems[each] = manifest.verify(str(source), each)
        else:
            checked.problems[each] = _problems(root, each, digests)
    return checked


def _digest(item: Item) -> str:
    """The SHA-256 of an item of an archive."""
    checksum = hashlib.sha256()
    with item.read() as file:
        while block := file.read(manifest.BLOCK):
            checksum.update(block)
    return checksum.hexdigest()


def _problems(root: Root, version: str, digests: Mapping[str, str]) -> list[str]:
    """What differs in an archive, as `manifest.verify` tells it of a directory."""
    expected = root.checksums(version)
    if root.versions == [version] and f"{layout.RELEASES}/{version}/{manifest.SHARED}" in root.texts:
        expected.update(root.checksums(version, manifest.SHARED))
    links = _links(root)
    problems = []
    for path in sorted(expected):
        found = digests.get(without_link(path, links) or "")
        if found != expected[path]:
            problems.append(f"{'changed' if found else 'missing'}: {path}")
    return problems


def _links(root: Root) -> dict[str, str]:
    return {path: file.link for path, file in root.files.items() if file.link is not None}


def _unlisted(root: Root) -> list[str]:
    """The files that no manifest of any version names, sorted; links to directories are never named."""
    listed = set(UNLISTED)
    for version in root.versions:
        directory = f"{layout.RELEASES}/{version}"
        listed.update(f"{directory}/{name}" for name in (layout.MANIFEST, manifest.SHARED))
        for name in (layout.MANIFEST, manifest.SHARED):
            if f"{directory}/{name}" in root.texts:
                listed.update(root.checksums(version, name))
    return sorted(path for path, file in root.files.items() if path not in listed and file.link is None)
