"""Applications outside of a release: those that the installed distributions declare."""

from __future__ import annotations

import re
from importlib import metadata

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .payload import ApplicationSpec

GROUP = "hatch_release.application"
_SHUTDOWN = _WITHIN = 5.0


def specs() -> list[ApplicationSpec]:
    """The applications of all installed distributions, each after those of the distributions that its own needs."""
    owners: dict[str, metadata.Distribution] = {}
    for each in metadata.distributions():
        name = _normalized(each.metadata["Name"] or "")
        owners.setdefault(name, each)
    found: list[ApplicationSpec] = []
    seen: set[str] = set()
    for name in sorted(owners):
        _visit(name, owners, seen, found)
    return found


def _visit(
    name: str, owners: dict[str, metadata.Distribution], seen: set[str], found: list[ApplicationSpec]
) -> None:
    """Add the applications of a distribution, those of its requirements first."""
    if name in seen or name not in owners:
        return
    seen.add(name)
    needed = [_normalized(re.split(r"[^\w.-]", each, maxsplit=1)[0]) for each in owners[name].requires or ()]
    for each in needed:
        _visit(each, owners, seen, found)
    needs = [spec for spec in found if spec["distribution"] in needed]
    names = dict.fromkeys(other for spec in needs for other in (*spec["needs"], spec["name"]))
    points = [point for point in owners[name].entry_points if point.group == GROUP]
    found += [_spec(point.name, name, point.value, tuple(names)) for point in points]


def _spec(name: str, distribution: str, start: str, needs: tuple[str, ...]) -> ApplicationSpec:
    return {
        "name": name,
        "distribution": distribution,
        "kind": "object",
        "mode": "temporary",
        "start": start,
        "command": (),
        "restarts": 0,
        "within": _WITHIN,
        "shutdown": _SHUTDOWN,
        "ready": {},
        "needs": needs,
        "directory": "",
    }


def _normalized(name: str) -> str:
    """A name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()
