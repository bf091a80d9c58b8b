"""Installed distributions: what they own and need, and their place in a release."""

from __future__ import annotations

import csv
import re
import shutil
from collections import defaultdict
from dataclasses import dataclass
from email.parser import HeaderParser
from importlib.metadata import Distribution as Installed
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

_INFO = ".dist-info"
_NOT_IMPORTED = frozenset({"bin", "Scripts", "include"})
"""Where a flat installation puts console scripts and C headers."""
_INSTALLERS_OWN = re.compile(r"direct_url\.json|INSTALLER|REQUESTED|uv_\w+\.json|RECORD\.(?:jws|p7s)")
"""Files of a dist-info that tell how and where it was installed, or sign the RECORD that `place` rewrites."""
_LOCAL_REFERENCE = re.compile(rb"^(Requires-Dist:[^@\n]*?)\s*@\s*file:[^;\s]*(\s*;.*)?$", re.MULTILINE)
_LEGACY_REQUIREMENT = re.compile(
    r"\s*(?P<name>[\w.-]+)\s*(?P<extras>\[[^\]]*\])?[^;]*(?P<marker>;.*)?", re.DOTALL
)


@dataclass(frozen=True)
class Distribution:
    """One installed distribution."""

    name: str
    """Its name, normalised (PEP 503)."""
    version: str
    directory: str
    """`NAME-VSN`, spelt as its dist-info directory is: the name of its directory below `lib/`."""
    info: str
    """Name of its dist-info directory."""
    files: tuple[PurePosixPath, ...]
    """What it owns, by its RECORD, relative to the directory that it is installed in; without console
    scripts, C headers, byte code and what the installer left."""
    requires: tuple[Requirement, ...]
    entry_points: Mapping[str, Mapping[str, str]]
    """Group, name, value, as in its entry_points.txt."""
    summary: str = ""
    """The one line that it says about itself."""


def read_distributions(site: Path) -> dict[str, Distribution]:
    """The distributions installed in the directory `site`, by normalised name.

    Raises:
        ReleaseError: When one has no RECORD or METADATA, is a legacy egg-info, or is there twice.
    """
    found: dict[str, Distribution] = {}
    for info in sorted(site.glob(f"*{_INFO}")):
        distribution = _read(info)
        other = found.setdefault(distribution.name, distribution)
        if other is not distribution:
            raise ReleaseError(
                f"{site} holds {other.info} and {distribution.info}: install into an empty directory"
            )
    for egg in sorted(site.glob("*.egg-info")):
        if canonicalize_name(egg.name.split("-")[0].removesuffix(".egg-info")) not in found:
            raise ReleaseError(
                f"{egg} has no list of its files (a legacy egg-info): "
                "install it from a wheel, `pip wheel` makes one"
            )
    return found


def place(
    distribution: Distribution,
    site: Path,
    lib: Path,
    directory: str | None = None,
    common: Collection[PurePosixPath] = (),
) -> Path:
    """Moves the files of `distribution` from `site` into its own directory below `lib`.

    What its dist-info tells about the installer and its machine is left behind, directories in direct references
    (`name @ file:...`) too, and its RECORD rewritten to what is there. Paths below `site`, modes and contents stay.

    Args:
        distribution: What to move.
        site: The flat directory that it is installed in, on the same file system.
        lib: The release's `lib` directory.
        directory: Name below `lib`, when several distributions have to share one; else its own.
        common: Files that several distributions own, as older namespace packages do: each gets a copy.

    Returns:
        The directory that holds it now.
    """
    home = lib / (directory or distribution.directory)
    record = PurePosixPath(distribution.info, "RECORD")
    rows = record_rows(site / record)
    owned = set(distribution.files)
    made: set[Path] = set()
    for file in distribution.files:
        target = home / file
        if target.parent not in made:
            target.parent.mkdir(parents=True, exist_ok=True)
            made.add(target.parent)
        if file in common and (site / file).exists():
            shutil.copy2(site / file, target)
        elif (site / file).exists():
            (site / file).replace(target)
    kept = [row for row in rows if PurePosixPath(row[0]) in owned and (home / row[0]).is_file()]
    with (home / record).open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream, lineterminator="\n").writerows(kept)
    shutil.rmtree(site / distribution.info)
    _forget_local_references(home / distribution.info / "METADATA")
    return home


def _forget_local_references(metadata: Path) -> None:
    """Take the places of local files out of requirements: they are those of the machine that builds."""
    text = metadata.read_bytes()
    headers, separator, description = text.partition(b"\n\n")
    shortened = _LOCAL_REFERENCE.sub(rb"\1\2", headers)
    if shortened != headers:
        metadata.write_bytes(shortened + separator + description)


def shared_files(distributions: Iterable[Distribution]) -> dict[PurePosixPath, list[str]]:
    """Files that more than one of `distributions` owns, each with the names of its owners."""
    owners: defaultdict[PurePosixPath, list[str]] = defaultdict(list)
    for distribution in distributions:
        for file in distribution.files:
            owners[file].append(distribution.name)
    return {file: names for file, names in owners.items() if len(names) > 1}


def _read(info: Path) -> Distribution:
    for name in ("METADATA", "RECORD"):
        if not (info / name).is_file():
            raise ReleaseError(
                f"{info} has no {name}: install its distribution from a wheel, `pip wheel` makes one"
            )
    headers = HeaderParser().parsestr((info / "METADATA").read_text("utf-8", "replace"))
    entry_points: dict[str, dict[str, str]] = {}
    for point in Installed.at(info).entry_points:
        entry_points.setdefault(point.group, {})[point.name] = point.value
    return Distribution(
        name=canonicalize_name(headers.get("Name", "")),
        version=headers.get("Version", ""),
        directory=info.name.removesuffix(_INFO),
        info=info.name,
        files=_owned(info),
        requires=tuple(map(_requirement, headers.get_all("Requires-Dist", []))),
        entry_points=entry_points,
        summary=headers.get("Summary", ""),
    )


def record_rows(record: Path) -> list[list[str]]:
    """The rows of a RECORD: path, checksum, size."""
    with record.open(encoding="utf-8", newline="") as stream:
        return [row for row in csv.reader(stream) if row]


def _owned(info: Path) -> tuple[PurePosixPath, ...]:
    """The files of the distribution with the dist-info directory `info` that belong into a release."""
    listed = {PurePosixPath(row[0]) for row in record_rows(info / "RECORD")} | {
        PurePosixPath(info.name, "RECORD")
    }
    # A package may be called `bin`; then that is no directory of scripts.
    packages = {file.parts[0] for file in listed if file.name == "__init__.py" and len(file.parts) == 2}  # noqa: PLR2004 - directory and file
    return tuple(
        sorted(file for file in listed if _belongs(file, info, packages) and (info.parent / file).is_file())
    )


def _belongs(file: PurePosixPath, info: Path, packages: set[str]) -> bool:
    if file.is_absolute() or ".." in file.parts or "__pycache__" in file.parts:
        return False
    if file.parts[0] == info.name:
        return not _INSTALLERS_OWN.fullmatch(file.name)
    return file.parts[0] not in _NOT_IMPORTED or file.parts[0] in packages


def _requirement(text: str) -> Requirement:
    """A Requires-Dist; of one with a version that PEP 440 does not allow (`>=1.*`), all but the version."""
    try:
        return Requirement(text)
    except InvalidRequirement:
        legacy = _LEGACY_REQUIREMENT.fullmatch(text)
        if legacy is None:
            raise
        return Requirement(f"{legacy['name']}{legacy['extras'] or ''}{legacy['marker'] or ''}")
