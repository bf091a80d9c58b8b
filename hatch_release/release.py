"""The `Release` that travels through the steps: what is being assembled, and where."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hatch_release.options import Options

    Step = str | Callable[["Release"], "Release"]


@dataclass(kw_only=True)
class Release:
    """One release being assembled.

    A step may change `version_path`'s files, `options`, `boot_scripts`, `overlays`, `config_providers`,
    `applications` and `steps`; before `assemble` it may change `version` and `python_source` too.
    `name`, `path` and `install_path` are fixed.
    """

    name: str
    """Name of the release, `[a-z][a-z0-9_]*`."""
    version: str
    """Version of the release, the project's unless the option `version` says otherwise."""
    path: Path
    """Root of the tree while it is assembled: a sibling of `install_path`. Steps write here."""
    install_path: Path
    """Where the tree is installed when every step has succeeded."""
    options: Options
    """The options, checked."""
    applications: dict[str, Any] = field(default_factory=dict)
    """Applications by name, in start order."""
    boot_scripts: dict[str, Any] = field(default_factory=dict)
    """Boot scripts by name; `start` and `start_clean` are always written."""
    python_source: Path | None = None
    """Executable of the interpreter that the release runs on."""
    python_version: str = ""
    """Full version of that interpreter, such as `3.11.7`."""
    config_providers: list[Any] = field(default_factory=list)
    overlays: list[Path] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    """What is still to be run; the runner removes a step before it calls it."""

    @property
    def version_path(self) -> Path:
        """`releases/VSN` below `path`."""
        return self.path / "releases" / self.version
