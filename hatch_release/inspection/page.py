"""An inspection as one page that asks nothing of any other place: all it needs is inside it."""

from __future__ import annotations

import html
import json
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from hatch_release import __version__
from hatch_release.errors import ReleaseError
from hatch_release.inspection.kinds import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hatch_release.inspection.facts import Inspection, Version
    from hatch_release.inspection.root import Root
    from hatch_release.inspection.start import Waterfall

SMALLEST = 4000
"""Files that are less than one of this many parts of a version's size are told together, by directory and kind."""
OTHERS = "\N{HORIZONTAL ELLIPSIS}"
"""What begins the name of what is told together."""


def write_page(file: Path, root: Root, inspection: Inspection, waterfalls: Mapping[str, Waterfall]) -> None:
    """Write the page.

    Args:
        file: Replaced when it exists.
        root: The release.
        inspection: What was found out about it.
        waterfalls: What happens at start, by version.

    Raises:
        ReleaseError: When it can't be written.
    """
    value = inspection.to_json()
    value["kind_names"], value["tool"] = KINDS, __version__
    for plain, version in zip(value["versions"], inspection.versions, strict=True):
        plain["tree"] = _tree(root, version)
        plain["why"] = version.stdlib.get("included", {})
        waterfall = waterfalls[version.version]
        plain["start"] = [each.to_json() for each in waterfall.spans]
        plain["start_missing"] = waterfall.missing
    names = dict.fromkeys(f"{each.name} {each.version}" for each in inspection.versions)
    try:
        file.write_text(_page(", ".join(names), value), encoding="utf-8", errors="replace")
    except OSError as error:
        raise ReleaseError(f"{file} can't be written: {error.strerror}") from error


def _page(title: str, value: object) -> str:
    """The page's text."""
    assets = files(__package__) / "assets"
    # Inside a script element only these can end it or be taken for markup.
    data = json.dumps(value, separators=(",", ":")).replace("<", "\\u003c").replace("\u2028", "\\u2028")
    pieces = {
        "{{ title }}": html.escape(title),
        "{{ style }}": (assets / "page.css").read_text(encoding="utf-8"),
        "{{ script }}": (assets / "page.js").read_text(encoding="utf-8"),
        "{{ data }}": data,
    }
    text = (assets / "page.html").read_text(encoding="utf-8")
    for mark, piece in pieces.items():
        text = text.replace(mark, piece, 1)
    return text


def _tree(root: Root, version: Version) -> list[Any]:
    """The files of a version as nested lists `[name, bytes, kind or null, children]`, below its parts."""
    smallest = version.size // SMALLEST
    prefixes = {part.name: part.path for part in version.parts}
    parts: dict[str, dict[str, Any]] = {part.name: {} for part in version.parts}
    for path, owner in version.owners.items():
        size, kind = root.files[path].size, root.files[path].kind
        *directories, name = path.removeprefix(f"{prefixes[owner]}/").split("/")
        here = parts[owner]
        for each in directories:
            here = here.setdefault(each + "/", {})
        if size < smallest:
            name = f"{OTHERS} {kind}"
        here[name] = (here.get(name, (0, kind))[0] + size, kind)
    return ["", version.size, None, [_node(name, each) for name, each in parts.items()]]


def _node(name: str, value: dict[str, Any] | tuple[int, str]) -> list[Any]:
    """One node of the tree; directories that hold a single thing are one with it."""
    if isinstance(value, tuple):
        return [name, value[0], value[1], []]
    children = [_node(key, each) for key, each in value.items()]
    if len(children) == 1 and children[0][3] and name.endswith("/"):
        (inner,) = children
        return [name + inner[0], *inner[1:]]
    return [name, sum(each[1] for each in children), None, children]
