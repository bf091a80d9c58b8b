"""Reading a release's root in one pass: its files, and the texts of those that say what it is."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any

from hatch_release.errors import ReleaseError
from hatch_release.inspection.contents import DIRECTORY, Item, format_of, walk
from hatch_release.inspection.kinds import kind_of
from hatch_release.runtime import layout, manifest

_VERSION = re.compile(rf"{layout.RELEASES}/([^/]+)/[^/]+")
_WANTED = re.compile(
    rf"""{layout.RELEASES}/{layout.START_DATA}
    |{layout.RELEASES}/[^/]+/(
        [^/]+\.rel
        |{layout.START}{re.escape(layout.SCRIPT_SUFFIX)}
        |{layout.START_DATA}
        |{layout.MANIFEST}
        |{manifest.SHARED}
        |{layout.CONSOLIDATED}/{layout.STDLIB_REASONS})
    |{layout.LIB}/[^/]+/[^/]+\.dist-info/RECORD""",
    re.VERBOSE,
)
"""What is kept of the files' contents."""


@dataclass(frozen=True)
class File:
    """A file of a release, or a link."""

    size: int
    kind: str
    """One of `kinds.KINDS`."""
    link: str | None


@dataclass
class Root:
    """A release's root as it was read."""

    source: Path
    """The directory or archive."""
    format: str
    packed: int | None
    """Bytes of the archive; None of a directory."""
    files: dict[str, File] = field(default_factory=dict)
    """By path, relative to the root."""
    texts: dict[str, bytes] = field(default_factory=dict)
    """Contents of the files that say what the release is, by path."""

    @property
    def versions(self) -> list[str]:
        """The installed versions, sorted by name."""
        return sorted({found[1] for found in map(_VERSION.fullmatch, self.files) if found})

    def text(self, path: str) -> str:
        """The text of one of the files that say what the release is.

        Raises:
            ReleaseError: When it is missing, or no UTF-8.
        """
        try:
            return self.texts[path].decode("utf-8")
        except KeyError:
            raise ReleaseError(f"{self.source} has no {path}: make it, or copy it, again") from None
        except UnicodeDecodeError as error:
            raise self.damaged(path, error) from error

    def value(self, path: str) -> Any:  # noqa: ANN401 - what JSON holds
        """What one of these files holds as JSON.

        Raises:
            ReleaseError: When it is missing or damaged.
        """
        try:
            return json.loads(self.text(path))
        except json.JSONDecodeError as error:
            raise self.damaged(path, error) from error

    def checksums(self, version: str, name: str = layout.MANIFEST) -> dict[str, str]:
        """The digests by path that a version's manifest holds.

        Raises:
            ReleaseError: When it is missing or damaged.
        """
        path = f"{layout.RELEASES}/{version}/{name}"
        self.text(path)
        try:
            return manifest.unpack(self.texts[path])
        except ValueError as error:
            raise self.damaged(path, error) from error

    def damaged(self, path: str, error: Exception) -> ReleaseError:
        """The error that a file of the release is not what it should be."""
        return ReleaseError(f"{self.source}: {path} is damaged ({error}): make it, or copy it, again")


def read_root(source: Path) -> Root:
    """Read a release's directory or archive, without unpacking or running it.

    Raises:
        ReleaseError: When it holds no release, is damaged, or can't be read.
    """
    kind = format_of(source)
    root = Root(source, kind, None if kind == DIRECTORY else source.stat().st_size)

    def visit(item: Item) -> None:
        root.files[item.path] = File(item.size, kind_of(item.path, item), item.link)
        take_text(root, item)

    walk(source, visit)
    if not root.versions:
        raise no_release(root)
    return root


def take_text(root: Root, item: Item) -> bool:
    """Keep the contents of an item, if it says what the release is; tells whether it does."""
    wanted = item.link is None and bool(_WANTED.fullmatch(item.path))
    if wanted:
        with item.read() as file:
            root.texts[item.path] = file.read()
    return wanted


def choose_versions(root: Root, version: str | None) -> list[str]:
    """The versions asked for: one, or all.

    Raises:
        ReleaseError: When the root has no such version.
    """
    if version is None:
        return root.versions
    if version in root.versions:
        return [version]
    raise ReleaseError(f"{root.source} has no version {version}, but {', '.join(root.versions)}")


def no_release(root: Root) -> ReleaseError:
    """The error that something holds no release, with where one is."""
    ending = f"{layout.RELEASES}/{layout.START_DATA}"
    inside = sorted(str(PurePosixPath(path).parents[1]) for path in root.files if path.endswith(f"/{ending}"))
    if not inside:
        return ReleaseError(f"{root.source} holds no release: there is no {ending} in it")
    if root.format == DIRECTORY:
        return ReleaseError(f"{root.source} is no release's root, did you mean '{root.source / inside[0]}'?")
    return ReleaseError(
        f"{root.source} holds a release in {inside[0]}/: pack what is in that directory, without the directory"
    )
