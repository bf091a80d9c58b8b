"""What `info` tells: how a system is, without stopping anything."""

from __future__ import annotations

import gc
import os
import resource
import sys
import threading
import time

from .. import api
from . import loops

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .endpoint import Endpoint

_KILOBYTE = 1024


def info(endpoint: Endpoint) -> dict[str, Any]:
    """How the system is.

    Args:
        endpoint: Belongs to it.

    Returns:
        What JSON can hold; sizes in bytes, times in seconds.
    """
    system = endpoint.system
    payload = system.finder.release_payload
    return {
        "node": endpoint.name,
        "release": payload["name"],
        "version": payload["version"],
        "python": sys.version.split()[0],
        "pid": os.getpid(),
        "uptime": round(time.time() - system.begun, 3),
        "started": system.started,
        "mode": api.mode(),
        "applications": _applications(endpoint),
        "memory": {"resident": _status("VmRSS"), "most": _status("VmHWM")},
        "threads": _status("Threads", 1),
        "tasks": sum(len(tasks) for tasks in loops.tasks().values()),
        "descriptors": {"open": _descriptors(), "limit": resource.getrlimit(resource.RLIMIT_NOFILE)[0]},
        "collections": [each["collections"] for each in gc.get_stats()],
        "restarts": sum(each["restarts"] for each in _applications(endpoint)),
    }


def _applications(endpoint: Endpoint) -> list[dict[str, Any]]:
    """Each application with its state: starting, running, ended, or that it is none that starts."""
    system = endpoint.system
    started = {spec["name"] for spec in system.specs}
    return [
        {
            "name": spec["name"],
            "mode": spec["mode"],
            "state": _state(endpoint, spec["name"]) if spec["name"] in started else "not started",
            "restarts": system.node.restarts(spec["name"]) if system.node else 0,
        }
        for spec in system.finder.release_payload["applications"]
    ]


def _state(endpoint: Endpoint, name: str) -> str:
    system = endpoint.system
    if system.node is None:
        return "running" if system.started else "starting"
    running = system.node.running.get(name)
    if running is None:
        return "ended" if system.started else "waiting"
    return "running" if running.ready.done() else "starting"


def _status(name: str, unit: int = _KILOBYTE) -> int:
    """A line of /proc/self/status (proc(5)); 0 where there is none."""
    try:
        with open("/proc/self/status", encoding="ascii", errors="replace") as file:
            for line in file:
                if line.startswith(f"{name}:"):
                    return int(line.split()[1]) * unit
    except OSError:
        pass
    return threading.active_count() if name == "Threads" else 0


def _descriptors() -> int:
    try:
        return len(os.listdir("/proc/self/fd")) - 1  # that of the listing
    except OSError:
        return 0
