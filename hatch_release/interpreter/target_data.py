"""Bringing along what the target may lack: certificates, time zones, terminal descriptions."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from hatch_release.runtime import target_data
from hatch_release.tree.permissions import PLAIN

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

SHARE = "share"
"""Below the interpreter's directory."""
TERMINALS = (
    "ansi", "dumb", "linux", "rxvt", "rxvt-unicode-256color", "screen", "screen-256color", "tmux", "tmux-256color",
    "vt100", "vt220", "xterm", "xterm-256color", "xterm-color",
)  # fmt: skip
_TERMINFO_PLACES = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo")


def bring_target_data(
    python: Path,
    modules: Collection[str],
    distributions: Collection[str],
    bring_time_zones: Callable[[Path], object],
) -> None:
    """Copy the data of those modules that are in the release.

    Args:
        python: The bundled interpreter's directory.
        modules: The modules of its standard library.
        distributions: Names of the release's distributions; `tzdata` among them makes time zones needless.
        bring_time_zones: Does what `copy_time_zones` does.
    """
    share = python / SHARE
    if "ssl" in modules:
        _copy(Path(certifi.where()), share / target_data.CERTIFICATES)
    if "zoneinfo" in modules and "tzdata" not in distributions:
        bring_time_zones(share / target_data.ZONEINFO)
    if not {"_curses", "readline"}.isdisjoint(modules):
        for terminal in TERMINALS:
            _copy_terminal(terminal, share / target_data.TERMINFO)


def time_zones_version() -> str:
    """What tells the time zones of this environment from others."""
    return importlib.metadata.version("tzdata")


def copy_time_zones(target: Path) -> None:
    """Copy the files of `tzdata`, without its modules.

    Args:
        target: A directory; made.
    """
    with resources.as_file(resources.files("tzdata") / "zoneinfo") as zones:
        shutil.copytree(zones, target, ignore=shutil.ignore_patterns("*.py", "*.pyc", "__pycache__"))
    for directory, _, names in os.walk(target):
        for name in names:
            Path(directory, name).chmod(PLAIN)


def _copy_terminal(name: str, target: Path) -> None:
    """Copy the description of a terminal, which lies below the first letter of its name, if this machine has it."""
    for place in _TERMINFO_PLACES:
        source = Path(place, name[0], name)
        if source.is_file():
            _copy(source, target / name[0] / name)
            return


def _copy(source: Path, target: Path) -> None:
    """Copy a small file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())
