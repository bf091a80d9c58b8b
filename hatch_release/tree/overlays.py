"""Overlays: directories whose files are copied over the assembled tree as they are.

Source: the manual, "Overlays". Plugins' come first, then `overlays/` beside the project's templates, then those of the
option `overlays` in their order. A later one replaces files of an earlier one.
"""

from __future__ import annotations

import os
import re
import shutil
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_release.contributions import Overlay
from hatch_release.errors import OptionError, ReleaseError
from hatch_release.hookspecs import hookimpl
from hatch_release.patterns import Patterns
from hatch_release.runtime import layout
from hatch_release.staging.area import NO_SPACE
from hatch_release.tree.templates import templates_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hatch_release.assembly import Assembly
    from hatch_release.release import Release

DIRECTORY = "overlays"
"""Beside the templates: it is an overlay without being named."""
OPTION = "overlays"
_COOKIE = f"{layout.RELEASES}/{layout.COOKIE}"
_WRITTEN_LATER = re.compile(
    rf"{layout.RELEASES}/[^/]+/({layout.CONSOLIDATED}/.*|[^/]+(\{layout.BOOT_SUFFIX}|\{layout.SCRIPT_SUFFIX}|\.sha256))"
)


@hookimpl(tryfirst=True)  # the project's own files replace those of plugins
def release_overlays(release: Release) -> Sequence[Overlay]:
    """`rel/overlays`, and what the option says or steps have added; the last one is to win."""
    usual = templates_directory(release) / DIRECTORY
    return [*([Overlay(path=usual)] if usual.is_dir() else []), *release.overlays]


def from_options(options: Sequence[dict[str, object]]) -> list[Overlay]:
    """The overlays that the option names.

    Args:
        options: Tables with the keys `path` and maybe `exclude`.
    """
    return [Overlay(**each) for each in options]  # type: ignore[arg-type] # the option's checks have seen to it


@dataclass(frozen=True)
class Entry:
    """A file, directory or link of an overlay."""

    name: str
    """Its POSIX path, relative to the overlay and to the release."""
    source: Path
    mode: int
    """As in `stat.st_mode`."""


def copy_overlays(assembly: Assembly) -> None:
    """Copy all overlays into the tree -> anywhere.

    Raises:
        ReleaseError: When one is missing, or something of it can't be copied.
    """
    plugins = assembly.release.plugins
    copying = _Copying(assembly.release, assembly.others)
    for plugin, overlays in reversed(plugins.call("release_overlays", release=assembly.release)):
        for overlay in overlays:
            try:
                copying.copy(overlay)
            except ReleaseError as error:
                raise plugins.blame(plugin, _placed(error, overlay, assembly.release)) from error
    assembly.others |= copying.placed


def _placed(error: ReleaseError, overlay: Overlay, release: Release) -> ReleaseError:
    """What is wrong with an overlay; it knows its place where the option names the overlay."""
    named = from_options(release.options.overlays)
    return OptionError(str(error), OPTION, named.index(overlay)) if overlay in named else error


def _entries(release: Release, overlay: Overlay) -> list[Entry]:
    """What an overlay holds, directories before what is in them; all of it is known before the first is copied."""
    root = release.project.root / overlay.path
    if not root.is_dir():
        what = "is no directory" if os.path.lexists(root) else "does not exist"
        raise ReleaseError(f"the overlay {overlay.path} {what} ({root}): correct the path or make it")
    if release.path.resolve().is_relative_to(root.resolve()):
        raise ReleaseError(
            f"the overlay {overlay.path} ({root}) holds the release itself: name a directory with nothing "
            "but what is to be copied"
        )
    excluded = Patterns(overlay.exclude, f"the overlay {overlay.path}")
    return list(_walk(root, "", excluded))


def _walk(directory: Path, below: str, excluded: Patterns) -> Iterator[Entry]:
    with os.scandir(directory) as found:
        entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
    for each in entries:
        name = below + each.name
        status = each.stat(follow_symlinks=False)
        is_directory = stat.S_ISDIR(status.st_mode)
        if excluded.match(name + "/" * is_directory):
            continue
        path = directory / each.name
        yield Entry(name, path, status.st_mode)
        if is_directory:
            yield from _walk(path, f"{name}/", excluded)


class _Copying:
    """Copies overlays into a tree, one after the other.

    Args:
        release: Its `path` is the tree.
        others: What was there before `assemble` began, relative to the root.
    """

    def __init__(self, release: Release, others: frozenset[str]) -> None:
        self.placed: set[str] = set()
        """What was copied, relative to the root; its modes are the overlays'."""
        self._release = release
        self._others = others

    def copy(self, overlay: Overlay) -> None:
        """Copy all of an overlay."""
        modes = {}
        try:
            for entry in _entries(self._release, overlay):
                target = self._release.path / entry.name
                if self._place(overlay, entry, target) and not stat.S_ISLNK(entry.mode):
                    modes[target] = stat.S_IMODE(entry.mode)
            for target in reversed(modes):  # of a directory that can't be written to when all is in it
                target.chmod(modes[target])
        except OSError as error:
            if error.errno in NO_SPACE:
                raise
            raise ReleaseError(
                f"the overlay {overlay.path} can't be copied: {error.strerror} ({error.filename})"
            ) from error

    def _place(self, overlay: Overlay, entry: Entry, target: Path) -> bool:
        """Copy one entry; whether its mode counts, which is not so where the release has one of its own."""
        _check_place(overlay, entry, target)
        exists = os.path.lexists(target)
        if stat.S_ISDIR(entry.mode):
            if not exists:
                target.mkdir()
                self.placed.add(entry.name)
            return not exists
        self._note(overlay, entry.name, replaces=exists)
        target.unlink(missing_ok=True)
        shutil.copyfile(entry.source, target, follow_symlinks=False)
        if entry.name != _COOKIE:
            self.placed.add(entry.name)
        return entry.name != _COOKIE

    def _note(self, overlay: Overlay, name: str, *, replaces: bool) -> None:
        """Warn of a file of ours that an overlay replaces, and of one that is in no archive."""
        own = replaces and name not in self._others and name not in self.placed
        if own:
            self._release.progress.warn(
                f"the overlay {overlay.path} replaces {name}, a file of the release itself"
            )
        if name.startswith(f"{layout.TMP}/"):
            self._release.progress.warn(
                f"the overlay {overlay.path} holds {name}: {layout.TMP}/ is made at run time and in no archive"
            )


def _check_place(overlay: Overlay, entry: Entry, target: Path) -> None:
    """Refuse what can't be copied to where it would go."""
    what = f"the overlay {overlay.path} holds {entry.name}"
    is_directory = stat.S_ISDIR(entry.mode)
    if not (is_directory or stat.S_ISREG(entry.mode) or stat.S_ISLNK(entry.mode)):
        raise ReleaseError(
            f"{what}, which is neither a file, a directory nor a link: leave it out by exclude"
        )
    if os.path.lexists(target) and is_directory != (target.is_dir() and not target.is_symlink()):
        ours = "a link" if target.is_symlink() else "a file" if is_directory else "a directory"
        raise ReleaseError(f"{what}, which is {ours} in the release: rename it, or leave it out by exclude")
    if _WRITTEN_LATER.fullmatch(entry.name):
        raise ReleaseError(f"{what}, which is written from everything else in the release: leave it out")
