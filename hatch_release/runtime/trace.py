"""Seen from inside: what the applications import at start, written down for the assembler.

Run once while assembling, in an empty environment. The applications' modules are imported, and in embedded mode
those that it preloads; nothing is started.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from . import leave
from .bootfile import STARTED
from .console_script import Importing
from .preload import EMBEDDED

if TYPE_CHECKING:
    from collections.abc import Callable

    from .importer import IndexFinder

SYSTEM, APPLICATION, PRELOADING = "system", "application", "preloading"
"""What is imported one after the other: the system's own modules, each application's, and what is preloaded."""


def trace(finder: IndexFinder, output: str) -> None:
    """Import what `start` would import and write a JSON report.

    Args:
        finder: Serves the release's modules.
        output: Where to write: `modules` in load order, `libraries` mapped into the process, and `error`:
            None, or what the first import that failed raised (`_import`).
    """
    import json

    with Importing(finder):  # as `start` does
        error = import_all(finder, _configure)
    if leave.has_foreign_code():
        import ctypes  # what the end of such a process needs  # noqa: F401
    report = {"modules": list(sys.modules), "libraries": _libraries(finder.release_root), "error": error}
    with open(output, "w", encoding="utf-8") as file:
        json.dump(report, file)


def _configure(finder: IndexFinder) -> None:
    """Have the configuration as it was assembled, and the providers' modules: none is asked on this machine."""
    from .config import boot, provider

    boot.install_assembled(finder)
    plan = finder.release_payload["config"]
    for reference, _state in plan["providers"] if plan else ():
        provider.find(reference)


def import_all(
    finder: IndexFinder,
    configure: Callable[[IndexFinder], None],
    begins: Callable[[str, str], None] = lambda _kind, _name: None,
) -> dict[str, Any] | None:
    """Import the modules of all applications that start, in their order, then what is preloaded; the first error.

    Args:
        finder: Serves the release's modules.
        configure: Called before the first application is imported, if there is a configuration.
        begins: Told what is imported next, as in `phases.py`: its kind, and the application's name.
    """
    begins(SYSTEM, "")
    from . import system  # noqa: F401 - what `start` needs

    payload = finder.release_payload
    if payload["config"] is not None:
        configure(finder)
    if any(each["kind"] != "script" and each["mode"] in STARTED for each in payload["applications"]):
        begins(SYSTEM, "for applications")
        from . import api  # noqa: F401 - what `start` needs then
        from .supervision import supervisor  # noqa: F401 - what `start` needs then
    for each in payload["applications"]:
        module = each["start"].partition(":")[0]
        if not module or each["mode"] not in STARTED:
            continue
        begins(APPLICATION, each["name"])
        if error := _import(module):
            return {**error, "application": each["name"]}
    preloaded = payload["preload"] if payload["mode"] == EMBEDDED else ()
    if preloaded:
        begins(PRELOADING, "")
    for module in preloaded:
        error = _import(module)
        if error:
            return {**error, "preloading": module}
    return None


def _import(module: str) -> dict[str, Any] | None:
    """Import a module, and tell what that raised.

    Returns:
        None, or type, message, whether something or a module of the standard library is missing, the traceback.
    """
    try:
        __import__(module)
    except BaseException as raised:  # noqa: BLE001 - reported, whatever it is
        import traceback

        return {
            "type": type(raised).__name__,
            "message": str(raised),
            "import": isinstance(raised, ImportError),
            "stdlib": isinstance(raised, ModuleNotFoundError)
            and (raised.name or "").partition(".")[0] in sys.stdlib_module_names,
            "traceback": traceback.format_exc(),
        }
    return None


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
