"""Distributions that can't be split: those that have to share one directory below `lib/`.

Two reasons make them one unit. Both own files inside one regular package, whose `__path__` is a single directory
(PyQt6 and PyQt6-Qt6). Or compiled code of one finds a library of the other by a relative search path (PySide6 and
shiboken6, torch and nvidia-*). Namespace packages (PEP 420, and those of pkgutil and pkg_resources) are no reason:
their `__path__` is made of all portions.
"""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from hatch_release.binaries import elf

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from hatch_release.dependencies.distributions import Distribution

_INITIALISERS = ("__init__.py", "__init__.pyc")
_NAMESPACE_MARKS = (b"extend_path", b"declare_namespace")


@dataclass(frozen=True)
class Ties:
    """What a distribution's files say about others, by paths relative to where all are installed."""

    namespaces: frozenset[PurePosixPath] = frozenset()
    """Its `__init__` files that make namespace packages, as pkgutil and pkg_resources do."""
    libraries: tuple[PurePosixPath, ...] = ()
    """Where the dynamic linker would look beside its compiled files for what they need."""


def read_ties(distribution: Distribution, site: Path) -> Ties:
    """The ties of a distribution.

    Args:
        distribution: It is installed in `site`.
        site: A flat directory.
    """
    libraries: dict[PurePosixPath, None] = {}
    for file in distribution.files:
        if _may_be_binary(file) and elf.is_elf(site / file):
            libraries.update(dict.fromkeys(_neighbours(site, file)))
    marks = frozenset(file for file in distribution.files if _is_namespace_file(site / file))
    return Ties(marks, tuple(sorted(libraries)))


def shared_directories(distributions: Mapping[str, Distribution], ties: Mapping[str, Ties]) -> dict[str, str]:
    """The directory below `lib/` of each distribution that has to share one.

    Args:
        distributions: All of the release, by name, dependencies first.
        ties: The ties of each, by name.

    Returns:
        The directory by distribution, for those that share: it is named for the last of the
        group, which the others are dependencies of.
    """
    group = {name: {name} for name in distributions}
    for one, other in (*_by_package(distributions, ties), *_by_library(distributions, ties)):
        joined = group[one] | group[other]
        for name in joined:
            group[name] = joined
    order = list(distributions)
    return {
        name: distributions[max(members, key=order.index)].directory
        for name, members in group.items()
        if len(members) > 1
    }


def conflicting_files(
    distributions: Iterable[Distribution], ties: Mapping[str, Ties]
) -> dict[PurePosixPath, list[str]]:
    """Files that several distributions own, with the names of their owners; not those of namespace packages.

    Args:
        distributions: All of the release.
        ties: The ties of each, by name.
    """
    owners: defaultdict[PurePosixPath, list[str]] = defaultdict(list)
    for distribution in distributions:
        for file in distribution.files:
            owners[file].append(distribution.name)
    shared = {file: names for file, names in owners.items() if len(names) > 1}
    return {
        file: names
        for file, names in shared.items()
        if not any(file in ties[name].namespaces for name in names)
    }


def _by_package(
    distributions: Mapping[str, Distribution], ties: Mapping[str, Ties]
) -> Iterator[tuple[str, str]]:
    """Pairs that own files inside one regular package."""
    owners: defaultdict[PurePosixPath, dict[str, None]] = defaultdict(dict)
    for distribution in distributions.values():
        for directory in {file.parent for file in distribution.files}:
            for package in [directory, *directory.parents][:-1]:
                owners[package][distribution.name] = None
    regular = _regular_packages(distributions, ties)
    for package, names in owners.items():
        if len(names) > 1 and package in regular:
            first, *others = names
            yield from ((first, other) for other in others)


def _regular_packages(
    distributions: Mapping[str, Distribution], ties: Mapping[str, Ties]
) -> set[PurePosixPath]:
    """Directories that are packages with one place; those of namespace packages are not."""
    files = [file for each in distributions.values() for file in each.files if file.name in _INITIALISERS]
    spaces = {file.parent for name in distributions for file in ties[name].namespaces}
    return {file.parent for file in files} - spaces


def _is_namespace_file(path: Path) -> bool:
    """Whether `path` makes its directory a namespace package as pkgutil or pkg_resources do."""
    if path.name not in _INITIALISERS or not path.is_file():
        return False
    text = path.read_bytes()
    return any(mark in text for mark in _NAMESPACE_MARKS)


def _by_library(
    distributions: Mapping[str, Distribution], ties: Mapping[str, Ties]
) -> Iterator[tuple[str, str]]:
    """Pairs of which one's compiled code finds a library of the other by a relative path."""
    owner = {file: each.name for each in distributions.values() for file in each.files}
    for name in distributions:
        for target in ties[name].libraries:
            if owner.get(target, name) != name:
                yield name, owner[target]


def _neighbours(site: Path, file: PurePosixPath) -> Iterator[PurePosixPath]:
    """Where the dynamic linker would look beside the compiled `file` for what it needs."""
    linkage = elf.linkage(site / file)
    places = linkage.directories((site / file).parent) if linkage.relative else ()
    for place in places:
        relative = PurePosixPath(os.path.relpath(place, site))
        yield from (relative / library for library in linkage.needed)


def _may_be_binary(path: PurePosixPath) -> bool:
    """Whether the name of `path` leaves the question open; it saves opening every file."""
    return ".so" in path.name or not path.suffix
