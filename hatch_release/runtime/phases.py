"""Seen from inside: the phases of a start up to where the first application would be called, and when each begins.

Run by `hatch-release inspect --html`, under `python -X importtime`. Marks on standard error tell, among what that
option writes, to which phase each import belongs. The configuration is loaded as at boot; nothing is started.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from .console_script import Importing
from .trace import APPLICATION, PRELOADING, SYSTEM, import_all

__all__ = [
    "APPLICATION",
    "CONFIGURATION",
    "FAILED",
    "MARK",
    "PRELOADING",
    "PROVIDER",
    "READY",
    "SYSTEM",
    "mark",
    "measure",
]

if TYPE_CHECKING:
    from .importer import IndexFinder

MARK = "hatch-release phase"
"""How the line of a mark begins; behind it are kind, name and nanoseconds of the monotonic clock, between tabs."""
CONFIGURATION, PROVIDER, READY, FAILED = "configuration", "provider", "ready", "failed"
"""More kinds of marks. `failed` stands inside a phase, and its name is what went wrong; all others begin one."""


def measure(finder: IndexFinder) -> int:
    """Do what `start` does before it calls anything, and tell when each phase begins; give the exit code.

    Args:
        finder: Serves the release's modules.
    """
    with Importing(finder):
        error = import_all(finder, _configure, mark)
    if error:
        mark(FAILED, f"{error['type']}: {error['message']}")
    mark(READY)
    return 0


def mark(kind: str, name: str = "") -> None:
    """Tell that a phase begins.

    Args:
        kind: One of those above.
        name: Of what it is about.
    """
    text = " ".join(name.split())
    line = f"{MARK}\t{kind}\t{text}\t{time.monotonic_ns()}\n"
    os.write(2, line.encode("utf-8", "backslashreplace"))


def _configure(finder: IndexFinder) -> None:
    """Load the configuration, as every boot does; without it the rest is still worth knowing."""
    mark(CONFIGURATION)
    from .config import boot
    from .config.errors import ConfigError
    from .config.store import install

    try:
        install(boot.load(finder, lambda reference: mark(PROVIDER, reference)))
    except ConfigError as error:
        mark(FAILED, str(error))
        boot.install_assembled(finder)
