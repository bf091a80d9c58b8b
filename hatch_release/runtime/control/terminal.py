"""`remote` on a terminal: what is typed is edited and remembered here, and completed and run in the system."""

from __future__ import annotations

import select
import sys
import time

from ..errors import ReleaseError
from ..shell import editor, screen
from .calling import Caller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .connection import Connection

_PATIENCE = 5.0
"""Seconds that an answer may take that is needed to go on typing."""


class Remote:
    """The shell in the system.

    Args:
        connection: The shell has been asked for.
    """

    def __init__(self, connection: Connection) -> None:
        """It has greeted: see `banner`."""
        self._connection = connection
        self._caller = Caller(connection)
        self._asked = 0
        with self._caller as caller:
            self.state = caller.wait()
        self.banner = str(self.state.pop("banner"))

    def run(self, source: str, *, whole: bool) -> dict[str, Any]:
        """Run what was typed: see `Evaluator`."""
        self._asked += 1
        with self._caller as caller:
            self._connection.send({"source": source, "whole": whole, "id": self._asked})
            # What answers something else was given up. A system of an older version numbers nothing.
            while (found := caller.wait()).get("id", self._asked) != self._asked:
                pass
        if "count" in found:
            self.state = found
        return found

    def check(self, source: str) -> tuple[bool, str]:
        """Whether more has to come, and by how much that is to be indented."""
        found = self._ask({"check": source})
        return bool(found.get("more")), str(found.get("indent", ""))

    def complete(self, text: str, cursor: int) -> list[Any]:
        """What `text` may be completed to at `cursor`."""
        return list(self._ask({"complete": text, "cursor": cursor}).get("matches", ()))

    def listen(self, fail: Callable[[BaseException], None]) -> None:
        """Take what tasks of the shell write that go on, and learn when the system goes."""
        import asyncio

        def hear() -> None:
            try:
                self._connection.read()
                self._take(0)
            except ReleaseError as error:
                loop.remove_reader(self._connection.channel)
                fail(error)

        loop = asyncio.get_running_loop()
        loop.add_reader(self._connection.channel, hear)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        """Ask for something while the terminal waits for input; nothing when the answer takes too long."""
        self._asked += 1
        self._connection.send({**request, "id": self._asked})
        deadline = time.monotonic() + _PATIENCE
        while (answer := self._take(self._asked)) is None:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self._connection.channel], [], [], left)[0]:
                return {}
            self._connection.read()
        return answer

    def _take(self, number: int) -> dict[str, Any] | None:
        """The answer with that number, if it has arrived; what else has is seen to."""
        while (message := self._connection.take()) is not None:
            if message.get("id") == number:
                return message
            self._caller.hear(message, _print)
        return None


def _print(file: int, text: str) -> None:
    """Print above the prompt."""
    stream = sys.stdout if file == 1 else sys.stderr
    stream.write(text)
    stream.flush()


def run(connection: Connection, name: str) -> int:
    """See to a shell until it is left.

    Args:
        connection: The shell has been asked for.
        name: The release's, for prompts and the history.

    Returns:
        The exit code.
    """
    remote = Remote(connection)
    print(remote.banner)  # noqa: T201 - the terminal is what this is for
    return editor.choose(remote, name, full=screen.is_full).loop()
