"""The step `assemble`: from a project to a tree that runs. Read `STAGES` first."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from hatch_release import elf, runtime, trial
from hatch_release.applications import Application, application_start
from hatch_release.assembly import RUNTIME_NAME, Assembly
from hatch_release.boot_files import BootPlan, write_boot_files, write_image
from hatch_release.boot_index import ModuleIndex
from hatch_release.bytecode import compile_tree, sources
from hatch_release.colocation import conflicting_files, shared_directories
from hatch_release.distributions import closure, place, project_roots, read_distributions, shared_files
from hatch_release.errors import ReleaseError
from hatch_release.installer import install
from hatch_release.interpreter import Interpreter, copy_interpreter, probe
from hatch_release.libraries import bundle_libraries
from hatch_release.lock import find_lock
from hatch_release.pruning import prune_stdlib, prune_tests, scan, stdlib_names
from hatch_release.records import write_metadata_index, write_record
from hatch_release.runtime import layout, site_entry
from hatch_release.sharing import separate
from hatch_release.site_paths import read_site_paths
from hatch_release.stdlib import SELDOM
from hatch_release.stripping import drop_files, strip_symbols
from hatch_release.target_data import bring_target_data
from hatch_release.version_files import write_version_files
from hatch_release.wheel import without_python_requirement

if TYPE_CHECKING:
    from collections.abc import Callable

    from hatch_release.options import Options
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
    """Install the wheel and everything locked -> scratch/site."""
    release, options = assembly.release, assembly.release.options
    root = release.project.root
    lock = find_lock(root, options.lock)
    if lock is None:
        release.progress.warn(
            f"no lock found in {root}: the newest versions that fit are taken; write one with "
            "`uv pip compile --universal --generate-hashes pyproject.toml -o requirements.lock`"
        )
    install(
        wheel=assembly.wheel,
        lock=lock,
        python=assembly.interpreter.executable,
        destination=assembly.site,
        extras=options.extras,
        groups=options.groups,
        root=root,
    )


def choose_distributions(assembly: Assembly) -> None:
    """Take what the project needs, and nothing else."""
    release, options = assembly.release, assembly.release.options
    installed = read_distributions(assembly.site)
    roots = project_roots(release.project.name, options.extras, options.groups, release.project.pyproject)
    assembly.distributions = closure(
        installed, roots, assembly.interpreter.markers, check=not options.no_deps_check
    )
    own = assembly.distributions[canonicalize_name(release.project.name)]
    name, assembly.start = application_start(
        release.project.name, own.entry_points.get("console_scripts", {}), options.applications
    )
    release.boot_scripts = {layout.START: assembly.start, layout.START_CLEAN: ""}
    for each in assembly.distributions.values():
        started = canonicalize_name(name) == each.name
        release.applications[each.name] = Application(
            name=each.name,
            version=each.version,
            mode="permanent" if started else "load",
            path="",  # known when it is placed
            start=assembly.start if started else "",
        )


def place_distributions(assembly: Assembly) -> None:
    """Split what was installed -> lib/NAME-VSN, one directory per distribution that can be split off."""
    release, distributions = assembly.release, assembly.distributions
    for file, owners in conflicting_files(distributions.values(), assembly.site).items():
        release.progress.warn(
            f"{' and '.join(owners)} both own {file}: the one installed last is in the release"
        )
    shared = shared_directories(distributions, assembly.site)
    common = shared_files(distributions.values())
    lib = release.path / layout.LIB
    lib.mkdir()
    for name, distribution in distributions.items():
        home = place(distribution, assembly.site, lib, shared.get(name), common)
        assembly.directories[name] = f"{layout.LIB}/{home.name}"
        if release.options.strip:
            drop_files(home)
            strip_symbols(home)


def place_runtime(assembly: Assembly) -> None:
    """Copy what ships of hatch-release itself -> lib/hatch_release_runtime-VSN."""
    package = assembly.release.path / assembly.runtime_directory / "hatch_release"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(Path(runtime.__file__).parent, package / "runtime", ignore=ignored)
    (package / "__init__.py").write_text(
        '"""The part of hatch-release that ships inside releases."""\n', encoding="utf-8"
    )


def compile_libraries(assembly: Assembly) -> None:
    """Replace every x.py by x.pyc in lib/, and note what it imports."""
    release, python = assembly.release, assembly.interpreter.executable
    compile_tree(release.path, sources(release.path / assembly.runtime_directory), python)
    failed = compile_tree(
        release.path,
        sources(release.path / layout.LIB),
        python,
        keep_source=not release.options.strip,
        progress=release.progress.update,
    )
    # Distributions carry broken files on purpose, templates and the like; the project's own are a mistake.
    project = f"{assembly.directories[canonicalize_name(release.project.name)]}/"
    for file, message in failed.items():
        if file.startswith(project):
            release.progress.warn(f"{file.removeprefix(project)} can't be compiled: {message}")
    if release.options.strip:
        scan(assembly, *assembly.library_directories, names=stdlib_names(assembly.interpreter))
        prune_tests(assembly)


def place_python(assembly: Assembly) -> None:
    """Copy the interpreter, compile its standard library and leave out what nothing reaches -> python-X.Y.Z."""
    release, options, interpreter = assembly.release, assembly.release.options, assembly.interpreter
    release.python_directory = layout.python_directory(interpreter.version)
    destination = release.path / release.python_directory
    named = frozenset(name for each in assembly.scanned.values() for name in each.named())
    keep = (named & SELDOM).union(options.stdlib_include)
    copy_interpreter(interpreter, destination, strip=options.strip, stdlib=options.stdlib, keep=keep)
    shutil.copy(site_entry.__file__, release.path / assembly.stdlib_directories[0] / "sitecustomize.py")
    compile_tree(
        release.path,
        sources(destination),
        interpreter.executable,
        keep_source=not options.strip,
        progress=release.progress.update,
    )
    if options.strip and options.stdlib == "used":
        scan(assembly, *assembly.stdlib_directories, names=stdlib_names(interpreter))
        prune_stdlib(assembly)
    bundle_libraries(release.path, destination, release.progress.warn)
    modules = assembly.index(*assembly.stdlib_directories).modules
    bring_target_data(destination, modules, assembly.distributions)


def describe_distributions(assembly: Assembly) -> None:
    """Bring each RECORD up to what is there."""
    for name, distribution in assembly.distributions.items():
        write_record(assembly.release.path / assembly.directories[name], distribution.info)


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
    binaries = [path for path in release.path.rglob("*") if path.is_file() and elf.is_elf(path)]
    write_version_files(release, glibc_floor=elf.glibc_floor(binaries))


def write_boot(assembly: Assembly) -> None:
    """Write the boot files, and the index of the metadata."""
    placed = [(assembly.directories[name], each) for name, each in assembly.distributions.items()]
    empty = (*assembly.stdlib_directories, assembly.runtime_directory)
    target = Path(_consolidated(assembly, layout.METADATA_INDEX))
    write_metadata_index(assembly.release.path, target, placed, empty)
    assembly.plan = _boot_plan(assembly)
    write_image(assembly.release.path, assembly.plan)
    write_boot_files(assembly.release.path, assembly.plan)


def start_once(assembly: Assembly) -> None:
    """Start the release once, and write the boot files again with what that showed."""
    release, plan = assembly.release, assembly.plan
    seen = trial.run(release, assembly.interpreter.executable)
    plan.hot = [name for name in seen.modules if name in plan.index.modules]
    plan.libraries = seen.libraries
    write_image(release.path, plan)
    write_boot_files(release.path, plan)


def _boot_plan(assembly: Assembly) -> BootPlan:
    """The module index and all else that the boot files are made of."""
    release = assembly.release
    more = read_site_paths(release.path, assembly.library_directories)
    index = ModuleIndex()
    for directory in (*assembly.stdlib_directories, *assembly.library_directories, *more.directories):
        index.add_directory(release.path, directory, assembly.suffixes, skip=assembly.interpreter.frozen)
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
        boot_scripts=release.boot_scripts,
    )


def _consolidated(assembly: Assembly, name: str) -> str:
    """The path of a file below `consolidated/`, relative to the root."""
    return f"{layout.RELEASES}/{assembly.release.version}/{layout.CONSOLIDATED}/{name}"


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
    Stage("Placing the interpreter", place_python, lambda options: options.include_python),  # python-X.Y.Z
    Stage("Describing the distributions", describe_distributions),  # lib/*/*.dist-info/RECORD
    Stage("Comparing with other versions", separate_from_others),  # lib/NAME-VSN.HASH, python-X.Y.Z.HASH
    Stage("Writing the scripts", write_files),  # bin/NAME, releases/
    Stage("Writing the boot files", write_boot),  # releases/VSN/*.boot, consolidated/
    Stage("Starting the release once", start_once, lambda options: options.check),
)


def assemble(release: Release) -> Release:
    """The step `assemble`: make the whole tree below `release.path`.

    Raises:
        ReleaseError: When any stage fails.
    """
    interpreter = probe(release.python_source)
    _check_python(release, interpreter)
    release.python_version, release.target = interpreter.version, interpreter.target
    assembly = Assembly(release=release, interpreter=interpreter)
    for stage in STAGES:
        if stage.wanted(release.options):
            with release.progress.stage(stage.title):
                stage.run(assembly)
    return release


def _check_python(release: Release, interpreter: Interpreter) -> None:
    """Refuse an interpreter that the project does not support."""
    required = release.project.requires_python
    if release.options.no_python_version_check or not required:
        return
    if not SpecifierSet(required).contains(interpreter.version, prereleases=True):
        raise ReleaseError(
            f"project '{release.project.name}' requires Python {required}, and the release would run on "
            f"{interpreter.version} ({interpreter.executable}): assemble with another Python, or set "
            "HATCH_RELEASE_NO_PYTHON_VERSION_CHECK=1"
        )
