"""Which files of distributions are in the release; those of units that the cache holds are copied from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_release.imports.pruning import drop_tests, remove_tests
from hatch_release.tree.permissions import paths_below
from hatch_release.units.compiling import make
from hatch_release.units.distributions import place_again
from hatch_release.units.file_rules import drop_files, remove_files, sources_of
from hatch_release.units.source_readers import advice, source_readers
from hatch_release.units.unit import restore

if TYPE_CHECKING:
    from collections.abc import Collection

    from hatch_release.assembly import Assembly
    from hatch_release.units.unit import Unit


def choose_files(assembly: Assembly) -> None:
    """Leave out what is not wanted, and begin to copy what the cache holds of the rest."""
    release, cache, ahead = assembly.release, assembly.cache, assembly.ahead
    if release.options.stripping.on:
        drop_tests(assembly)
        _warn_of_source_readers(assembly)
    drop_files(assembly)

    def wanted(path: str) -> bool:
        return not path.startswith(assembly.tests)

    for unit in assembly.units:
        if unit.entry is not None:
            copying = assembly.pool.submit(restore, unit, release, cache, ahead, wanted)
            assembly.coming.append((unit, copying))


def receive_libraries(assembly: Assembly) -> None:
    """Wait for what comes from the cache -> lib/NAME-VSN; what was damaged there is made after all."""
    lost = [unit for unit, copying in assembly.coming if not copying.result()]
    place_again(assembly, lost)
    make(assembly, lost)
    made = [*assembly.fresh, *lost]
    for unit in made:
        remove_tests(assembly, assembly.release.path / unit.directory)
    remove_files(assembly)
    for unit in assembly.units:
        assembly.ahead.note(unit, _fewer(assembly, unit))


def _warn_of_source_readers(assembly: Assembly) -> None:
    """Name the distributions that read source code, if theirs is dropped."""
    strip = assembly.release.options.stripping
    without_source = {
        name: each
        for name, each in assembly.scanned.items()
        if not any(map(assembly.rules.keeps, sources_of(name)))
    }
    if text := advice(source_readers(assembly.distributions.values(), without_source, strip)):
        assembly.release.progress.warn(text)


def _fewer(assembly: Assembly, unit: Unit) -> Collection[str] | None:
    """The files of a unit that are wanted, relative to it; None when that is all that the cache holds of it."""
    home = assembly.release.path / unit.directory
    if unit.entry is None:
        has_tests = any(f"{name}.".replace(".", "/").startswith(assembly.tests) for name in unit.scanned)
        return paths_below(home) if has_tests else None
    files = [file.path for file in unit.entry.files]
    wanted = [file for file in files if not file.startswith(assembly.tests)]
    return wanted if len(wanted) < len(files) else None
