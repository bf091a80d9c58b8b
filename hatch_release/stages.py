"""What the step `assemble` does, from a project to a tree that runs. Read `STAGES` first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from hatch_release.applications.plan import choose_applications
from hatch_release.assembly import RUNTIME_NAME, Assembly
from hatch_release.binaries import elf
from hatch_release.binaries.libraries import foreign_libraries
from hatch_release.booting import configure, describe_boot, start_once, write_boot
from hatch_release.dependencies.closure import closure, project_roots
from hatch_release.dependencies.declarations import placing_unmet
from hatch_release.dependencies.installation import Installation
from hatch_release.dependencies.lock import find_lock
from hatch_release.dependencies.lock_check import check_uv_lock, compare, refresh
from hatch_release.dependencies.wheel import without_python_requirement
from hatch_release.errors import ProjectFileError
from hatch_release.interpreter.source import find_python
from hatch_release.options.strip import STANDARD_LIBRARY
from hatch_release.tree.commands import collect_commands
from hatch_release.tree.overlays import copy_overlays
from hatch_release.tree.permissions import settle
from hatch_release.tree.records import write_record
from hatch_release.tree.sharing import separate
from hatch_release.tree.version_files import write_version_files
from hatch_release.tree.vm_args import check_vm_args
from hatch_release.units.compiling import compile_libraries
from hatch_release.units.data_files import move_data_files
from hatch_release.units.distributions import place_distributions, place_runtime
from hatch_release.units.interpreter import place_libraries, place_python, recall_python
from hatch_release.units.libraries import choose_files, receive_libraries

if TYPE_CHECKING:
    from collections.abc import Callable

    from hatch_release.dependencies.distributions import Distribution
    from hatch_release.interpreter.facts import Interpreter
    from hatch_release.options.reading import Options
    from hatch_release.release import Release


def build_wheel(assembly: Assembly) -> None:
    """Build the project's wheel -> scratch/wheel."""
    release = assembly.release
    directory = release.scratch / "wheel"
    directory.mkdir()
    assembly.wheel = release.project.build_wheel(directory)
    if release.options.no_python_version_check:
        assembly.wheel = without_python_requirement(assembly.wheel, release.scratch / "unrestricted")


def install_distributions(assembly: Assembly) -> None:
    """Find out what the wheel and everything locked are, and install it if need be -> scratch/site."""
    release, options = assembly.release, assembly.release.options
    root = release.project.root
    lock = find_lock(root, options.lock)
    if lock is None:
        release.progress.warn(
            f"no lock found in {root}: the newest versions that fit are taken; write one with "
            "`uv pip compile --universal --generate-hashes pyproject.toml -o requirements.lock`"
        )
    assembly.installation = Installation(
        project=release.project,
        wheel=assembly.wheel,
        lock=lock,
        interpreter=assembly.interpreter,
        options=options,
        site=assembly.site,
        cache=assembly.cache,
    )
    assembly.installed = assembly.installation.read()


def choose_distributions(assembly: Assembly) -> None:
    """Take what the project needs, and nothing else."""
    release, options = assembly.release, assembly.release.options
    installed = {name: each.distribution for name, each in assembly.installed.items()}
    roots = project_roots(release.project.name, options.extras, options.groups, release.project.pyproject)
    advice = refresh(assembly.installation.lock, release.project.root)
    if not options.no_deps_check:
        _check_lock(assembly, installed, advice)
    with placing_unmet(release.project.pyproject, canonicalize_name(release.project.name)):
        assembly.distributions = closure(
            installed, roots, assembly.interpreter.markers, check=not options.no_deps_check, advice=advice
        )
    included = [*assembly.distributions, *([STANDARD_LIBRARY] if options.include_python else [])]
    for line in options.stripping.warnings(included):
        release.progress.warn(line)
    choose_applications(assembly, roots)


def _check_lock(assembly: Assembly, installed: dict[str, Distribution], advice: str) -> None:
    """Refuse a lock that was made for something else; warn of what it does not name."""
    release, lock = assembly.release, assembly.installation.lock
    project, own = release.project, canonicalize_name(release.project.name)
    if lock is None:
        return
    if lock.kind == "uv":
        check_uv_lock(
            lock, installed[own], release.options.groups, project.pyproject, assembly.interpreter.markers
        )
    if strangers := compare(lock, project.root, installed, own, advice):
        release.progress.warn(f"{lock.path} does not name what was installed: {', '.join(strangers)}")


def place_data_files(assembly: Assembly) -> None:
    """Move the data files of distributions to where `sys.prefix` leads -> python-X.Y.Z/etc, share."""
    release = assembly.release
    move_data_files(release.path, assembly.library_directories, release.python_directory)


def tell_libraries(assembly: Assembly) -> None:
    """Without an interpreter there is no place that all files look for libraries in: the target must have them."""
    binaries, foreign = foreign_libraries(assembly.release.path)
    assembly.glibc_floor = elf.glibc_floor(binaries)
    if foreign:
        first = next(iter(foreign.values()))
        assembly.release.progress.warn(
            f"the target must have {', '.join(sorted(foreign))}, which {first}{' and others' * (len(foreign) > 1)} "
            "need: include-python = true brings them along"
        )


def describe_distributions(assembly: Assembly) -> None:
    """Bring each RECORD up to what is there."""
    release = assembly.release
    for name, distribution in assembly.distributions.items():
        write_record(
            assembly.directories[name],
            distribution.info,
            release.path,
            release.digests,
            release.python_directory,
        )


def separate_from_others(assembly: Assembly) -> None:
    """Rename what another installed version has with other contents -> lib/NAME-VSN.HASH, python-X.Y.Z.HASH."""
    release = assembly.release
    assembly.directories[RUNTIME_NAME] = assembly.runtime_directory
    renamed = separate(release.install_path, release.path, release.version, assembly.interpreter.executable)
    release.python_directory = renamed.get(release.python_directory, release.python_directory)
    assembly.directories = {name: renamed.get(each, each) for name, each in assembly.directories.items()}
    release.applications = {
        name: replace(each, path=assembly.directories[name]) for name, each in release.applications.items()
    }


def write_files(assembly: Assembly) -> None:
    """Write bin/NAME and releases/VSN."""
    release = assembly.release
    release.commands = collect_commands(release)
    assembly.others |= {*write_version_files(release, glibc_floor=assembly.glibc_floor)}


def settle_modes(assembly: Assembly) -> None:
    """Give what was made the modes that it has on every machine."""
    settle(assembly.release.path, assembly.others)


class Stage(NamedTuple):
    """One part of assembling."""

    title: str
    run: Callable[[Assembly], None]
    wanted: Callable[[Options], bool] = lambda _options: True


STAGES = (
    Stage("Building the wheel", build_wheel),  # scratch/wheel
    Stage("Installing the dependencies", install_distributions),  # scratch/site
    Stage("Choosing the distributions", choose_distributions),
    Stage("Placing the distributions", place_distributions),  # lib/NAME-VSN
    Stage("Placing the runtime", place_runtime),  # lib/hatch_release_runtime-VSN
    Stage("Compiling the distributions", compile_libraries),  # lib/**/x.py -> x.pyc
    Stage("Choosing the files", choose_files),
    Stage("Choosing the modules of Python", recall_python, lambda options: bool(options.include_python)),
    Stage("Taking distributions from the cache", receive_libraries),  # lib/NAME-VSN
    Stage(
        "Placing the interpreter", place_python, lambda options: bool(options.include_python)
    ),  # python-X.Y.Z
    Stage(
        "Placing data files", place_data_files, lambda options: bool(options.include_python)
    ),  # python-X.Y.Z/etc, share
    Stage(
        "Placing shared libraries", place_libraries, lambda options: bool(options.include_python)
    ),  # python-X.Y.Z/lib
    Stage("Looking for libraries", tell_libraries, lambda options: not options.include_python),
    Stage("Describing the distributions", describe_distributions),  # lib/*/*.dist-info/RECORD
    Stage("Comparing with other versions", separate_from_others),  # lib/NAME-VSN.HASH, python-X.Y.Z.HASH
    Stage("Writing the scripts", write_files),  # bin/NAME, releases/
    Stage("Copying the overlays", copy_overlays),
    Stage("Checking vm.args", check_vm_args),
    Stage("Writing the boot files", write_boot),  # releases/VSN/*.boot, consolidated/
    Stage("Evaluating the configuration", configure),  # releases/VSN/sys.config, runtime.py
    Stage("Starting the release once", start_once, lambda options: options.check),
    Stage("Describing the boot files", describe_boot),  # releases/VSN/*.script
    Stage("Setting the modes", settle_modes),
)


def choose_interpreter(assembly: Assembly) -> None:
    """Find the interpreter that the release is to run on.

    Raises:
        ReleaseError: When it isn't there, or the project does not support it.
    """
    release = assembly.release
    assembly.interpreter = find_python(release)
    _check_python(release, assembly.interpreter)
    release.python_version, release.target = assembly.interpreter.version, assembly.interpreter.target


def run_stages(assembly: Assembly) -> None:
    """Everything, one after the other.

    Raises:
        ReleaseError: When any stage fails.
    """
    release = assembly.release
    for stage in STAGES:
        if stage.wanted(release.options):
            with release.progress.stage(stage.title):
                stage.run(assembly)


def _check_python(release: Release, interpreter: Interpreter) -> None:
    """Refuse an interpreter that the project does not support."""
    required = release.project.requires_python
    if release.options.no_python_version_check or not required:
        return
    if not SpecifierSet(required).contains(interpreter.version, prereleases=True):
        raise ProjectFileError(
            f"project '{release.project.name}' requires Python {required}, and the release would run on "
            f"{interpreter.version} ({interpreter.executable}): assemble with another Python, or set "
            "HATCH_RELEASE_NO_PYTHON_VERSION_CHECK=1",
            "project",
            "requires-python",
        )
