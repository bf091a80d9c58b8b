"""What the stages of assembling hand on to each other."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import hatch_release
from hatch_release.runtime import layout
from hatch_release.tree.boot_index import ModuleIndex, suffixes_of

if TYPE_CHECKING:
    from concurrent.futures import Future, ThreadPoolExecutor

    from hatch_release.applications.declared import Startable
    from hatch_release.cache.copy_worker import Copying
    from hatch_release.cache.store import Cache
    from hatch_release.dependencies.distributions import Distribution
    from hatch_release.dependencies.installation import Installation, Installed
    from hatch_release.imports.reachability import Scanned
    from hatch_release.interpreter.facts import Interpreter
    from hatch_release.release import Release
    from hatch_release.tree.boot_files import BootPlan
    from hatch_release.units.ahead import Ahead
    from hatch_release.units.file_rules import FileRules
    from hatch_release.units.unit import Unit

RUNTIME_NAME = "hatch_release_runtime"


@dataclass(kw_only=True)
class Assembly:
    """One run of the step `assemble`."""

    release: Release
    interpreter: Interpreter = field(init=False)
    cache: Cache
    pool: ThreadPoolExecutor
    """For what goes on beside the stages."""
    copy: Copying
    """Copies files, in a process beside this one."""
    ahead: Ahead
    """The units of the build before, on their way."""
    wheel: Path = Path()
    installation: Installation = field(init=False)
    installed: dict[str, Installed] = field(default_factory=dict)
    """Everything that was installed, by name."""
    distributions: dict[str, Distribution] = field(default_factory=dict)
    """By name, dependencies first."""
    directories: dict[str, str] = field(default_factory=dict)
    """Where each distribution is, relative to the root; several may share one."""
    applications: dict[str, Startable] = field(default_factory=dict)
    """By name."""
    order: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Their names in start order, each with those that have to be started before it."""
    rules: FileRules = field(init=False)
    """What plugins leave out and keep."""
    tests: tuple[str, ...] = ()
    """Packages of tests that are left out: where they are in their distributions, with a slash at the end."""
    scanned: dict[str, Scanned] = field(default_factory=dict)
    """What each module names, by the module's full name."""
    units: list[Unit] = field(default_factory=list)
    """The directories below `lib/`."""
    fresh: list[Unit] = field(default_factory=list)
    """Those of them that the cache did not hold."""
    coming: list[tuple[Unit, Future[bool]]] = field(default_factory=list)
    """The others, while they are copied out of the cache; tells whether that went well."""
    python: Unit = field(init=False)
    """The interpreter."""
    python_coming: Future[bool] | None = None
    """The same of it, as soon as it is known what of it is wanted."""
    glibc_floor: str | None = None
    """The oldest version of glibc that the release runs with, such as `2.34`; None: it needs none."""
    others: frozenset[str] = frozenset()
    """What steps before `assemble` have written, relative to the root."""
    plan: BootPlan = field(init=False)

    @property
    def site(self) -> Path:
        """Where everything is installed before it is taken apart."""
        return self.release.scratch / "site"

    @property
    def runtime_directory(self) -> str:
        """Where the runtime is, relative to the root."""
        own = f"{layout.LIB}/{layout.application_directory(RUNTIME_NAME, hatch_release.__version__)}"
        return self.directories.get(RUNTIME_NAME, own)

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
        own = [self.directories[name] for name in reversed(self.distributions)]
        return tuple(dict.fromkeys([self.runtime_directory, *own]))

    @functools.cached_property
    def stdlib_names(self) -> list[str]:
        """Full names of all modules in the interpreter's standard library, and of those built into it."""
        index = ModuleIndex()
        for directory in (self.interpreter.stdlib, self.interpreter.dynload):
            if directory is not None:
                index.add_directory(directory, "", self.suffixes)
        return sorted({*index.modules, *self.interpreter.frozen})

    @property
    def suffixes(self) -> tuple[str, ...]:
        """The endings of modules, the preferred first."""
        return suffixes_of(self.interpreter.extension_suffixes)

    def index(self, *directories: str) -> ModuleIndex:
        """The modules in `directories`, relative to the root."""
        index = ModuleIndex()
        for directory in directories:
            index.add_directory(self.release.path, directory, self.suffixes)
        return index
