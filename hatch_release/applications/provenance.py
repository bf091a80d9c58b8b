"""Why each distribution is in a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from hatch_release.dependencies.closure import Edge


def reasons(
    project: str, edges: Collection[Edge], groups: Mapping[str, Collection[str]]
) -> dict[str, tuple[str, ...]]:
    """What brings each distribution in, in words.

    Args:
        project: Name of the project's distribution (PEP 503).
        edges: Who requires whom.
        groups: The project's dependency groups that are included, each with the distributions that it names.

    Returns:
        Reasons by the distribution's name.
    """
    found: dict[str, dict[str, None]] = {edge.name: {} for edge in edges}
    always = {(edge.owner, edge.name) for edge in edges if not edge.extra}
    found[project]["the project"] = None
    for edge in edges:
        if edge.owner == project and edge.extra and (edge.owner, edge.name) not in always:
            found[edge.name][f"extra {edge.extra} of the project"] = None
        elif edge.owner:
            found[edge.name][f"required by {edge.owner}"] = None
    for group, names in groups.items():
        for name in names:
            if name in found:
                found[name][f"dependency group {group}"] = None
    return {name: tuple(each) for name, each in found.items()}
