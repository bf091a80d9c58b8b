"""The step `assemble`: from a project to a tree that runs. Read `STAGES` first."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import hatch_release
from hatch_release import elf, runtime, trial
from hatch_release.applications import Application, application_start
from hatch_release.boot_files import BootPlan, write_boot_files, write_image
from hatch_release.boot_index import ModuleIndex, suffixes_of
from hatch_release.bytecode import compile_tree
from hatch_release.distributions import Distribution, closure, place, project_roots, read_distributions
from hatch_release.errors import ReleaseError
from hatch_release.installer import install
from hatch_release.interpreter import Interpreter, copy_interpreter, probe
from hatch_release.libraries import bundle_libraries
from hatch_release.lock import find_lock
from hatch_release.runtime import layout
from hatch_release.sharing import separate
from hatch_release.version_files import write_version_files
from hatch_release.wheel import without_python_requirement

if TYPE_CHECKING:
    from collections.abc import Callable

    from hatch_release.options import Options
    from hatch_release.release import Release

RUNTIME_NAME = "hatch_release_runtime"


@dataclass(kw_only=True)
class Assembly:
    """What the stages hand on to each other."""

    release: Release
    interpreter: Interpreter
    wheel: Path = Path()
    distributions: dict[str, Distribution] = field(default_factory=dict)
    start: str = ""
    """What `start` calls, `module:attribute`."""
    renamed: dict[str, str] = field(default_factory=dict)
    """New names by old ones of directories whose usual name another version has; relative to the root."""
    plan: BootPlan = field(init=False)

    @property
    def site(self) -> Path:
        """Where everything is installed before it is taken apart."""
        return self.release.scratch / "site"

    @property
    def stdlib_directories(self) -> tuple[str, ...]:
        """Where the bundled standard library is, relative to the root; none when there is no bundled one."""
        if not self.release.python_directory:
            return ()
        stdlib = f"{self.release.python_directory}/lib/{self.interpreter.stdlib.name}"
        return stdlib, f"{stdlib}/lib-dynload"

    @property
    def library_directories(self) -> tuple[str, ...]:
        """The directories of the distributions, relative to the root, the project's first."""
        own = [layout.application_directory(RUNTIME_NAME, hatch_release.__version__)]
        own += [each.directory for each in reversed(self.distributions.values())]
        usual = [f"{layout.LIB}/{name}" for name in own]
        return tuple(self.renamed.get(name, name) for name in usual)


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
            path=f"{layout.LIB}/{each.directory}",
            start=assembly.start if started else "",
        )


def place_distributions(assembly: Assembly) -> None:
    """Split what was installed -> lib/NAME-VSN, one directory per distribution."""
    lib = assembly.release.path / layout.LIB
    lib.mkdir()
    for distribution in assembly.distributions.values():
        place(distribution, assembly.site, lib)


def place_runtime(assembly: Assembly) -> None:
    """Copy what ships of hatch-release itself -> lib/hatch_release_runtime-VSN."""
    name = layout.application_directory(RUNTIME_NAME, hatch_release.__version__)
    package = assembly.release.path / layout.LIB / name / "hatch_release"
    ignored = shutil.ignore_patterns("__pycache__", "*.pyc")
    shutil.copytree(Path(runtime.__file__).parent, package / "runtime", ignore=ignored)
    (package / "__init__.py").write_text(
        '"""The part of hatch-release that ships inside releases."""\n', encoding="utf-8"
    )


def place_python(assembly: Assembly) -> None:
    """Copy the interpreter and the shared libraries that anything needs -> python-X.Y.Z."""
    release = assembly.release
    release.python_directory = layout.python_directory(assembly.interpreter.version)
    destination = release.path / release.python_directory
    copy_interpreter(
        assembly.interpreter, destination, strip=release.options.strip is True, stdlib=release.options.stdlib
    )
    bundle_libraries(release.path, destination, release.progress.warn)


def compile_modules(assembly: Assembly) -> None:
    """Replace every x.py by x.pyc, in all of lib/ and python-X.Y.Z/."""
    release = assembly.release
    files = [path for path in release.path.rglob("*.py") if path.is_file() and not path.is_symlink()]
    runtime_directory = release.path / assembly.library_directories[0]
    own = [path for path in files if path.is_relative_to(runtime_directory)]
    python = assembly.interpreter.executable
    compile_tree(release.path, own, python)
    rest = [path for path in files if not path.is_relative_to(runtime_directory)]
    failed = compile_tree(
        release.path, rest, python, keep_source=not release.options.strip, progress=release.progress.update
    )
    # Distributions carry broken files on purpose, templates and the like; the project's own are a mistake.
    project = f"{layout.LIB}/{assembly.distributions[canonicalize_name(release.project.name)].directory}/"
    for file, message in failed.items():
        if file.startswith(project):
            release.progress.warn(f"{file.removeprefix(project)} can't be compiled: {message}")


def separate_from_others(assembly: Assembly) -> None:
    """Rename what another installed version has with other contents -> lib/NAME-VSN.HASH, python-X.Y.Z.HASH."""
    release = assembly.release
    renamed = separate(release.install_path, release.path, release.version, assembly.interpreter.executable)
    assembly.renamed = renamed
    release.python_directory = renamed.get(release.python_directory, release.python_directory)
    release.applications = {
        name: replace(each, path=renamed.get(each.path, each.path))
        for name, each in release.applications.items()
    }


def write_files(assembly: Assembly) -> None:
    """Write bin/NAME and releases/VSN."""
    release = assembly.release
    binaries = [path for path in release.path.rglob("*") if path.is_file() and elf.is_elf(path)]
    write_version_files(release, glibc_floor=elf.glibc_floor(binaries))


def write_boot(assembly: Assembly) -> None:
    """Write the boot files."""
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
    index = ModuleIndex()
    suffixes = suffixes_of(assembly.interpreter.extension_suffixes)
    for directory in assembly.stdlib_directories:
        index.add_directory(release.path, directory, suffixes, skip=assembly.interpreter.frozen)
    for directory in assembly.library_directories:
        index.add_directory(release.path, directory, suffixes, skip=assembly.interpreter.frozen)
    scripts = {
        name: reference.partition("[")[0].strip()
        for each in assembly.distributions.values()
        for name, reference in each.entry_points.get("console_scripts", {}).items()
    }
    return BootPlan(
        name=release.name,
        version=release.version,
        index=index,
        path=assembly.library_directories,
        image=f"{layout.RELEASES}/{release.version}/{layout.MODULE_IMAGE}",
        scripts=scripts,
        boot_scripts=release.boot_scripts,
    )


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
    Stage("Copying the interpreter", place_python, lambda options: options.include_python),  # python-X.Y.Z
    Stage("Compiling", compile_modules),  # x.py -> x.pyc
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
