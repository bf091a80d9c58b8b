"""Where a project's file declares what it requires."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from hatch_release.dependencies.closure import GROUPS, UnmetError
from hatch_release.errors import ProjectFileError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from hatch_release.errors import Keys


@contextlib.contextmanager
def placing_unmet(pyproject: Mapping[str, Any], project: str) -> Iterator[None]:
    """Tell where a requirement that is not met is declared, when it is the project's own.

    Args:
        pyproject: The tables of the project's file.
        project: The project's name, normalised.

    Raises:
        ReleaseError: The error, with its place.
    """
    try:
        yield
    except UnmetError as error:
        if error.owner not in {"", project}:
            raise
        raise ProjectFileError(str(error), *way_to(pyproject, error.wanted)) from error


def way_to(pyproject: Mapping[str, Any], name: str) -> Keys:
    """The way to the first requirement of a distribution; to none, where nothing declares it.

    Args:
        pyproject: The tables of the project's file.
        name: The distribution's name, in any spelling.
    """
    for table in _lists(pyproject):
        value: Any = pyproject
        for key in table:
            value = value.get(key, ()) if isinstance(value, dict) else ()
        for number, each in enumerate(value if isinstance(value, list) else ()):
            if _names(each, canonicalize_name(name)):
                return (*table, number)
    return ()


def _lists(pyproject: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The ways to lists of requirements (PEP 621, PEP 735)."""
    yield "project", "dependencies"
    for extra in pyproject.get("project", {}).get("optional-dependencies", {}):
        yield "project", "optional-dependencies", extra
    for group in pyproject.get(GROUPS, {}):
        yield GROUPS, group


def _names(written: object, name: str) -> bool:
    """Whether a requirement is one of a distribution; a group may hold other things, too."""
    try:
        return canonicalize_name(Requirement(str(written)).name) == name
    except InvalidRequirement:
        return False
