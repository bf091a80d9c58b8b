"""`rpc`: one piece of code, from the request to its end."""

from __future__ import annotations

import builtins
import itertools

from .. import evaluate, leave
from .execution import Execution, flush

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..system import System
    from .peer import Peer

_numbers = itertools.count(1)


class Call(Execution):
    """One call.

    Args:
        system: What it runs in.
        peer: The command that wants it.
        message: `code` to run, and `argv`.
    """

    def __init__(self, system: System, peer: Peer, message: dict[str, Any]) -> None:
        """Not begun."""
        code, argv = message.get("code"), message.get("argv")
        words = [each for each in argv if isinstance(each, str)] if isinstance(argv, list) else []
        super().__init__(system, peer, f"<rpc {next(_numbers)}>", words)
        self._code = code if isinstance(code, str) else ""

    def work(self) -> dict[str, Any]:
        """Run the code; how it ended."""
        try:
            code = self.attempt(self._run)
        except SystemExit as error:
            code = leave.exit_code(error.code)
        flush()
        return {"end": code, "interrupted": self.interrupted}

    def _run(self) -> None:
        namespace = {"__name__": "__main__", "__builtins__": builtins}
        self.run(evaluate.prepare(self._code, self.name, namespace), namespace)
