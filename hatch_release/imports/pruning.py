"""Leaving out what nothing reaches: modules of the standard library, and the tests of distributions."""

from __future__ import annotations

import contextlib
import json
import shutil
from typing import TYPE_CHECKING

from hatch_release.configuration.files import imports
from hatch_release.imports.reachability import INTERPRETER, OPERATOR, Reached, reach
from hatch_release.interpreter.stdlib import TEST_DIRECTORIES
from hatch_release.options.strip import STANDARD_LIBRARY
from hatch_release.runtime import layout
from hatch_release.tree.site_paths import has_site_files, read_site_paths
from hatch_release.units.stripping import kept_tests, unused_tests

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from hatch_release.assembly import Assembly
    from hatch_release.options.strip import Strip
    from hatch_release.tree.boot_index import ModuleFile


def drop_tests(assembly: Assembly) -> None:
    """Leave out packages called `tests` that nothing but tests imports, the project's own too, unless they are to stay.

    This says which: those that a unit has when it comes from the cache are not copied, `remove_tests` takes the others.
    """
    scanned = assembly.scanned
    kept = kept_tests(
        assembly.distributions.values(), assembly.release.options.stripping, assembly.rules.keeps
    )
    dropped = list(unused_tests(scanned, lambda name: scanned[name].imports, kept))
    assembly.tests = tuple(f"{package.replace('.', '/')}/" for package in dropped)
    inside = tuple(f"{package}." for package in dropped)
    assembly.scanned = {name: each for name, each in scanned.items() if not f"{name}.".startswith(inside)}


def remove_tests(assembly: Assembly, home: Path) -> None:
    """Remove what `drop_tests` leaves out.

    Args:
        assembly: Of the release.
        home: A directory of distributions.
    """
    for package in assembly.tests:
        if (home / package).is_dir():
            shutil.rmtree(home / package, ignore_errors=True)


class Unreached:
    """The files of modules that are left out.

    Args:
        modules: Where each is, relative to the interpreter's directory.
    """

    def __init__(self, modules: Mapping[str, ModuleFile]) -> None:
        """Note the paths: of modules with what is compiled beside them, of packages with all that is in them."""
        self._files: set[str] = set()
        self._beginnings: tuple[str, ...] = ()
        for name, module in modules.items():
            self._note(module.path(name), is_package=module.suffix.startswith("/"))

    def _note(self, path: str, *, is_package: bool) -> None:
        directory, _, file = path.rpartition("/")
        if is_package:
            self._beginnings += (f"{directory}/",)
        else:
            self._files.add(path)
            self._beginnings += (f"{directory}/__pycache__/{file.partition('.')[0]}.",)

    def __contains__(self, path: str) -> bool:
        """Whether the file `path`, relative to the interpreter's directory, is left out."""
        return path in self._files or path.startswith(self._beginnings)

    def remove(self, directory: Path) -> None:
        """Remove them from the interpreter's directory, and what is empty then."""
        for path in sorted(directory.rglob("*"), reverse=True):
            if path.is_dir() and not path.is_symlink():
                with contextlib.suppress(OSError):
                    path.rmdir()
            elif path.relative_to(directory).as_posix() in self:
                path.unlink()


def unreached_stdlib(assembly: Assembly, library: Mapping[str, ModuleFile]) -> Unreached:
    """The modules of the bundled standard library that nothing reaches; writes down why the others are in.

    Args:
        assembly: All modules are scanned.
        library: The modules of the standard library, relative to the interpreter's directory.
    """
    asked = assembly.release.options.stdlib_include
    include = tuple(f"{name}." for name in asked)
    started = _site_imports(assembly)
    roots = {
        "the interpreter": INTERPRETER,
        "a .pth or .start file": sorted(started),
        "an operator's shell": OPERATOR,
        "stdlib-include": [name for name in library if f"{name}.".startswith(include)],
        "the configuration": imports(assembly.release.project.root, assembly.release.options),
        "strip": _kept_library_tests(library, assembly.release.options.stripping),
    }
    frozen = assembly.interpreter.frozen
    named = {*asked, *started}
    reached = reach(library.keys(), assembly.scanned, roots, named=named, frozen=frozen)
    _write_reasons(assembly, reached, library.keys())
    return Unreached({name: module for name, module in library.items() if name not in reached})


def _site_imports(assembly: Assembly) -> set[str]:
    """What `.pth` and `.start` files import; where there is none, the distributions need not have been placed."""
    if not any(map(has_site_files, assembly.distributions.values())):
        return set()
    return read_site_paths(
        assembly.release.path, assembly.library_directories, assembly.interpreter.version
    ).imports


def _kept_library_tests(library: Iterable[str], strip: Strip) -> list[str]:
    """The standard library's own tests, when they are to stay."""
    if not strip.keeps("tests", STANDARD_LIBRARY):
        return []
    return [name for name in library if not TEST_DIRECTORIES.isdisjoint(name.split("."))]


def _write_reasons(assembly: Assembly, reached: Reached, library: Collection[str]) -> None:
    """Write why each module of the standard library is in, and which are not."""
    directory = assembly.release.version_path / layout.CONSOLIDATED
    directory.mkdir(parents=True, exist_ok=True)
    left_out = sorted(name for name in library if name not in reached)
    reasons = {"included": dict(sorted(reached.reasons.items())), "left out": left_out}
    text = json.dumps(reasons, indent=2) + "\n"
    (directory / layout.STDLIB_REASONS).write_text(text, encoding="utf-8")
