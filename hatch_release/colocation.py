"""Distributions that can't be split: those that have to share one directory below `lib/`.

Two reasons make them one unit. Both own files inside one regular package, whose `__path__` is a single directory
(PyQt6 and PyQt6-Qt6). Or compiled code of one finds a library of the other by a relative search path (PySide6 and
shiboken6, torch and nvidia-*). Namespace packages (PEP 420, and those of pkgutil and pkg_resources) are no reason:
their `__path__` is made of all portions.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from hatch_release import elf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path, PurePosixPath

    from hatch_release.distributions import Distribution

_INITIALISERS = ("__init__.py", "__init__.pyc")
_NAMESPACE_MARKS = (b"extend_path", b"declare_namespace")


def shared_directories(distributions: Mapping[str, Distribution], site: Path) -> dict[str, str]:
    """The directory below `lib/` of each distribution that has to share one.

    Args:
        distributions: All of the release, by name, dependencies first.
        site: The flat directory that they are installed in.

    Returns:
        The directory by distribution, for those that share: it is named for the last of the
        group, which the others are dependencies of.
    """
    group = {name: {name} for name in distributions}
    for one, other in (*_by_package(distributions, site), *_by_library(distributions, site)):
        joined = group[one] | group[other]
        for name in joined:
            group[name] = joined
    order = list(distributions)
    return {
        name: distributions[max(members, key=order.index)].directory
        for name, members in group.items()
        if len(members) > 1
    }


def conflicting_files(distributions: Iterable[Distribution], site: Path) -> dict[PurePosixPath, list[str]]:
    """Files that several distributions own, with the names of their owners; not those of namespace packages.

    Args:
        distributions: All of the release.
        site: The flat directory that they are installed in.
    """
    owners: defaultdict[PurePosixPath, list[str]] = defaultdict(list)
    for distribution in distributions:
        for file in distribution.files:
            owners[file].append(distribution.name)
    shared = {file: names for file, names in owners.items() if len(names) > 1}
    return {file: names for file, names in shared.items() if not _is_namespace_file(site / file)}


def _by_package(distributions: Mapping[str, Distribution], site: Path) -> Iterator[tuple[str, str]]:
    """Pairs that own files inside one regular package."""
    owners: defaultdict[PurePosixPath, dict[str, None]] = defaultdict(dict)
    for distribution in distributions.values():
        for file in distribution.files:
            for package in list(file.parents)[:-1]:
                owners[package][distribution.name] = None
    for package, names in owners.items():
        if len(names) > 1 and _is_regular_package(site / package):
            first, *others = names
            yield from ((first, other) for other in others)


def _is_regular_package(directory: Path) -> bool:
    """Whether `directory` is a package with one place; that of a namespace package is not."""
    initialisers = [directory / name for name in _INITIALISERS if (directory / name).is_file()]
    return bool(initialisers) and not _is_namespace_file(initialisers[0])


def _is_namespace_file(path: Path) -> bool:
    """Whether `path` makes its directory a namespace package as pkgutil or pkg_resources do."""
    if path.name not in _INITIALISERS or not path.is_file():
        return False
    text = path.read_bytes()
    return any(mark in text for mark in _NAMESPACE_MARKS)


def _by_library(distributions: Mapping[str, Distribution], site: Path) -> Iterator[tuple[str, str]]:
    """Pairs of which one's compiled code finds a library of the other by a relative path."""
    owner = {site / file: each.name for each in distributions.values() for file in each.files}
    for path, name in owner.items():
        if not _may_be_binary(path) or not elf.is_elf(path):
            continue
        for target in _neighbours(path):
            if owner.get(target, name) != name:
                yield name, owner[target]


def _neighbours(path: Path) -> Iterator[Path]:
    """Where the dynamic linker would look beside the compiled file `path` for what it needs."""
    linkage = elf.linkage(path)
    places: Sequence[Path] = linkage.directories(path.parent) if linkage.relative else ()
    for place in places:
        yield from (place / library for library in linkage.needed)


def _may_be_binary(path: Path) -> bool:
    """Whether the name of `path` leaves the question open; it saves opening every file."""
    return ".so" in path.name or not path.suffix
