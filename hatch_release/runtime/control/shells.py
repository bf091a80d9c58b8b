"""`remote`: a shell in the system, one for each terminal.

Lines are edited where the terminal is. What has been typed comes here, is completed, compiled and run, and what it
gives is shown as the interactive interpreter does, or IPython where the release includes it.
"""

from __future__ import annotations

import itertools
import os
import sys

from .. import leave
from ..shell import choice
from .execution import Execution, flush
from .requests import Requests

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..system import System
    from .peer import Peer

_numbers = itertools.count(1)


class Shell(Execution):
    """One shell.

    Args:
        system: What it runs in.
        peer: The command that wants it.
        message: Its request: `repl`, which shell it wants, and whether it shows `colors`.
    """

    def __init__(self, system: System, peer: Peer, message: dict[str, Any]) -> None:
        """Not begun."""
        super().__init__(system, peer, f"<remote {next(_numbers)}>", [""])
        self._system = system
        self._wanted = str(message.get("repl", choice.PYTHON))  # a command of an older version knows no other
        self._colors = message.get("colors") is True
        self._requests = Requests(peer.resume)

    def received(self, message: dict[str, Any]) -> None:
        """Take what was typed, or what belongs to what runs."""
        if not {"source", "complete", "check"}.isdisjoint(message):
            self._requests.put(message)
        else:
            super().received(message)

    def is_full(self) -> bool:
        """Whether more was typed than has been looked at."""
        return self._requests.is_full() or super().is_full()

    def gone(self) -> None:
        """End the shell, and what runs in it."""
        self._requests.close()
        super().gone()

    def work(self) -> dict[str, Any]:
        """Take one input after the other, until the shell is left."""
        shell, notice = choice.make(self._wanted, self.name, self.run, colors=self._colors)
        greeting = "\n".join(filter(None, (banner(self._system, shell), notice)))
        self.peer.send({"end": 0, "banner": greeting, **shell.state()})
        try:
            while (message := self._requests.get()) is not None:
                self.peer.send({**self._answer(shell, message), "id": message.get("id")})
        except SystemExit as error:
            code = leave.exit_code(error.code)
            flush()
            return {"end": code, "left": True}
        finally:
            shell.close()
        return {"end": 0, "left": True}

    def _answer(self, shell: choice.Shell, message: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        if "complete" in message:
            text = message["complete"]
            place = message.get("cursor", len(text))
            self.attempt(lambda: found.update(matches=shell.complete(text, place)))
            return {"matches": [], **found}
        if "check" in message:
            self.attempt(lambda: found.update(choice.check(shell, message["check"])))
            return {"more": False, **found}
        source, whole = message["source"], message["whole"]
        code = self.attempt(lambda: found.update(choice.take(shell, source, whole=whole)))
        return found or {"end": code, **shell.state()}


def banner(system: System, shell: choice.Shell) -> str:
    """What a shell says at first.

    Args:
        system: What it is in.
        shell: Made for it.
    """
    payload = system.finder.release_payload
    release, python = f"{payload['name']} {payload['version']}", sys.version.split()[0]
    title = f" with {shell.title}" if shell.title else ""
    return f"{release} on Python {python}{title}, process {os.getpid()} - ^D leaves it running"
