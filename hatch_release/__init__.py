"""Turn a Python project into a release: one directory that runs the system in production.

The package has two worlds. Everything directly in here assembles releases; only
`hatch_release.runtime` ships inside them. See `docs/architecture.md`.

Steps and plugins import what they need from here: `from hatch_release import Release, hookimpl`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from hatch_release.contributions import Command, FileRule, Overlay, Template
    from hatch_release.hookspecs import hookimpl
    from hatch_release.release import Release

__version__ = "0.1.0"

__all__ = [
    "Command",
    "FileRule",
    "Overlay",
    "Release",
    "ReleaseError",
    "Template",
    "__version__",
    "hookimpl",
]

_HOMES = {
    **dict.fromkeys(("Command", "FileRule", "Overlay", "Template"), "contributions"),
    "Release": "release",
    "hookimpl": "hookspecs",
}


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for: programs in development import this package for its runtime."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
