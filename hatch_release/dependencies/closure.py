"""Which of the installed distributions a release holds: what its project needs, directly or not."""

from __future__ import annotations

import difflib
from collections import deque
from typing import TYPE_CHECKING, Any, NamedTuple

from dependency_groups import resolve
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hatch_release.dependencies.distributions import Distribution
from hatch_release.errors import OptionError, ProjectFileError, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

GROUPS = "dependency-groups"
BUILD_TOOLS = frozenset({"hatch-release"})
"""Distributions that assemble releases and are never part of one."""


class UnmetError(ReleaseError):
    """A requirement that is not met."""

    def __init__(self, message: str, owner: str, wanted: str) -> None:
        """Say whose it is.

        Args:
            message: The one line.
            owner: As `Edge.owner`.
            wanted: Name of the distribution that is required.
        """
        super().__init__(message)
        self.owner, self.wanted = owner, wanted


class Edge(NamedTuple):
    """That one distribution of a release requires another one."""

    owner: str
    """Name of the distribution that requires; empty for what the release itself is rooted in."""
    extra: str
    """The owner's extra that requires it; empty when the owner does so in any case."""
    name: str
    """Name of the distribution that is required."""


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
    extras, groups = list(extras), list(groups)
    project = pyproject.get("project", {})
    # Without static metadata, what the extras are is known only to the project's own back end.
    if project and "optional-dependencies" not in project.get("dynamic", ()):
        _check_known("extra", extras, project.get("optional-dependencies", {}), "extras")
    tables = pyproject.get(GROUPS, {})
    _check_known("dependency group", groups, tables, "groups")
    try:
        required = resolve(tables, *groups)
    except (ValueError, LookupError, TypeError) as error:
        raise ProjectFileError(f"[{GROUPS}] in pyproject.toml is wrong: {error}", GROUPS) from error
    wanted = f"[{','.join(sorted(extras))}]" if extras else ""
    return [Requirement(name + wanted), *map(Requirement, required)]


def closure(  # noqa: PLR0913 - all but the first three by keyword
    distributions: Mapping[str, Distribution],
    roots: Iterable[Requirement],
    environment: Mapping[str, str],
    *,
    exclude: frozenset[str] = BUILD_TOOLS,
    check: bool = True,
    advice: str = "make the lock again",
) -> dict[str, Distribution]:
    """The distributions that `roots` need, directly or not, each after what it needs itself.

    Args:
        distributions: What is installed, by normalised name.
        roots: What the release asks for.
        environment: The marker environment of the interpreter that the release runs on (PEP 508).
        exclude: Normalised names that never get in, nor what they alone need.
        check: Whether what is missing or of a wrong version is an error; if not, it is passed over.
        advice: What to do about a requirement that is not met.

    Raises:
        UnmetError: When a requirement is not met, naming who has it.
    """
    found = edges(distributions, roots, environment, exclude=exclude, check=check, advice=advice)
    return {name: distributions[name] for name in _ordered(needs(found))}


def edges(  # noqa: PLR0913 - as above
    distributions: Mapping[str, Distribution],
    roots: Iterable[Requirement],
    environment: Mapping[str, str],
    *,
    exclude: frozenset[str] = BUILD_TOOLS,
    check: bool = True,
    advice: str = "make the lock again",
) -> Iterator[Edge]:
    """Each requirement that brings a distribution in, as `closure` follows them; its arguments are the same."""
    seen: set[tuple[str, str]] = set()
    queue = deque[tuple[Distribution | None, str, Requirement]](
        (None, "", root) for root in roots if _applies(root, "", environment)
    )
    while queue:
        owner, through, wanted = queue.popleft()
        name = canonicalize_name(wanted.name)
        found = distributions.get(name)
        if name in exclude or not _is_met(wanted, found, owner, advice if check else ""):
            continue
        yield Edge(owner.name if owner else "", through, name)
        for extra in ("", *sorted(wanted.extras)):
            if found is not None and (name, extra) not in seen:
                seen.add((name, extra))
                queue.extend(
                    (found, extra, one) for one in found.requires if _applies(one, extra, environment)
                )


def needs(found: Iterable[Edge]) -> dict[str, set[str]]:
    """The names of all distributions, each with those that it requires itself."""
    required: dict[str, set[str]] = {}
    for edge in found:
        required.setdefault(edge.name, set())
        if edge.owner:
            required[edge.owner].add(edge.name)
    return required


def precedence(
    distributions: Mapping[str, Distribution], environment: Mapping[str, str], project: str
) -> list[str]:
    """The names of distributions; where several own one file, that of the last one counts.

    As with pip, a distribution comes after those that it requires, and the project at the end.

    Args:
        distributions: What is installed, by normalised name.
        environment: The marker environment of the interpreter that the release runs on.
        project: The project's own normalised name.
    """
    names = distributions.keys() - {project}
    required: dict[str, set[str]] = {name: set() for name in names}
    for name in names:
        applying = (one for one in distributions[name].requires if _applies(one, "", environment))
        required[name].update(canonicalize_name(one.name) for one in applying)
    ordered = _ordered({name: others & names for name, others in required.items()})
    return [*ordered, *({project} & distributions.keys())]


def _applies(requirement: Requirement, extra: str, environment: Mapping[str, str]) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({**environment, "extra": extra})


def _is_met(wanted: Requirement, found: Distribution | None, owner: Distribution | None, advice: str) -> bool:
    """Whether `found` is what `owner` wants; an error if it is not and there is advice about that."""
    fits = found is not None and wanted.specifier.contains(found.version, prereleases=True)
    if fits or not advice:
        return found is not None
    who = f"{owner.name} {owner.version}" if owner else "the project"
    has = f"{found.version} is locked" if found else "it is not locked"
    raise UnmetError(
        f"{who} requires {wanted.name}{wanted.specifier}, but {has}: {advice}",
        owner.name if owner else "",
        wanted.name,
    )


def _ordered(required: Mapping[str, set[str]]) -> list[str]:
    """The names in `required`, each after those that it needs; a cycle is entered at its first name."""
    ordered: list[str] = []
    seen: set[str] = set()

    def visit(name: str) -> None:
        if name not in seen:
            seen.add(name)
            for other in sorted(required[name]):
                visit(other)
            ordered.append(name)

    for name in sorted(required):
        visit(name)
    return ordered


def _check_known(kind: str, wanted: Sequence[str], known: Iterable[str], option: str) -> None:
    names = sorted(canonicalize_name(name) for name in known)
    for number, name in enumerate(wanted):
        if canonicalize_name(name) not in names:
            near = difflib.get_close_matches(canonicalize_name(name), names, 1)
            advice = f"did you mean {near[0]!r}?" if near else f"it has {', '.join(names) or 'none'}"
            raise OptionError(
                f"the project has no {kind} {name!r} in pyproject.toml: {advice}", option, number
            )
