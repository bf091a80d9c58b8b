"""Seen from inside: what an application imports at start, written down for the assembler.

Run once while assembling, in an empty environment. The application's module is imported, its function
is not called.
"""

from __future__ import annotations

import json
import sys
import traceback
from typing import TYPE_CHECKING

from . import leave

if TYPE_CHECKING:
    from .importer import IndexFinder


def trace(finder: IndexFinder, output: str) -> None:
    """Import the application's module and write a JSON report.

    Args:
        finder: Serves the release's modules.
        output: Where to write: `modules` in load order, `libraries` mapped into the process, and `error`:
            None, or what the import raised (type, message, whether something or a module of the standard library
            is missing, the traceback).
    """
    module = finder.release_payload["application"].partition(":")[0]
    error = None
    try:
        if module:
            __import__(module)
    except BaseException as raised:  # noqa: BLE001 - reported, whatever it is
        error = {
            "type": type(raised).__name__,
            "message": str(raised),
            "import": isinstance(raised, ImportError),
            "stdlib": isinstance(raised, ModuleNotFoundError)
            and (raised.name or "").partition(".")[0] in sys.stdlib_module_names,
            "traceback": traceback.format_exc(),
        }
    if leave.has_foreign_code():
        import ctypes  # what the end of such a process needs  # noqa: F401
    report = {"modules": list(sys.modules), "libraries": _libraries(finder.release_root), "error": error}
    with open(output, "w", encoding="utf-8") as file:
        json.dump(report, file)


def _libraries(root: str) -> list[str]:
    """The shared libraries of the release that are mapped, relative to its root, in the order of loading."""
    found: dict[str, None] = {}
    with open("/proc/self/maps", encoding="utf-8", errors="surrogateescape") as maps:
        for line in maps:
            path = line.rstrip("\n").partition("/")[2]
            path = "/" + path
            if ".so" in path and path.startswith(root + "/"):
                found.setdefault(path[len(root) + 1 :])
    return list(found)
