"""The order of applications: as configured, and each after what its distribution requires."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hatch_release.applications.declared import Found
    from hatch_release.applications.modes import Needs


def start_order(found: Found, needs: Needs) -> dict[str, tuple[str, ...]]:
    """The applications in the order in which they start.

    That is the configured order as far as possible, then that of the distributions, the project's last.

    Args:
        found: The applications.
        needs: All distributions of the release, each with those that it requires itself.

    Returns:
        Names of applications, each with those that have to be started before it, in the same order. In a circle of
        distributions, the one that comes first goes without the others.
    """
    others = sorted(found.startables.values(), key=lambda each: each.distribution == found.project)
    wanted = list(dict.fromkeys([*found.configured, *(each.name for each in others)]))
    required = _all_needs(needs)
    ordered: dict[str, tuple[str, ...]] = {}
    entered: set[str] = set()

    def visit(name: str) -> None:
        if name in entered:
            return
        entered.add(name)
        owner = found.startables[name].distribution
        before = [each for each in wanted if found.startables[each].distribution in required[owner] - {owner}]
        for each in before:
            visit(each)
        ordered[name] = tuple(each for each in ordered if each in before)

    for name in wanted:
        visit(name)
    return ordered


def _all_needs(needs: Mapping[str, set[str]]) -> dict[str, set[str]]:
    """Each distribution with all that it requires, directly or not."""
    closed: dict[str, set[str]] = {}
    for name in needs:
        seen: set[str] = set()
        pending = [name]
        while pending:
            more = needs[pending.pop()] - seen
            seen |= more
            pending.extend(more)
        closed[name] = seen
    return closed
