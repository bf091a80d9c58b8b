"""The unit `python-X.Y.Z`: the whole standard library is compiled once; a release takes what it reaches."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from hatch_release.binaries import elf
from hatch_release.binaries.libraries import bundle_libraries, take
from hatch_release.cache.store import key_of, shipped, tool
from hatch_release.imports.pruning import Unreached, unreached_stdlib
from hatch_release.imports.reachability import SITE_ENTRY, scan_modules
from hatch_release.interpreter.copying import copy_interpreter
from hatch_release.interpreter.stdlib import SELDOM
from hatch_release.interpreter.target_data import bring_target_data
from hatch_release.options.strip import STANDARD_LIBRARY
from hatch_release.runtime import layout, site_entry
from hatch_release.runtime.manifest import digest
from hatch_release.tree.boot_index import ModuleFile
from hatch_release.units.bytecode import compile_tree, sources
from hatch_release.units.unit import Unit, keep, recall, restore

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_release.assembly import Assembly

KIND = "interpreter"
LIBRARY = "library"


def place_python(assembly: Assembly) -> None:
    """Copy the interpreter with the compiled modules that something reaches -> python-X.Y.Z."""
    release = assembly.release
    release.python_directory = layout.python_directory(assembly.interpreter.version)
    destination = release.path / release.python_directory
    unit = Unit(release.python_directory, KIND, _key(assembly))
    if not _restore(assembly, unit):
        _make(assembly, unit)
        keep(unit, release, assembly.cache)
        _choose(assembly, unit).remove(destination)
    modules = assembly.index(*assembly.stdlib_directories).modules
    data = assembly.pool.submit(bring_target_data, destination, modules, assembly.distributions)
    bundle_libraries(release.path, destination, release.progress.warn, lambda *paths: _take(assembly, *paths))
    data.result()


def _take(assembly: Assembly, source: Path, target: Path) -> None:
    """Copy a library of this machine, as `libraries.take` does, or take what that gave before."""
    scratch = assembly.release.scratch / "library"
    key = key_of(tool(), target.name, digest(str(source)))
    known = assembly.cache.restore(LIBRARY, key, scratch)
    if known is None:
        take(source, scratch / target.name)
        assembly.cache.store(LIBRARY, key, elf.read(scratch / target.name).to_json(), scratch)
    else:
        elf.remember(scratch / target.name, elf.Binary.from_json(known.facts))
    target.parent.mkdir(parents=True, exist_ok=True)
    (scratch / target.name).replace(target)
    scratch.rmdir()


def _restore(assembly: Assembly, unit: Unit) -> bool:
    """Take from the cache what the release needs of the unit; false when it isn't there."""
    if not recall(unit, assembly.cache):
        return False
    unreached = _choose(assembly, unit)
    return restore(unit, assembly.release, assembly.cache, lambda path: path not in unreached)


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
        found = scan_modules(release.path, paths, interpreter.executable, assembly.stdlib_names, only_c=True)
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
