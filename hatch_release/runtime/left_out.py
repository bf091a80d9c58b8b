"""Modules of the standard library that a release was assembled without."""

from __future__ import annotations

import json

from . import bootfile, layout
from .errors import ReleaseError


def hint(name: str | None) -> str:
    """What to do when the module `name` is missing; nothing when it isn't the release that lacks it."""
    try:
        root, payload = bootfile.running()
        directory = f"{root}/{layout.RELEASES}/{payload['version']}/{layout.CONSOLIDATED}"
        with open(f"{directory}/{layout.STDLIB_REASONS}", encoding="utf-8") as file:
            names = json.load(file)["left out"]
    except (ReleaseError, OSError, ValueError, KeyError):
        return ""
    if name not in names:
        return ""
    return f"Hint: this release leaves {name} out, since nothing in it names it: add it to stdlib-include\n"
