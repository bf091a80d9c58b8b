"""What the option `strip` drops from distributions: files that no running program reads.

Tests are dropped only where nothing outside of them imports them: `numpy.tests` goes, a `tests` package that an
application is made of stays.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from hatch_release import elf

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

_ENDINGS = frozenset({".a", ".h", ".hh", ".hpp", ".hxx", ".la", ".lib", ".pxd", ".pxi", ".pyi", ".pyx"})


def drop_files(directory: Path) -> None:
    """Remove type stubs, and what only a compiler reads, from a distribution's directory."""
    for path in [path for path in directory.rglob("*") if path.suffix in _ENDINGS]:
        if not path.is_dir():
            path.unlink()


def strip_symbols(directory: Path) -> int:
    """Remove debug symbols from the compiled files of a distribution; gives the bytes saved."""
    candidates = (path for path in directory.rglob("*") if ".so" in path.name or not path.suffix)
    return sum(elf.strip(path) for path in candidates if elf.is_elf(path))


def unused_tests(modules: Iterable[str], imports: Callable[[str], Collection[str]]) -> Iterator[str]:
    """The packages named `tests` that nothing but tests imports.

    Args:
        modules: Full names of all modules of the release's distributions.
        imports: The full names that a module imports.
    """
    packages: set[str] = set()
    outside: list[str] = []
    for name in modules:
        package = _tests_package(name)
        if package:
            packages.add(package)
        else:
            outside.append(name)
    used = {package for name in outside for each in imports(name) if (package := _tests_package(each))}
    yield from sorted(packages - used)


def _tests_package(name: str) -> str:
    """The package called `tests`, inside another one, that the module `name` is in or is; else nothing."""
    match = re.match(r"(?:[^.]+\.)+?tests(?=\.|$)", name)
    return match[0] if match else ""
