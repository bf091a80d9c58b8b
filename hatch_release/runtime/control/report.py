"""What `info` prints for people."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MEGABYTE = 1_000_000
_UNITS = (("d", 86400), ("h", 3600), ("min", 60))


def text(info: dict[str, Any]) -> str:
    """The lines.

    Args:
        info: What `inspection.info` gives.
    """
    memory, descriptors = info["memory"], info["descriptors"]
    rows = {
        "node": info["node"],
        "release": f"{info['release']} {info['version']} on Python {info['python']}",
        "process": str(info["pid"]),
        "uptime": _duration(info["uptime"]) + ("" if info["started"] else ", still starting"),
        "mode": info["mode"],
        "memory": f"{memory['resident'] / _MEGABYTE:.1f} MB, at most {memory['most'] / _MEGABYTE:.1f} MB",
        "threads": str(info["threads"]),
        "tasks": str(info["tasks"]),
        "descriptors": f"{descriptors['open']} of {descriptors['limit']}",
        "restarts": str(info["restarts"]),
    }
    lines = [f"{name + ':':<13}{value}" for name, value in rows.items()]
    return "\n".join([*lines, "applications:", *_applications(info["applications"])])


def _applications(applications: list[dict[str, Any]]) -> list[str]:
    widths = [max(len(str(each[key])) for each in applications) for key in ("name", "mode")]
    return [
        f"  {each['name']:<{widths[0]}}  {each['mode']:<{widths[1]}}  {each['state']}"
        + (f", restarted {each['restarts']} times" if each["restarts"] else "")
        for each in applications
    ]


def _duration(seconds: float) -> str:
    """A time in words, such as `2 d 3 h 4 min`."""
    if seconds < _UNITS[-1][1]:
        return f"{seconds:.1f} s"
    words: list[str] = []
    left = int(seconds)
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or words:
            words.append(f"{count} {unit}")
    return " ".join(words)
