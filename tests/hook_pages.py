"""How `docs/plugins.md` describes a hook: made of its specification, so that the two can't differ."""

from __future__ import annotations

import inspect
import re

from hatch_release import hookspecs
from hatch_release.plugins.manager import HOOKS

REFERENCE = "## All hooks\n"


def section(hook: str) -> str:
    """The section of one hook."""
    spec = getattr(hookspecs, hook)
    gives = inspect.signature(spec).return_annotation
    text = re.sub(r"\n(?!\n)", " ", (inspect.getdoc(spec) or "").replace("\n\n", "\0")).replace("\0", "\n\n")
    returned = "" if gives == "None" else f" -> {gives}"
    return f"### `{hook}({', '.join(HOOKS[hook])}){returned}`\n\n{text}\n"


def reference() -> str:
    """The sections of all hooks."""
    return REFERENCE + "".join(f"\n{section(hook)}" for hook in HOOKS)


if __name__ == "__main__":
    print(reference())  # noqa: T201 - for whoever writes the page
