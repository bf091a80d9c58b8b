"""Which of the installed distributions a release holds: what its project needs, directly or not."""

from __future__ import annotations

import difflib
from collections import deque
from typing import TYPE_CHECKING, Any

from dependency_groups import resolve
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hatch_release.distributions import Distribution
from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

BUILD_TOOLS = frozenset({"hatch-release"})
"""Distributions that assemble releases and are never part of one."""

_REFRESH = "make the lock again (`uv lock`, or `uv pip compile --generate-hashes`)"


def project_roots(
    name: str, extras: Iterable[str], groups: Iterable[str], pyproject: Mapping[str, Any]
) -> list[Requirement]:
    """What a release is rooted in: the project with its extras, then what its dependency groups require.

    Args:
        name: Name of the project's distribution.
        extras: Extras of the project to include.
        groups: Dependency groups to include (PEP 735).
        pyproject: The tables of the project's pyproject.toml.

    Raises:
        ReleaseError: When the project has no such extra or group, with the nearest that it has.
    """
    extras, groups = sorted(extras), list(groups)
    project = pyproject.get("project", {})
    # Without static metadata, what the extras are is known only to the project's own back end.
    if project and "optional-dependencies" not in project.get("dynamic", ()):
        _check_known("extra", extras, project.get("optional-dependencies", {}))
    tables = pyproject.get("dependency-groups", {})
    _check_known("dependency group", groups, tables)
    try:
        required = resolve(tables, *groups)
    except (ValueError, LookupError, TypeError) as error:
        raise ReleaseError(f"[dependency-groups] in pyproject.toml is wrong: {error}") from error
    wanted = f"[{','.join(extras)}]" if extras else ""
    return [Requirement(name + wanted), *map(Requirement, required)]


def closure(
    distributions: Mapping[str, Distribution],
    roots: Iterable[Requirement],
    environment: Mapping[str, str],
    *,
    exclude: frozenset[str] = BUILD_TOOLS,
    check: bool = True,
) -> dict[str, Distribution]:
    """The distributions that `roots` need, directly or not, each after what it needs itself.

    Args:
        distributions: What is installed, by normalised name.
        roots: What the release asks for.
        environment: The marker environment of the interpreter that the release runs on (PEP 508).
        exclude: Normalised names that never get in, nor what they alone need.
        check: Whether what is missing or of a wrong version is an error; if not, it is passed over.

    Raises:
        ReleaseError: When a requirement is not met, naming who has it.
    """
    needs: dict[str, set[str]] = {}
    seen: set[tuple[str, str]] = set()
    queue = deque[tuple[Distribution | None, Requirement]](
        (None, root) for root in roots if _applies(root, "", environment)
    )
    while queue:
        owner, wanted = queue.popleft()
        name = canonicalize_name(wanted.name)
        found = distributions.get(name)
        if name in exclude or not _is_met(wanted, found, owner, check=check):
            continue
        needs.setdefault(name, set())
        if owner is not None:
            needs[owner.name].add(name)
        for extra in ("", *sorted(wanted.extras)):
            if found is not None and (name, extra) not in seen:
                seen.add((name, extra))
                queue.extend((found, one) for one in found.requires if _applies(one, extra, environment))
    return {name: distributions[name] for name in _ordered(needs)}


def _applies(requirement: Requirement, extra: str, environment: Mapping[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra})


def _is_met(
    wanted: Requirement, found: Distribution | None, owner: Distribution | None, *, check: bool
) -> bool:
    """Whether `found` is what `owner` wants; with `check` an error if it is not."""
    fits = found is not None and wanted.specifier.contains(found.version, prereleases=True)
    if fits or not check:
        return found is not None
    who = f"{owner.name} {owner.version}" if owner else "the project"
    has = f"{found.version} is locked" if found else "it is not locked"
    raise ReleaseError(f"{who} requires {wanted.name}{wanted.specifier}, but {has}: {_REFRESH}")


def _ordered(needs: Mapping[str, set[str]]) -> list[str]:
    """The names in `needs`, each after those that it needs; a cycle is entered at its first name."""
    ordered: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name not in seen:
            seen.add(name)
            for other in sorted(needs[name]):
                visit(other)
            ordered.append(name)

    for name in sorted(needs):
        visit(name)
    return ordered


def _check_known(kind: str, wanted: Sequence[str], known: Iterable[str]) -> None:
    names = sorted(canonicalize_name(name) for name in known)
    for name in wanted:
        if canonicalize_name(name) not in names:
            near = difflib.get_close_matches(canonicalize_name(name), names, 1)
            advice = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names) or 'none'}"
            raise ReleaseError(f"the project has no {kind} {name!r} in pyproject.toml: {advice}")
