"""The unit `python-X.Y.Z`: the whole standard library is compiled once; a release takes what it reaches."""

from __future__ import annotations

import shutil
from concurrent.futures import Future
from typing import TYPE_CHECKING

from hatch_release.binaries import elf
from hatch_release.binaries.libraries import bundle_libraries, take
from hatch_release.cache.copy_worker import state
from hatch_release.cache.store import key_of, shipped, tool
from hatch_release.imports.pruning import Unreached, unreached_stdlib
from hatch_release.imports.reachability import SITE_ENTRY, scan_modules
from hatch_release.interpreter.copying import copy_interpreter
from hatch_release.interpreter.stdlib import SELDOM
from hatch_release.interpreter.target_data import bring_target_data, copy_time_zones, time_zones_version
from hatch_release.options.strip import STANDARD_LIBRARY
from hatch_release.runtime import layout, site_entry
from hatch_release.runtime.manifest import digest
from hatch_release.tree.boot_index import ModuleFile
from hatch_release.tree.permissions import paths_below
from hatch_release.tree.site_paths import has_site_files
from hatch_release.units.bytecode import compile_tree, sources
from hatch_release.units.unit import Unit, keep, recall, remember_copies, restore

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_release.assembly import Assembly

KIND = "interpreter"
LIBRARY = "library"
ZONES = "zones"


def recall_python(assembly: Assembly) -> None:
    """Begin to copy the interpreter from the cache, if that holds it and it is known already what of it is wanted."""
    release = assembly.release
    release.python_directory = layout.python_directory(assembly.interpreter.version)
    assembly.python = Unit(release.python_directory, KIND, _key(assembly))
    known = recall(assembly.python, assembly.cache, assembly.ahead)
    if known and not any(map(has_site_files, assembly.distributions.values())):
        _begin(assembly)


def place_python(assembly: Assembly) -> None:
    """Copy the interpreter with the compiled modules that something reaches -> python-X.Y.Z."""
    release, unit = assembly.release, assembly.python
    destination = release.path / release.python_directory
    if not _is_restored(assembly):
        _make(assembly, unit)
        keep(unit, release, assembly.cache)
        _choose(assembly, unit).remove(destination)
        assembly.ahead.note(unit, paths_below(destination))
    bring_target_data(
        destination,
        assembly.index(*assembly.stdlib_directories).modules,
        assembly.distributions,
        lambda target: _bring_time_zones(assembly, target),
    )


def place_libraries(assembly: Assembly) -> None:
    """Copy the shared libraries of this machine that are needed beyond the C library -> python-X.Y.Z/lib."""
    release, copying = assembly.release, list[Future[None]]()

    def take_or_recall(source: Path, target: Path) -> elf.Linkage:
        return _take(assembly, source, target, copying)

    python = release.path / release.python_directory
    _, binaries = bundle_libraries(release.path, python, release.progress.warn, take_or_recall)
    for each in copying:
        each.result()
    assembly.glibc_floor = elf.glibc_floor(binaries)


def _bring_time_zones(assembly: Assembly, target: Path) -> None:
    """Copy the time zones, which are hundreds of files: a unit as well, so that they come ahead."""
    release = assembly.release
    directory = target.relative_to(release.path).as_posix()
    unit = Unit(directory, ZONES, key_of(tool(), time_zones_version()))
    recall(unit, assembly.cache, assembly.ahead)
    if unit.entry is None or not restore(unit, release, assembly.cache, assembly.ahead):
        copy_time_zones(target)
        keep(unit, release, assembly.cache)
    assembly.ahead.note(unit)


def _take(assembly: Assembly, source: Path, target: Path, copying: list[Future[None]]) -> elf.Linkage:
    """As `libraries.take`, or what that gave before; `copying` gains what is still going on."""
    directory = target.parent.relative_to(assembly.release.path).as_posix()
    unit = Unit(directory, LIBRARY, key_of(tool(), target.name, digest(str(source))))
    assembly.ahead.note(unit, alone=False)
    known = assembly.ahead.known(unit) or assembly.cache.restore(LIBRARY, unit.key)
    if known is None:
        return _take_anew(assembly, source, target, unit.key)
    binary = elf.Binary.from_json(known.facts)

    def copy() -> None:
        release = assembly.release
        home, beside = release.scratch / "library" / target.name, release.install_path / directory
        found = assembly.ahead.move(unit, home) or assembly.cache.restore(
            LIBRARY, unit.key, home, known=known, beside=beside
        )
        if found is None:  # damaged: nobody has seen that before
            _take_anew(assembly, source, target, unit.key)
            return
        (home / target.name).replace(target)
        now = state(target.stat())  # it has another name
        elf.remember(now, binary)
        copies = [(now, *rest) for _, *rest in filter(None, found.copies)]
        remember_copies(release, directory, [target.name], copies)

    copying.append(assembly.pool.submit(copy))
    return binary.linkage


def _take_anew(assembly: Assembly, source: Path, target: Path, key: str) -> elf.Linkage:
    """Copy a library of this machine, and put it into the cache."""
    home = assembly.release.scratch / "library" / f"{target.name}.anew"
    linkage = take(source, home / target.name)
    assembly.cache.store(LIBRARY, key, elf.read(home / target.name).to_json(), home)
    (home / target.name).replace(target)
    return linkage


def _begin(assembly: Assembly) -> None:
    """Begin to copy what the release needs of the interpreter."""
    unit = assembly.python
    unreached = _choose(assembly, unit)
    files = unit.entry.files if unit.entry else []
    wanted = frozenset(file.path for file in files if file.path not in unreached)
    assembly.ahead.note(unit, wanted)
    assembly.python_coming = assembly.pool.submit(
        restore, unit, assembly.release, assembly.cache, assembly.ahead, wanted.__contains__
    )


def _is_restored(assembly: Assembly) -> bool:
    """Wait for the interpreter from the cache; false when it isn't there."""
    if assembly.python.entry is None:
        return False
    if assembly.python_coming is None:
        _begin(assembly)
    return assembly.python_coming is not None and assembly.python_coming.result()


def _key(assembly: Assembly) -> str:
    """Everything that the unit is made of."""
    options = assembly.release.options
    return key_of(
        tool(),
        shipped(),  # the interpreter imports `site_entry.py`
        assembly.interpreter.identity,
        [options.stripping.on, options.stripping.dropped(STANDARD_LIBRARY)],
        [options.stdlib, sorted(_kept(assembly))],
    )


def _kept(assembly: Assembly) -> frozenset[str]:
    """Seldom used modules of the standard library that are in use here."""
    named = frozenset(name for each in assembly.scanned.values() for name in each.named())
    return (named & SELDOM).union(assembly.release.options.stdlib_include)


def _make(assembly: Assembly, unit: Unit) -> None:
    """Copy the interpreter, compile its standard library and look what every module of it names."""
    release, options, interpreter = assembly.release, assembly.release.options, assembly.interpreter
    destination = release.path / unit.directory
    dropped = options.stripping.dropped(STANDARD_LIBRARY)
    copy_interpreter(
        interpreter,
        destination,
        strip=options.stripping.on,
        stdlib=options.stdlib,
        keep=_kept(assembly),
        dropped=dropped,
    )
    _add_site_entry(release.path / assembly.stdlib_directories[0])
    compile_tree(
        release.path,
        sources(destination),
        interpreter.executable,
        dropped=lambda _file: dropped,
        progress=release.progress.update,
    )
    library = assembly.index(*assembly.stdlib_directories).modules
    inside = f"{unit.directory}/"
    unit.modules = {
        name: (module.directory.removeprefix(inside), module.suffix) for name, module in library.items()
    }
    if _is_pruned(assembly):
        paths = {module.path(name): name for name, module in library.items()}
        found = scan_modules(release.path, paths, interpreter, assembly.stdlib_names, only_c=True)
        unit.scanned = {paths[path]: each for path, each in found.items()}


def _add_site_entry(stdlib: Path) -> None:
    """Let an interpreter that is started without the launcher find the release (`site_entry.py`)."""
    for name in (SITE_ENTRY, "sitecustomize"):
        shutil.copy(site_entry.__file__, stdlib / f"{name}.py")
    site_packages = stdlib / "site-packages"
    site_packages.mkdir(exist_ok=True)
    (site_packages / "release.pth").write_text(f"import {SITE_ENTRY}\n", encoding="utf-8")


def _is_pruned(assembly: Assembly) -> bool:
    """Whether unreached modules are left out."""
    return assembly.release.options.stripping.on and assembly.release.options.stdlib == "used"


def _choose(assembly: Assembly, unit: Unit) -> Unreached:
    """What of the unit is left out."""
    library = {name: ModuleFile(directory, suffix) for name, (directory, suffix) in unit.modules.items()}
    if not _is_pruned(assembly):
        return Unreached({})
    assembly.scanned.update(unit.scanned)
    return unreached_stdlib(assembly, library)
