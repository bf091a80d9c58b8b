"""Why something is in a release: the chain from it to what the user asked for."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from hatch_release.errors import ReleaseError
from hatch_release.options.kinds import nearest
from hatch_release.runtime import layout

if TYPE_CHECKING:
    from hatch_release.inspection.facts import Version
    from hatch_release.inspection.root import Root

REQUIRED_BY = "required by "


def why(root: Root, version: Version, name: str) -> list[str]:
    """The chain of reasons why a module of the standard library, or a distribution, is in.

    Args:
        root: The release.
        version: One of its versions.
        name: A module such as `json`, or a distribution such as `numpy`.

    Returns:
        The name, what names it, what names that, and so on; the last is what was asked for.

    Raises:
        ReleaseError: When it is not in, with the reason.
    """
    included = version.stdlib.get("included", {})
    brought = {part.name: part for part in version.parts if part.why}
    if name in included:
        return _of_module(root, version, name)
    if canonicalize_name(name) in brought:
        return _of_distribution(version, canonicalize_name(name))
    if name in sys.builtin_module_names or (not included and name in sys.stdlib_module_names):
        return [name, "the interpreter"]
    if name in version.stdlib.get("left out", ()) or name in sys.stdlib_module_names:
        raise ReleaseError(
            f'{name} was left out, since nothing in the release names it: stdlib-include = ["{name}"] brings it'
        )
    hint = nearest(name, [*included, *brought])
    raise ReleaseError(
        f"{version.name} {version.version} has no module of the standard library and no distribution "
        f"called '{name}'{hint}"
    )


def _of_module(root: Root, version: Version, name: str) -> list[str]:
    """The chain from a module of the standard library to what is none."""
    reasons: dict[str, str] = version.stdlib["included"]
    chain = [name]
    while chain[-1] in reasons and reasons[chain[-1]] not in chain:
        chain.append(reasons[chain[-1]])
    owner = _owner(root, version, chain[-1])
    if owner:
        chain[-1] = f"{chain[-1]} (in {owner})"
        chain += _of_distribution(version, owner)[1:] if owner in _whys(version) else []
    return chain


def _owner(root: Root, version: Version, module: str) -> str:
    """The part that a module is in, or an empty string."""
    script = f"{layout.RELEASES}/{version.version}/{layout.START}{layout.SCRIPT_SUFFIX}"
    modules: dict[str, Any] = root.value(script).get("modules", {})
    return version.owners.get(str(modules.get(module, "")), "")


def _whys(version: Version) -> dict[str, tuple[str, ...]]:
    return {part.name: part.why for part in version.parts if part.why}


def _of_distribution(version: Version, name: str) -> list[str]:
    """The shortest chain from a distribution to what the user asked for."""
    whys = _whys(version)
    pending = [[name]]
    seen = {name}
    while pending:
        chain = pending.pop(0)
        for reason in whys.get(chain[-1], ()):
            if not reason.startswith(REQUIRED_BY):
                return [*chain, reason]
            owner = reason.removeprefix(REQUIRED_BY)
            if owner not in seen:
                seen.add(owner)
                pending.append([*chain, owner])
    return [name]
