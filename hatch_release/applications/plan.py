"""What a release starts: the applications of what was chosen, and what each boot script says of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from hatch_release.applications.boot_scripts import BootScript, complete, loading_mode, spec
from hatch_release.applications.declared import GROUP, Application, Finder
from hatch_release.applications.modes import NONE, Modes
from hatch_release.applications.order import start_order
from hatch_release.applications.preloading import Preloader, modules_of
from hatch_release.applications.provenance import reasons
from hatch_release.dependencies.closure import edges, needs, project_roots
from hatch_release.runtime import layout
from hatch_release.runtime.bootfile import STARTED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from packaging.requirements import Requirement

    from hatch_release.assembly import Assembly
    from hatch_release.project import Project
    from hatch_release.runtime.payload import ApplicationSpec
    from hatch_release.tree.boot_index import ModuleIndex


def choose_applications(assembly: Assembly, roots: Sequence[Requirement]) -> None:
    """Find out what is an application, in which mode, in which order.

    Args:
        assembly: Its distributions are known.
        roots: What the release is rooted in.

    Raises:
        ReleaseError: When what is configured or declared can't be.
    """
    release, distributions = assembly.release, assembly.distributions
    project = canonicalize_name(release.project.name)
    # Whether all requirements are met has been checked before.
    required = list(edges(distributions, roots, assembly.interpreter.markers, check=False))
    declared = {name: each.entry_points.get(GROUP, {}) for name, each in distributions.items()}
    declared[project] = _as_written(declared[project], release.project)
    scripts = distributions[project].entry_points.get("console_scripts", {})
    found = Finder(release.project.name, declared, scripts, release.options.applications).find()
    modes = Modes(found, needs(required), {each.name for each in required if not each.owner} - {project})
    release.boot_scripts = complete(release, modes)
    release.assembled_boot_scripts = {name: dict(each) for name, each in release.boot_scripts.items()}
    assembly.applications, assembly.order = found.startables, start_order(found, needs(required))
    why = reasons(project, required, _groups(assembly))
    for name, each in distributions.items():
        release.applications[name] = Application(
            name=name,
            version=each.version,
            mode=modes.listed(name),
            path="",  # known when it is placed
            why=why[name],
            entry_points=each.entry_points,
        )


def plan_boot_scripts(assembly: Assembly, index: ModuleIndex) -> dict[str, BootScript]:
    """What each boot script of the release says.

    Args:
        assembly: Everything is in its place.
        index: The release's modules.

    Raises:
        ReleaseError: When a pattern of the option `preload` is none.
    """
    release = assembly.release
    libraries = {name: each for name, each in index.modules.items() if _is_library(assembly, each.directory)}
    own = {
        name: list(modules_of(each, assembly.directories[name], libraries))
        for name, each in assembly.distributions.items()
    }
    out = {module for name in own if release.applications[name].mode == NONE for module in own[name]}
    preloader = Preloader(release.options.preload, libraries)
    for line in preloader.idle():
        release.progress.warn(f"the pattern '{line}' of the option preload fits no module of the release")
    scripts = {}
    for script, modes in release.assembled_boot_scripts.items():
        specs = _specs(assembly, modes)
        # A command runs in a process of its own.
        inside = [each for each in specs if each["mode"] in STARTED and each["kind"] != "command"]
        names = dict.fromkeys(each["distribution"] for each in inside)
        scripts[script] = BootScript(
            applications=specs,
            mode=loading_mode(release.options.mode, specs),
            preload=preloader.choose([module for name in names for module in own[name]], out)
            if inside
            else (),
        )
    return scripts


def _specs(assembly: Assembly, modes: Mapping[str, str]) -> tuple[ApplicationSpec, ...]:
    """All applications in start order, with the modes of one boot script."""
    applications, directories = assembly.applications, assembly.directories
    return tuple(
        spec(applications[name], modes[name], before, directories[applications[name].distribution])
        for name, before in assembly.order.items()
    )


def _is_library(assembly: Assembly, directory: str) -> bool:
    """Whether modules in `directory` belong to a distribution."""
    return directory.startswith(f"{layout.LIB}/") and directory != assembly.runtime_directory


def _as_written(points: Mapping[str, str], project: Project) -> dict[str, str]:
    """The project's entry points in the order of its pyproject.toml, which hatchling sorts for the wheel."""
    written = project.pyproject.get("project", {}).get("entry-points", {}).get(GROUP, {})
    return {name: points[name] for name in dict.fromkeys([*written, *points]) if name in points}


def _groups(assembly: Assembly) -> dict[str, list[str]]:
    """The dependency groups that are included, each with the distributions that it names."""
    project, groups = assembly.release.project, assembly.release.options.groups
    return {
        group: [
            canonicalize_name(each.name)
            for each in project_roots(project.name, (), [group], project.pyproject)[1:]
        ]
        for group in groups
    }
