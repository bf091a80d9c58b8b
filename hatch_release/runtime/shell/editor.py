"""What the two ways of typing have in common: whom they type to, and where they remember it."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

_PRIVATE = 0o600


class Evaluator(Protocol):
    """A shell, in this process or in another, as those see it who type into it."""

    state: dict[str, Any]
    """What the next prompt depends on: `count`, the number of the next input when inputs have numbers, and `next`."""

    def run(self, source: str, *, whole: bool) -> dict[str, Any]:
        """Run what was typed, unless it is not the `whole` and more has to come: then `more` and `indent`.

        `left` says that the shell was left, and `end` with which exit code.
        """

    def check(self, source: str) -> tuple[bool, str]:
        """Whether more has to come, and by how much that is to be indented."""

    def complete(self, text: str, cursor: int) -> list[Any]:
        """What `text` may be completed to at `cursor`."""

    def listen(self, fail: Callable[[BaseException], None]) -> None:
        """Take what comes while the terminal waits for input, in the event loop that runs; `fail` ends the waiting."""


class Editor(Protocol):
    """A way of typing."""

    def loop(self) -> int:
        """Take input until the shell is left; the exit code."""

    def end(self) -> None:
        """The process ends, whatever is being typed in another thread: let the terminal be as it was."""


def history_file(name: str, kind: str = "") -> str:
    """Where input is remembered, in the home directory.

    Args:
        name: The release's.
        kind: What it is the history of, if not of lines.
    """
    return os.path.join(os.path.expanduser("~"), f".{name}_{kind}history")


def make_private(file: str) -> None:
    """Make a file that nobody else may read, if it isn't there.

    Raises:
        OSError: When there is no place for it.
    """
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _PRIVATE))


def prompts(name: str, count: int | None) -> tuple[str, str]:
    """The prompts for the first line of an input, and for others.

    Args:
        name: The release's.
        count: The number of the input, where inputs have numbers as with IPython.
    """
    if count is None:
        return f"{name}>>> ", f"{name}... "
    first = f"In [{count}]: "
    return first, "...: ".rjust(len(first))


def choose(evaluator: Evaluator, name: str, *, full: Callable[[], bool]) -> Editor:
    """The better way of typing that there is.

    Args:
        evaluator: What is typed to.
        name: The release's.
        full: Whether the terminal can do more than lines.
    """
    if "count" in evaluator.state and full():
        with contextlib.suppress(ImportError):  # whatever was left out of the release: lines always work
            from .cells import Cells

            return Cells(evaluator, name)
    from .lines import Lines

    return Lines(evaluator, name)
