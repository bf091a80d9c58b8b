"""Making what was placed into what a release holds: compiled, and with what is known about it kept in the cache."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from hatch_release.binaries import elf
from hatch_release.errors import ReleaseError
from hatch_release.imports.reachability import scan_modules
from hatch_release.units.bytecode import compile_tree, sources
from hatch_release.units.data_files import is_data_file
from hatch_release.units.kept_sources import kept_sources
from hatch_release.units.stripping import file_owners
from hatch_release.units.unit import keep

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from pathlib import Path

    from hatch_release.assembly import Assembly
    from hatch_release.units.unit import Unit

_RUNTIME_LOSES = ("source",)


def compile_libraries(assembly: Assembly) -> None:
    """Replace every x.py by x.pyc in fresh units and cache these; then it is known what all of them import."""
    make(assembly, assembly.fresh)
    _warn_of_broken_files(assembly)
    # As for imports, an earlier directory counts before a later one.
    for unit in sorted(assembly.units, key=lambda each: assembly.library_directories.index(each.directory)):
        assembly.scanned = {**unit.scanned, **assembly.scanned}


def make(assembly: Assembly, fresh: Collection[Unit]) -> None:
    """Compile units, look what they import, and cache them.

    Args:
        assembly: Theirs.
        fresh: The units, whose files have just been placed.

    Raises:
        ReleaseError: When the interpreter can't be run, or a file can't be written.
    """
    if fresh:
        _compile(assembly, fresh)
        _scan(assembly, fresh)
        for unit in fresh:
            keep(unit, assembly.release, assembly.cache)


def _compile(assembly: Assembly, fresh: Collection[Unit]) -> None:
    """Compile fresh units."""
    root, strip = assembly.release.path, assembly.release.options.stripping
    directories = {unit.directory for unit in fresh}
    members = [
        each for name, each in assembly.distributions.items() if assembly.directories[name] in directories
    ]
    owners = file_owners(root, members, assembly.directories)
    runtime_directory = root / assembly.runtime_directory
    files = {unit.directory: _code(root / unit.directory) for unit in fresh}
    kept = {file for home, each in files.items() for file in kept_sources(each, root / home)}

    def dropped(file: Path) -> Iterable[str]:
        if runtime_directory in file.parents:
            return _RUNTIME_LOSES
        owner = owners.get(file, "")
        home = root / assembly.directories.get(owner, "")
        if assembly.rules.keeps(file.relative_to(home).as_posix()):
            return ()
        kinds = strip.dropped(owner)
        return [kind for kind in kinds if kind != "source"] if file in kept else kinds

    failed = compile_tree(
        root,
        [file for each in files.values() for file in each],
        assembly.interpreter.executable,
        dropped=dropped,
        progress=assembly.release.progress.update,
    )
    for unit in fresh:
        inside = f"{unit.directory}/"
        unit.failed = {
            file.removeprefix(inside): why for file, why in failed.items() if file.startswith(inside)
        }


def _code(home: Path) -> list[Path]:
    """The Python files of a unit that are modules."""
    return [file for file in sources(home) if not is_data_file(home, file)]


def _scan(assembly: Assembly, fresh: Collection[Unit]) -> None:
    """Note what the modules of fresh units name, and their libraries that import modules."""
    root = assembly.release.path
    names = {unit.directory: _importing(assembly, root / unit.directory) for unit in fresh}
    everything = {path: name for each in names.values() for path, name in each.items()}
    found = scan_modules(assembly.release.path, everything, assembly.interpreter, assembly.stdlib_names)
    for unit in fresh:
        unit.scanned = {name: found[path] for path, name in names[unit.directory].items() if path in found}


def _importing(assembly: Assembly, home: Path) -> dict[str, str]:
    """Who imports in a unit, by path relative to the root: modules by their names, libraries by their own paths."""
    root = assembly.release.path
    modules = assembly.index(home.relative_to(root).as_posix()).modules
    found = {module.path(name): name for name, module in modules.items()}
    for path in sorted(home.rglob("*.so*")):
        name = path.relative_to(root).as_posix()
        if name not in found and elf.is_elf(path):
            with contextlib.suppress(
                ReleaseError
            ):  # a damaged one is told where its libraries are looked for
                found.update({name: path.relative_to(home).as_posix()} if elf.calls_python(path) else {})
    return found


def _warn_of_broken_files(assembly: Assembly) -> None:
    """Distributions carry broken files on purpose, templates and the like; the project's own are a mistake."""
    project = assembly.directories[canonicalize_name(assembly.release.project.name)]
    for unit in assembly.units:
        if unit.directory == project:
            for file, message in unit.failed.items():
                assembly.release.progress.warn(f"{file} can't be compiled: {message}")
