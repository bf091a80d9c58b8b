"""Whether a lock fits: the project that it was made for, and what was installed from it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from dependency_groups import resolve
from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name

from hatch_release.dependencies.declarations import way_to
from hatch_release.dependencies.lock import read_toml, requirement_lines
from hatch_release.errors import ProjectFileError, ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hatch_release.dependencies.distributions import Distribution
    from hatch_release.dependencies.lock import Lock

UNCHECKED = "HATCH_RELEASE_NO_DEPS_CHECK=1"
_COMMAND = re.compile(r"^#.*\bcommand:?\s*\n(?:#\s*\n)?#\s+(\S.*)$", re.MULTILINE)
"""How uv and pip-tools write into a lock what made it."""
_OTHER_SOURCES = ("directory", "editable", "git", "path", "subdirectory", "url", "virtual", "workspace")
"""What `[tool.uv.sources]` takes a requirement from; its version does not count then."""

Need = tuple[str, tuple[str, ...], str]
"""A requirement that applies: name, extras, versions (empty: any, or from another source)."""


def refresh(lock: Lock | None, root: Path) -> str:
    """What to do about a lock that does not fit, in words that follow a colon.

    Args:
        lock: The lock, or None when there is none.
        root: The project's root.
    """
    if lock is None:
        return "name a version that fits in the project's dependencies"
    name = lock.path.relative_to(root).as_posix() if lock.path.is_relative_to(root) else str(lock.path)
    if lock.kind == "uv":
        return f"make {name} again with `uv lock`"
    if made := _COMMAND.search(lock.path.read_text("utf-8-sig")):
        return f"make {name} again with `{made[1].strip()}`"
    if lock.kind == "requirements":
        command = f"uv pip compile --universal --generate-hashes pyproject.toml -o {name}"
        return f"make {name} again, for example with `{command}`"
    maker = read_toml(lock.path).get("created-by", "uv")
    command = f"`uv export --format pylock.toml -o {name}`"
    return f"make {name} again with {command if maker == 'uv' else maker}"


def check_uv_lock(
    lock: Lock,
    own: Distribution,
    groups: Sequence[str],
    pyproject: Mapping[str, Any],
    environment: Mapping[str, str],
) -> None:
    """Make sure that a uv.lock was made for the requirements that the project has now, as `uv lock --check` does.

    Args:
        lock: A uv.lock.
        own: The project, as its wheel describes it.
        groups: The dependency groups that are included.
        pyproject: The tables of the project's pyproject.toml.
        environment: The marker environment of the interpreter that the release runs on.

    Raises:
        ReleaseError: When they differ, with the first difference.
    """
    advice = f"make it again with `uv lock`, or set {UNCHECKED} to take it as it is"
    package = next(
        (
            each
            for each in read_toml(lock.path).get("package", [])
            if canonicalize_name(each.get("name", "")) == own.name
        ),
        None,
    )
    if package is None:
        raise ReleaseError(f"{lock.path} does not hold the project {own.name}: {advice}")
    locked = package.get("metadata", {})
    tables = pyproject.get("dependency-groups", {})
    pairs: list[tuple[Iterable[Requirement], list[dict[str, Any]]]] = [
        (own.requires, locked.get("requires-dist", []))
    ]
    pairs += [(map(Requirement, resolve(tables, name)), _group(locked, name)) for name in groups]
    extras = ["", *locked.get("provides-extras", [])]
    for required, entries in pairs:
        free: set[str] = {
            canonicalize_name(each["name"]) for each in entries if each.keys() & set(_OTHER_SOURCES)
        }
        wanted = set(_needs(required, extras, environment, free))
        held = set(_needs(map(_requirement, entries), extras, environment, free))
        if wanted != held:
            first = min(wanted - held or held - wanted)
            raise ProjectFileError(
                f"{lock.path} was made for other requirements: the project asks for "
                f"{_spelt(wanted - held) or 'less'}, the lock was made for {_spelt(held - wanted) or 'less'}: "
                f"{advice}",
                *way_to(pyproject, first[0]),
            )


def compare(
    lock: Lock, root: Path, installed: Mapping[str, Distribution], own: str, advice: str
) -> list[str]:
    """Compare what was installed with what the lock names.

    Args:
        lock: The lock.
        root: The project's root.
        installed: Everything that was installed, by normalised name.
        own: The project's name, normalised.
        advice: What to do when a version differs (`refresh`).

    Returns:
        What was installed and is not named by the lock, as `NAME VERSION`.

    Raises:
        ReleaseError: When something was installed in another version.
    """
    named = _named(lock, root)
    strangers = []
    for name, each in installed.items():
        if name == own:
            continue
        if name not in named:
            strangers.append(f"{name} {each.version}")
        elif not any(_fits(each.version, specifier) for specifier in named[name]):
            raise ReleaseError(
                f"{name} {each.version} was installed, but {lock.path} has {' or '.join(named[name])}: {advice}"
            )
    return strangers if "" not in named else []


def _group(locked: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    """What a uv.lock says about a dependency group."""
    groups: dict[str, list[dict[str, Any]]] = locked.get("requires-dev", {})
    return next(
        (each for key, each in groups.items() if canonicalize_name(key) == canonicalize_name(name)), []
    )


def _requirement(entry: Mapping[str, Any]) -> Requirement:
    """One requirement of a uv.lock's `requires-dist`."""
    extras = f"[{','.join(entry.get('extras', []))}]"
    marker = f"; {entry['marker']}" if "marker" in entry else ""
    return Requirement(f"{entry['name']}{extras}{entry.get('specifier', '')}{marker}")


def _needs(
    required: Iterable[Requirement],
    extras: Iterable[str],
    environment: Mapping[str, str],
    free: set[str],
) -> Iterator[Need]:
    """The requirements that apply to some extra; of those in `free` the version does not count."""
    environments = [{**environment, "extra": extra} for extra in extras]
    for each in required:
        if each.marker is None or any(map(each.marker.evaluate, environments)):
            name = canonicalize_name(each.name)
            versions = "" if name in free or each.url else _normal(each.specifier)
            yield name, tuple(sorted(map(canonicalize_name, each.extras))), versions


def _normal(specifier: SpecifierSet) -> str:
    """A specifier in one spelling."""
    return ",".join(sorted(map(str, specifier)))


def _spelt(needs: set[Need]) -> str:
    """Requirements as one writes them."""
    return ", ".join(
        f"{name}[{','.join(extras)}]{versions}" if extras else f"{name}{versions}"
        for name, extras, versions in sorted(needs)
    )


def _named(lock: Lock, root: Path) -> dict[str, list[str]]:
    """What a lock names, each with its specifiers; under an empty name what can't be told without building it."""
    named: dict[str, list[str]] = {}
    if lock.kind != "requirements":
        for each in read_toml(lock.path).get("packages" if lock.kind == "pylock" else "package", []):
            version = each.get("version")
            named.setdefault(canonicalize_name(each["name"]), []).append(f"=={version}" if version else "")
        return named
    for line in requirement_lines(lock.path, root):
        if line.startswith("-") and not line.startswith(("-e", "--editable")):
            continue
        try:
            wanted = Requirement(re.split(r"\s--hash[=\s]", line)[0])
        except InvalidRequirement:  # a path
            named[""] = []
        else:
            named.setdefault(canonicalize_name(wanted.name), []).append(str(wanted.specifier))
    return named


def _fits(version: str, specifier: str) -> bool:
    """Whether an installed version is a locked one; a local part that the lock does not name may follow."""
    try:
        return SpecifierSet(specifier).contains(version, prereleases=True)
    except InvalidSpecifier:  # of a version that PEP 440 does not know
        return f"=={version}" == specifier
