"""The units below `lib/`: one for each distribution that can be split off, and one for the runtime."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from hatch_release import runtime
from hatch_release.binaries import elf
from hatch_release.cache.store import key_of, shipped, tool
from hatch_release.dependencies.closure import precedence
from hatch_release.dependencies.colocation import conflicting_files, shared_directories
from hatch_release.dependencies.distributions import place, shared_files
from hatch_release.errors import ReleaseError
from hatch_release.imports.pruning import prune_tests
from hatch_release.imports.reachability import scan_modules
from hatch_release.runtime import layout
from hatch_release.units.bytecode import compile_tree, sources
from hatch_release.units.data_files import is_data_file
from hatch_release.units.file_rules import FileRules, apply_rules, sources_of
from hatch_release.units.kept_sources import kept_sources
from hatch_release.units.source_readers import advice, source_readers
from hatch_release.units.stripping import file_owners, strip_files
from hatch_release.units.unit import Unit, keep, recall, restore

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import PurePosixPath

    from hatch_release.assembly import Assembly

KIND = "distribution"
_RUNTIME_LOSES = ("source",)


def place_distributions(assembly: Assembly) -> None:
    """Split what was installed -> lib/NAME-VSN, from the cache or from scratch/site."""
    release, distributions = assembly.release, assembly.distributions
    ties = {name: each.ties for name, each in assembly.installed.items()}
    _warn_of_conflicts(assembly, conflicting_files(distributions.values(), ties))
    (release.path / layout.LIB).mkdir(exist_ok=True)
    assembly.rules = FileRules(release)
    shared = shared_directories(distributions, ties)
    for name, distribution in distributions.items():
        assembly.directories[name] = f"{layout.LIB}/{shared.get(name, distribution.directory)}"
    directories = dict.fromkeys(assembly.directories.values())
    _take(assembly, [Unit(directory, KIND, _key(assembly, directory)) for directory in directories])
    _move(assembly, assembly.fresh)


def _warn_of_conflicts(assembly: Assembly, conflicts: Mapping[PurePosixPath, Collection[str]]) -> None:
    """Name the distributions that own the same files, one line for each group of them."""
    own = canonicalize_name(assembly.release.project.name)
    installed = {name: each.distribution for name, each in assembly.installed.items()}
    order = precedence(installed, assembly.interpreter.markers, own)
    groups: dict[tuple[str, ...], list[PurePosixPath]] = {}
    for file, owners in conflicts.items():
        groups.setdefault(tuple(sorted(owners, key=order.index)), []).append(file)
    for names, files in groups.items():
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        assembly.release.progress.warn(
            f"{', '.join(names[:-1])} and {names[-1]} own the same files, {min(files)}{more}: those of {names[-1]} "
            "are in the release"
        )


def _key(assembly: Assembly, directory: str) -> str:
    """Everything that the unit in `directory` is made of."""
    strip = assembly.release.options.stripping
    members = [name for name, each in assembly.directories.items() if each == directory]
    contents = [[name, assembly.installed[name].digest, strip.dropped(name)] for name in members]
    return key_of(tool(), directory, contents, strip.on, assembly.rules.key, _compiler(assembly))


def _compiler(assembly: Assembly) -> object:
    """What decides how code is compiled and scanned."""
    interpreter = assembly.interpreter
    return [interpreter.version, interpreter.magic.hex(), assembly.suffixes, assembly.stdlib_names]


def _take(assembly: Assembly, units: list[Unit]) -> None:
    """Begin to restore the units that the cache holds; the others are to be made."""
    assembly.units += units
    for unit in units:
        assembly.ahead.note(unit)
        if recall(unit, assembly.cache, assembly.ahead):
            copying = assembly.pool.submit(restore, unit, assembly.release, assembly.cache, assembly.ahead)
            assembly.coming.append((unit, copying))
        else:
            assembly.fresh.append(unit)


def _move(assembly: Assembly, fresh: Collection[Unit]) -> None:
    """Move the distributions of fresh units from scratch/site, and strip them."""
    if not fresh:
        return
    release = assembly.release
    common = shared_files(assembly.distributions.values())
    directories = {unit.directory for unit in fresh}
    names = [name for name in assembly.distributions if assembly.directories[name] in directories]
    assembly.installation.fetch({assembly.installation.part_of(name) for name in names})
    for name in names:
        distribution, directory = assembly.distributions[name], Path(assembly.directories[name])
        home = place(distribution, assembly.site, release.path / layout.LIB, directory.name, common)
        files = [file for file in distribution.files if not assembly.rules.keeps(file.as_posix())]
        strip_files(home, files, release.options.stripping.dropped(name))


def place_runtime(assembly: Assembly) -> None:
    """Copy what ships of hatch-release itself -> lib/hatch_release_runtime-VSN."""
    unit = Unit(
        assembly.runtime_directory,
        KIND,
        key_of(
            tool(),
            shipped(),
            assembly.runtime_directory,
            assembly.release.options.stripping.on,
            _compiler(assembly),
        ),
    )
    _take(assembly, [unit])
    if unit in assembly.fresh:
        _copy_runtime(assembly)


def _copy_runtime(assembly: Assembly) -> None:
    """Copy the source of what ships."""
    package = assembly.release.path / assembly.runtime_directory / "hatch_release"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(Path(runtime.__file__).parent, package / "runtime", ignore=ignored)
    (package / "__init__.py").write_text(
        '"""The part of hatch-release that ships inside releases."""\n', encoding="utf-8"
    )


def compile_libraries(assembly: Assembly) -> None:
    """Replace every x.py by x.pyc in fresh units and cache these; then leave out what is not wanted."""
    release, strip = assembly.release, assembly.release.options.stripping
    _make(assembly, assembly.fresh)
    _make(assembly, _lost(assembly))
    _warn_of_broken_files(assembly)
    # As for imports, an earlier directory counts before a later one.
    for unit in sorted(assembly.units, key=lambda each: assembly.library_directories.index(each.directory)):
        assembly.scanned = {**unit.scanned, **assembly.scanned}
    if strip.on:
        prune_tests(assembly)
        without_source = {
            name: each
            for name, each in assembly.scanned.items()
            if not any(map(assembly.rules.keeps, sources_of(name)))
        }
        if text := advice(source_readers(assembly.distributions.values(), without_source, strip)):
            release.progress.warn(text)
    apply_rules(assembly)


def _lost(assembly: Assembly) -> list[Unit]:
    """Wait for what comes from the cache; where that was damaged, the unit is placed as a fresh one."""
    lost = [unit for unit, copying in assembly.coming if not copying.result()]
    if any(unit.directory == assembly.runtime_directory for unit in lost):
        _copy_runtime(assembly)
    _move(assembly, lost)
    return lost


def _make(assembly: Assembly, fresh: Collection[Unit]) -> None:
    """Compile fresh units, look what they import, and cache them."""
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
