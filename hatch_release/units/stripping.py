"""What the option `strip` drops from distributions: files that no running program reads.

Tests are dropped only where nothing outside of them imports them: `numpy.tests` goes, a `tests` package that an
application is made of stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hatch_release.binaries import elf

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
    from pathlib import Path, PurePosixPath

    from hatch_release.dependencies.distributions import Distribution
    from hatch_release.options.strip import Strip

_COMPILER_READS = (".a", ".h", ".hh", ".hpp", ".hxx", ".la", ".lib", ".pxd", ".pxi", ".pyx")
_TESTS = re.compile(r"(?:[^.]+\.)+?tests(?=\.|$)")
_KINDS = {**dict.fromkeys(_COMPILER_READS, "headers"), ".pyi": "stubs"}


def strip_files(home: Path, files: Iterable[PurePosixPath], dropped: Collection[str]) -> None:
    """Remove type stubs, what only a compiler reads, and debug symbols from a distribution.

    Args:
        home: The distribution's directory, which it may share.
        files: What it owns, relative to `home`.
        dropped: Kinds as `strip_policy` has them: `stubs`, `headers` and `symbols` count here.
    """
    for file in files:
        path = home / file
        if _KINDS.get(file.suffix) in dropped:
            path.unlink(missing_ok=True)
        elif "symbols" in dropped and (".so" in file.name or not file.suffix):
            _strip_symbols(path)


def _strip_symbols(path: Path) -> None:
    """Remove the debug symbols of a file, if it has any."""
    if path.is_file() and not path.is_symlink() and elf.is_elf(path):
        elf.strip(path)


def file_owners(
    root: Path, distributions: Iterable[Distribution], directories: Mapping[str, str]
) -> dict[Path, str]:
    """The distribution that owns each file below `lib/`.

    Args:
        root: The release's root.
        distributions: Those of interest.
        directories: Where each is, relative to `root`.
    """
    return {root / directories[each.name] / file: each.name for each in distributions for file in each.files}


def kept_tests(
    distributions: Iterable[Distribution], strip: Strip, keeps: Callable[[str], bool]
) -> frozenset[str]:
    """The packages named `tests` that are to stay.

    Args:
        distributions: All of the release.
        strip: Says it of a distribution.
        keeps: Says it of a file, by its path in a wheel.
    """
    kept = (
        file
        for each in distributions
        for file in each.files
        if strip.keeps("tests", each.name) or keeps(file.as_posix())
    )
    names = (".".join(file.with_suffix("").parts) for file in kept)
    return frozenset(package for name in names if (package := _tests_package(name)))


def unused_tests(
    modules: Iterable[str], imports: Callable[[str], Collection[str]], kept: Collection[str] = ()
) -> Iterator[str]:
    """The packages named `tests` that nothing but tests imports.

    Args:
        modules: Full names of all modules of the release's distributions.
        imports: The full names that a module imports.
        kept: Packages that stay all the same, with what they import.
    """
    packages: set[str] = set()
    outside: list[str] = []
    for name in modules:
        package = _tests_package(name)
        if package and package not in kept:
            packages.add(package)
        else:
            outside.append(name)
    used = {package for name in outside for each in imports(name) if (package := _tests_package(each))}
    yield from sorted(packages - used)


def _tests_package(name: str) -> str:
    """The package called `tests`, inside another one, that the module `name` is in or is; else nothing."""
    match = _TESTS.match(name) if ".tests" in name else None
    return match[0] if match else ""
