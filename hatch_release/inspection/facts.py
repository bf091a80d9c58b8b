"""What a release consists of: applications, distributions, sizes, by version."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from hatch_release.inspection.kinds import KINDS
from hatch_release.inspection.root import choose_versions
from hatch_release.runtime import layout, manifest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from hatch_release.inspection.root import Root

INTERPRETER = "interpreter"
RUNTIME = "runtime"
RELEASE = "release"
DISTRIBUTION = "distribution"
OVERLAY = "overlay"
_PYTHON = layout.python_directory("")
_RUNTIME = "hatch_release_runtime-"


@dataclass(frozen=True)
class Part:
    """What of a version takes room together: a distribution, the interpreter, the release's own files."""

    name: str
    version: str
    type: str
    """`distribution`, `interpreter`, `runtime`, `release` (scripts, boot files, metadata) or `overlay`."""
    mode: str
    """A distribution's, or empty."""
    why: tuple[str, ...]
    """What brings a distribution in."""
    path: str
    size: int
    """Bytes."""
    files: int
    kinds: dict[str, int]
    """Bytes by kind."""


@dataclass
class Version:
    """One installed version."""

    name: str
    version: str
    boots: bool
    """Whether it is the one that boots."""
    target: str
    glibc: str | None
    """The oldest that it runs on."""
    python: dict[str, Any]
    mode: str
    applications: list[dict[str, Any]]
    """What is started, in order: name, distribution, kind, mode, and start or command."""
    parts: list[Part]
    """The largest first."""
    size: int
    files: int
    kinds: dict[str, int]
    stdlib: dict[str, Any]
    """`included`: each module with what names it; `left out`. Empty when all of it is in."""
    owners: dict[str, str] = field(repr=False)
    """Name of the part of each file, by path."""


@dataclass
class Inspection:
    """What a root holds."""

    source: str
    format: str
    packed: int | None
    size: int
    """Bytes of all files."""
    files: int
    versions: list[Version]

    def to_json(self) -> dict[str, Any]:
        """Plain data; files are left out."""
        plain = asdict(self)
        for version in plain["versions"]:
            del version["owners"]
            version["stdlib"] = {key: len(value) for key, value in version["stdlib"].items()}
        return plain


def inspect(root: Root, version: str | None = None) -> Inspection:
    """What a root holds.

    Args:
        root: It has been read.
        version: The only version to look at; None: all.

    Raises:
        ReleaseError: When a file that says what the release is is missing or damaged, or there is no such version.
    """
    boots = root.text(f"{layout.RELEASES}/{layout.START_DATA}").split()[-1:]
    chosen = choose_versions(root, version)
    return Inspection(
        source=str(root.source),
        format=root.format,
        packed=root.packed,
        size=sum(file.size for file in root.files.values()),
        files=len(root.files),
        versions=[_version(root, each, boots=[each] == boots) for each in chosen],
    )


def _version(root: Root, version: str, *, boots: bool) -> Version:
    """One version of the root."""
    directory = f"{layout.RELEASES}/{version}"
    names = [path for path in root.texts if path.startswith(f"{directory}/") and path.endswith(".rel")]
    described = root.value(names[0] if names else f"{directory}/NAME.rel")
    script = root.value(f"{directory}/{layout.START}{layout.SCRIPT_SUFFIX}")
    reasons = f"{directory}/{layout.CONSOLIDATED}/{layout.STDLIB_REASONS}"
    try:
        parts, owners = _parts(root, version, described["applications"], script["distributions"])
        kinds = Counter[str]()
        for part in parts:
            kinds.update(part.kinds)
        return Version(
            name=described["name"],
            version=version,
            boots=boots,
            target=described["target"],
            glibc=described["glibc"],
            python=described["python"],
            mode=script["mode"],
            applications=[_application(each) for each in script["applications"]],
            parts=parts,
            size=sum(part.size for part in parts),
            files=sum(part.files for part in parts),
            kinds=_in_order(kinds),
            stdlib=root.value(reasons) if reasons in root.texts else {},
            owners=owners,
        )
    except (KeyError, TypeError) as error:
        raise root.damaged(f"{directory}/*.rel", error) from error


def _application(described: dict[str, Any]) -> dict[str, Any]:
    """What is told of an application that is started."""
    told = ("name", "distribution", "kind", "mode", "start", "command")
    return {key: described[key] for key in told if described.get(key)}


def _parts(
    root: Root, version: str, described: list[dict[str, Any]], provenance: dict[str, Any]
) -> tuple[list[Part], dict[str, str]]:
    """The parts of a version, the largest first, and the name of the part of each file."""
    owner = _Owners(root, {each["name"]: each["path"] for each in described}, version)
    sizes: dict[str, Counter[str]] = defaultdict(Counter)
    files: Counter[str] = Counter()
    owners = {}
    for path in _paths(root, version):
        owners[path] = name = owner.of(path)
        files[name] += 1
        sizes[name][root.files[path].kind] += root.files[path].size
    known = {each["name"]: each for each in described}
    parts = [
        _part(name, known.get(name), provenance.get(name, {}), owner.places[name], files[name], sizes[name])
        for name in sizes
    ]
    return sorted(parts, key=lambda part: (-part.size, part.name)), owners


def _part(  # noqa: PLR0913, PLR0917 - what was counted for it
    name: str,
    described: dict[str, Any] | None,
    provenance: dict[str, Any],
    place: tuple[str, str],
    files: int,
    sizes: Counter[str],
) -> Part:
    """One part."""
    kind, path = place
    # The name of a directory ends with the version, for the interpreter and the runtime.
    version = described["version"] if described else ""
    if kind in {INTERPRETER, RUNTIME}:
        version = path.rpartition("-")[2]
    return Part(
        name=name,
        version=version,
        type=kind,
        mode=described["mode"] if described else "",
        why=tuple(provenance.get("why", ())),
        path=path,
        size=sum(sizes.values()),
        files=files,
        kinds=_in_order(sizes),
    )


def _in_order(kinds: Counter[str]) -> dict[str, int]:
    return {kind: kinds[kind] for kind in KINDS if kinds[kind]}


def _paths(root: Root, version: str) -> Iterator[str]:
    """The files that a version consists of: what its manifests list, and what no manifest of the root does."""
    listed = {each: _listed(root, each) for each in root.versions}
    others = set[str]().union(*(paths for each, paths in listed.items() if each != version))
    for path in root.files:
        if path in listed[version] or (path not in others and _is_of(path, version)):
            yield path


def _listed(root: Root, version: str) -> set[str]:
    """The paths in both manifests of a version; none when it has none."""
    directory = f"{layout.RELEASES}/{version}"
    found: set[str] = set()
    for name in (layout.MANIFEST, manifest.SHARED):
        if f"{directory}/{name}" in root.texts:
            found.update(root.checksums(version, name))
    return found


def _is_of(path: str, version: str) -> bool:
    """Whether an unlisted file counts for a version: manifests and the cookie do, other versions' files don't."""
    first, _, rest = path.partition("/")
    return first != layout.RELEASES or "/" not in rest or rest.startswith(f"{version}/")


class _Owners:
    """Which part a file belongs to."""

    def __init__(self, root: Root, directories: dict[str, str], version: str) -> None:
        """Prepare for a version whose distributions are in `directories`, by name."""
        self.places: dict[str, tuple[str, str]] = {}
        """Type and directory of each part that was named."""
        self._release = f"{layout.RELEASES}/{version}"
        self._by_directory: dict[str, list[str]] = defaultdict(list)
        for name, directory in directories.items():
            self._by_directory[directory].append(name)
        shared = {directory for directory, names in self._by_directory.items() if len(names) > 1}
        self._by_file = dict(_recorded(root, shared))

    def of(self, path: str) -> str:
        """The name of the part that a file belongs to."""
        first, _, rest = path.partition("/")
        directory = f"{first}/{rest.partition('/')[0]}"
        if first.startswith(_PYTHON):
            name, place = "Python", (INTERPRETER, first)
        elif directory in self._by_directory:
            name = self._by_file.get(path, self._by_directory[directory][0])
            place = (DISTRIBUTION, directory)
        elif directory.startswith(f"{layout.LIB}/{_RUNTIME}"):
            name, place = "hatch-release runtime", (RUNTIME, directory)
        elif first in {layout.RELEASES, layout.BIN}:
            name, place = "boot files and scripts", (RELEASE, self._release)
        else:
            name, place = first, (OVERLAY, first)
        self.places.setdefault(name, place)
        return name


def _recorded(root: Root, directories: Collection[str]) -> Iterator[tuple[str, str]]:
    """Which distribution owns each file in a directory of several, as their RECORDs say."""
    for path, data in root.texts.items():
        info, _, name = path.rpartition("/")
        directory, _, info_name = info.rpartition("/")
        if name == "RECORD" and directory in directories:
            owner = canonicalize_name(info_name.removesuffix(".dist-info").rpartition("-")[0])
            for row in csv.reader(data.decode("utf-8", "surrogateescape").splitlines()):
                if row:
                    yield f"{directory}/{row[0]}", owner
