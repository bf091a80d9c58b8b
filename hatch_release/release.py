"""The `Release` that travels through the steps: what is being assembled, and where."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hatch_release.cache.digests import Digests
from hatch_release.runtime import layout

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_release.applications.declared import Application
    from hatch_release.contributions import Command, Overlay
    from hatch_release.options.reading import Options
    from hatch_release.plugins.manager import Plugins
    from hatch_release.progress import Progress
    from hatch_release.project import Project

Step = Callable[["Release"], "Release"]
"""Takes the release and gives the same or an updated one."""


@dataclass(kw_only=True)
class Release:
    """One release being assembled.

    A step may change the files below `path`, and the fields `options`, `artifacts` and `steps`; before `assemble` also
    `version`, `python_source`, `boot_scripts`, `config_providers` and `overlays`. The others are there to be read.
    """

    name: str
    """Name of the release, `[a-z][a-z0-9_]*`."""
    version: str
    """Version of the release: the project's, unless the option `version` says otherwise."""
    project: Project
    """The project that it is assembled from."""
    options: Options
    """The options, checked."""
    path: Path
    """Root of the tree while it is assembled. Steps write here; it is moved when all have succeeded."""
    install_path: Path
    """Where the tree is then installed."""
    scratch: Path
    """For files that are needed only while assembling; removed at the end."""
    progress: Progress = field(repr=False)
    """Where steps tell what they do."""
    plugins: Plugins = field(repr=False)
    """What the hooks of plugins are called by."""
    python_source: Path | None = None
    """An installation, an executable or an archive of the interpreter to run on; None: what include-python says."""
    python_version: str = ""
    """Full version of that interpreter, such as `3.11.7`; known once `assemble` has begun."""
    python_directory: str = ""
    """Directory of the bundled interpreter, relative to the root; empty for a release without one."""
    target: str = ""
    """The target triple; known once `assemble` has begun."""
    applications: dict[str, Application] = field(default_factory=dict)
    """The distributions of the release by name, dependencies first; known after `assemble`."""
    boot_scripts: dict[str, dict[str, str]] = field(default_factory=dict)
    """Boot scripts by name, each with the modes of applications by name. A step before `assemble` may add some, in
    which what they don't mention is `load`; `assemble` adds `start` and `start_clean`."""
    assembled_boot_scripts: dict[str, dict[str, str]] = field(default_factory=dict, repr=False)
    """The boot scripts that `assemble` has written; no step changes them any more."""
    config_providers: list[Any] = field(default_factory=list)
    """More config providers, after those of the option and written as these: `{"provider": ..., "init": ...}`."""
    overlays: list[Overlay] = field(default_factory=list)
    """Directories that are copied over the tree, in order: those of the option `overlays`."""
    commands: dict[str, Command] = field(default_factory=dict)
    """Commands of `bin/NAME` that are not the launcher's own, by name; known after `assemble`."""
    artifacts: list[Path] = field(default_factory=list)
    """Files below `scratch` that are delivered beside the release when every step has succeeded."""
    steps: list[Step] = field(default_factory=list)
    """What is still to be run; the runner removes a step before it calls it."""
    digests: Digests = field(init=False, repr=False)
    """Checksums of the files below `path`."""
    installed: Digests = field(init=False, repr=False)
    """Checksums of the files below `install_path`."""

    def __post_init__(self) -> None:
        """No file has been read yet."""
        self.digests = Digests(self.path)
        self.installed = Digests(self.install_path)

    @property
    def version_path(self) -> Path:
        """`releases/VSN` below `path`."""
        return self.path / layout.RELEASES / self.version
