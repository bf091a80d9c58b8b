"""The units below `lib/`: one for each distribution that can be split off, and one for the runtime."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from hatch_release import runtime
from hatch_release.cache.store import key_of, shipped, tool
from hatch_release.dependencies.closure import precedence
from hatch_release.dependencies.colocation import conflicting_files, shared_directories
from hatch_release.dependencies.distributions import place, shared_files
from hatch_release.runtime import layout
from hatch_release.units.file_rules import FileRules
from hatch_release.units.stripping import strip_files
from hatch_release.units.unit import Unit, recall

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import PurePosixPath

    from hatch_release.assembly import Assembly

KIND = "distribution"
_RUNTIME_LOSES = ("source",)


def place_distributions(assembly: Assembly) -> None:
    """Split what was installed -> lib/NAME-VSN, but for what the cache holds."""
    release, distributions = assembly.release, assembly.distributions
    ties = {name: each.ties for name, each in assembly.installed.items()}
    _warn_of_conflicts(assembly, conflicting_files(distributions.values(), ties))
    (release.path / layout.LIB).mkdir(exist_ok=True)
    assembly.rules = FileRules(release)
    shared = shared_directories(distributions, ties)
    for name, distribution in distributions.items():
        assembly.directories[name] = f"{layout.LIB}/{shared.get(name, distribution.directory)}"
    directories = dict.fromkeys(assembly.directories.values())
    _recall(assembly, [Unit(directory, KIND, _key(assembly, directory)) for directory in directories])
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


def _recall(assembly: Assembly, units: list[Unit]) -> None:
    """Find out which units the cache holds; the others are to be made."""
    assembly.units += units
    assembly.fresh += [unit for unit in units if not recall(unit, assembly.cache, assembly.ahead)]


def place_again(assembly: Assembly, lost: Collection[Unit]) -> None:
    """Place units that were in the cache, and are not any more.

    Args:
        assembly: Theirs.
        lost: The units. Nothing is where they go.
    """
    if any(unit.directory == assembly.runtime_directory for unit in lost):
        _copy_runtime(assembly)
    _move(assembly, lost)


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
    """Copy what ships of hatch-release itself, if the cache does not hold it -> lib/hatch_release_runtime-VSN."""
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
    _recall(assembly, [unit])
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
