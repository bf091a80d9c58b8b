"""Which shell an operator gets: IPython's where the release includes it, or as RELEASE_REPL says."""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import ReleaseError
from .python import PythonShell

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType

VARIABLE = "RELEASE_REPL"
PYTHON, IPYTHON = "python", "ipython"


class Shell(Protocol):
    """What evaluates that is typed."""

    @property
    def title(self) -> str:
        """What the banner says beyond Python's version."""

    def state(self) -> dict[str, Any]:
        """What the next prompt depends on: `count`, the number of the next input, and `next`, what it begins with."""

    def check(self, source: str) -> tuple[bool, str]:
        """Whether more has to come, and by how much that is to be indented."""

    def run(self, source: str) -> None:
        """Run what was typed."""

    def complete(self, text: str, cursor: int) -> list[Any]:
        """What `text` may be completed to at `cursor`."""

    def close(self) -> None:
        """Leave nothing behind."""


def wanted() -> str:
    """What RELEASE_REPL says: `ipython`, `python`, or nothing.

    Raises:
        ReleaseError: When it says anything else.
    """
    found = os.environ.get(VARIABLE, "")
    if found not in {PYTHON, IPYTHON, ""}:
        raise ReleaseError(f"{VARIABLE} is '{found}': set it to {IPYTHON} or {PYTHON}")
    return found


def make(
    which: str, name: str, run: Callable[[CodeType, dict[str, Any]], None], *, colors: bool
) -> tuple[Shell, str]:
    """Make a shell.

    Args:
        which: As `wanted` gives it.
        name: What tracebacks call what is typed.
        run: Runs compiled code, which may await, in a namespace.
        colors: Whether the terminal shows them.

    Returns:
        The shell, and one line on why it is not IPython's where that was to be expected.
    """
    if which != PYTHON:
        try:
            if importlib.util.find_spec("IPython") is not None:
                from .ipython import IPythonShell

                return IPythonShell(name, run, colors=colors), ""
            reason = "it is not in the release" if which == IPYTHON else ""
        except Exception as error:  # noqa: BLE001 - whatever is wrong with IPython, an operator needs a shell
            reason = f"{type(error).__name__}: {error}".splitlines()[0]
        if reason:
            return PythonShell(name, run), f"IPython can't be used ({reason}): this is Python's own shell"
    return PythonShell(name, run), ""


def check(shell: Shell, source: str) -> dict[str, Any]:
    """Whether `more` has to come than `source`, and by what that is to be indented (`indent`)."""
    more, indent = shell.check(source)
    return {"more": more, "indent": indent}


def take(shell: Shell, source: str, *, whole: bool) -> dict[str, Any]:
    """Run what was typed.

    Args:
        shell: Runs it.
        source: What was typed.
        whole: No more of it comes: it has been checked.

    Returns:
        What `check` gives, when more has to come; else nothing.
    """
    if not whole:
        found = check(shell, source)
        if found["more"]:
            return found
    shell.run(source)
    return {}
