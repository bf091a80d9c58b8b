"""Leaving out what nothing reaches: modules of the standard library, and the tests of distributions."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from hatch_release.boot_index import ModuleIndex
from hatch_release.reachability import INTERPRETER, OPERATOR, Reached, reach, scan_modules
from hatch_release.runtime import layout
from hatch_release.stripping import unused_tests

if TYPE_CHECKING:
    from collections.abc import Collection

    from hatch_release.assembly import Assembly
    from hatch_release.interpreter import Interpreter


def stdlib_names(interpreter: Interpreter) -> frozenset[str]:
    """Full names of all modules in the interpreter's standard library, and of those built into it."""
    index = ModuleIndex()
    for directory in (interpreter.stdlib, interpreter.dynload):
        if directory is not None:
            index.add_directory(directory, "", (*interpreter.extension_suffixes, ".py", ".pyc"))
    return frozenset(index.modules) | frozenset(interpreter.frozen)


def scan(assembly: Assembly, *directories: str, names: Collection[str]) -> None:
    """Note what the modules in `directories` name.

    Args:
        assembly: Gains what was found; the modules are compiled.
        directories: Relative to the root.
        names: The names to look for in strings and in compiled code.
    """
    index = assembly.index(*directories)
    python = assembly.interpreter.executable
    assembly.scanned.update(scan_modules(assembly.release.path, index, python, names))


def prune_tests(assembly: Assembly) -> None:
    """Remove packages called `tests` of dependencies that nothing but tests imports; the project's own too."""
    scanned = assembly.scanned
    dropped = list(unused_tests(scanned, lambda name: scanned[name].imports))
    for directory in assembly.library_directories:
        for package in dropped:
            shutil.rmtree(assembly.release.path / directory / package.replace(".", "/"), ignore_errors=True)
    inside = tuple(f"{package}." for package in dropped)
    assembly.scanned = {name: each for name, each in scanned.items() if not f"{name}.".startswith(inside)}


def prune_stdlib(assembly: Assembly) -> None:
    """Remove the modules of the bundled standard library that nothing reaches.

    Args:
        assembly: All of its modules are scanned.
    """
    root = assembly.release.path
    library = assembly.index(*assembly.stdlib_directories).modules
    include = tuple(f"{name}." for name in assembly.release.options.stdlib_include)
    roots = {
        "the interpreter": INTERPRETER,
        "an operator's shell": OPERATOR,
        "stdlib-include": [name for name in library if f"{name}.".startswith(include)],
    }
    reached = reach(library.keys(), assembly.scanned, roots)
    _write_reasons(assembly, reached, library.keys())
    for name, module in library.items():
        if name in reached:
            continue
        path = root / module.path(name)
        if module.suffix.startswith("/"):
            shutil.rmtree(path.parent, ignore_errors=True)  # with its data; it may have gone with its parent
        else:
            path.unlink(missing_ok=True)  # it may have gone with its package


def _write_reasons(assembly: Assembly, reached: Reached, library: Collection[str]) -> None:
    """Write why each module of the standard library is in, and which are not."""
    directory = assembly.release.version_path / layout.CONSOLIDATED
    directory.mkdir(parents=True, exist_ok=True)
    left_out = sorted(name for name in library if name not in reached)
    reasons = {"included": dict(sorted(reached.reasons.items())), "left out": left_out}
    text = json.dumps(reasons, indent=2) + "\n"
    (directory / layout.STDLIB_REASONS).write_text(text, encoding="utf-8")
