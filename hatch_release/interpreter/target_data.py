"""Bringing along what the target may lack: certificates, time zones, terminal descriptions."""

from __future__ import annotations

import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import certifi

from hatch_release.runtime import target_data

if TYPE_CHECKING:
    from collections.abc import Collection

SHARE = "share"
"""Below the interpreter's directory."""
TERMINALS = (
    "ansi", "dumb", "linux", "rxvt", "rxvt-unicode-256color", "screen", "screen-256color", "tmux", "tmux-256color",
    "vt100", "vt220", "xterm", "xterm-256color", "xterm-color",
)  # fmt: skip
_TERMINFO_PLACES = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo", "/usr/lib/terminfo")


def bring_target_data(python: Path, modules: Collection[str], distributions: Collection[str]) -> None:
    """Copy the data of those modules that are in the release.

    Args:
        python: The bundled interpreter's directory.
        modules: The modules of its standard library.
        distributions: Names of the release's distributions; `tzdata` among them makes time zones needless.
    """
    share = python / SHARE
    if "ssl" in modules:
        _copy(Path(certifi.where()), share / target_data.CERTIFICATES)
    if "zoneinfo" in modules and "tzdata" not in distributions:
        with resources.as_file(resources.files("tzdata") / "zoneinfo") as zones:
            _copy_zones(zones, share / target_data.ZONEINFO)
    if not {"_curses", "readline"}.isdisjoint(modules):
        for terminal in TERMINALS:
            _copy_terminal(terminal, share / target_data.TERMINFO)


def _copy_zones(source: Path, target: Path) -> None:
    """Copy the files of `tzdata`, which are hundreds, without its modules."""
    for directory, _, names in os.walk(source):
        below = Path(directory).relative_to(source)
        zones = [name for name in names if not name.endswith((".py", ".pyc"))]
        if zones:
            (target / below).mkdir(parents=True, exist_ok=True)
        for name in zones:
            with open(f"{directory}/{name}", "rb", buffering=0) as file:  # noqa: PTH123 - for hundreds of files
                content = file.read()
            with open(f"{target / below}/{name}", "wb", buffering=0) as file:  # noqa: PTH123 - the same
                file.write(content)


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
