"""The stages of assembling that are about booting: the boot files, and starting the release once to see it run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release import trial
from hatch_release.applications.plan import plan_boot_scripts
from hatch_release.configuration.stage import plan_configuration
from hatch_release.runtime import layout
from hatch_release.tree.boot_files import BootPlan, write_boot_files, write_image, write_readable
from hatch_release.tree.boot_index import ModuleIndex
from hatch_release.tree.commands import check_commands
from hatch_release.tree.records import write_metadata_index
from hatch_release.tree.site_paths import read_site_paths

if TYPE_CHECKING:
    from hatch_release.assembly import Assembly


def write_boot(assembly: Assembly) -> None:
    """Write the boot files, and the index of the metadata."""
    placed = [(assembly.directories[name], each) for name, each in assembly.distributions.items()]
    empty = (*assembly.stdlib_directories, assembly.runtime_directory)
    target = Path(_consolidated(assembly, layout.METADATA_INDEX))
    write_metadata_index(assembly.release.path, target, placed, empty)
    assembly.plan = _boot_plan(assembly)
    write_image(assembly.release.path, assembly.plan)
    write_boot_files(assembly.release.path, assembly.plan)


def configure(assembly: Assembly) -> None:
    """Evaluate the configuration, and write the boot files again when there is any."""
    assembly.plan.config = plan_configuration(assembly)
    if assembly.plan.config is not None:
        write_boot_files(assembly.release.path, assembly.plan)


def start_once(assembly: Assembly) -> None:
    """Start the release once, and write the boot files again with what that showed."""
    release, plan = assembly.release, assembly.plan
    seen = trial.run(assembly, plan.index)
    plan.hot = [name for name in seen.modules if name in plan.index.modules]
    plan.libraries = seen.libraries
    write_image(release.path, plan)
    write_boot_files(release.path, plan)


def describe_boot(assembly: Assembly) -> None:
    """Write what is in the boot files for people, too."""
    write_readable(assembly.release.path, assembly.plan)


def _boot_plan(assembly: Assembly) -> BootPlan:
    """The module index and all else that the boot files are made of."""
    release = assembly.release
    more = read_site_paths(release.path, assembly.library_directories, assembly.interpreter.version)
    for each in more.wrong:
        release.progress.warn(each)
    index = ModuleIndex()
    # The name `sitecustomize` is anybody's: a tool that instruments programs puts one into PYTHONPATH.
    skip = {*assembly.interpreter.frozen, "sitecustomize"}
    for directory in (*assembly.stdlib_directories, *assembly.library_directories, *more.directories):
        index.add_directory(release.path, directory, assembly.suffixes, skip=skip)
    check_commands(release.commands, index.modules)
    scripts = {
        name: reference.partition("[")[0].strip()
        for each in assembly.distributions.values()
        for name, reference in each.entry_points.get("console_scripts", {}).items()
    }
    return BootPlan(
        name=release.name,
        version=release.version,
        index=index,
        path=(*assembly.library_directories, *more.directories),
        lines=more.lines,
        image=_consolidated(assembly, layout.MODULE_IMAGE),
        metadata=_consolidated(assembly, layout.METADATA_INDEX),
        python=release.python_directory,
        scripts=scripts,
        commands={name: each.entry for name, each in release.commands.items()},
        boot_scripts=plan_boot_scripts(assembly, index),
        distributions=release.applications,
    )


def _consolidated(assembly: Assembly, name: str) -> str:
    """The path of a file below `consolidated/`, relative to the root."""
    return f"{layout.RELEASES}/{assembly.release.version}/{layout.CONSOLIDATED}/{name}"
