"""What runs for a command: in a thread of its own, with streams and arguments of its own."""

from __future__ import annotations

import contextlib
import threading

from .. import evaluate, leave
from . import channels, loops, streams
from .interruption import Interruption
from .running import Runner

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..system import System
    from .peer import Peer

_INTERRUPTED = 130


class Execution:
    """What runs for one command, in a thread of its own, with streams and arguments of its own.

    Args:
        system: What it runs in.
        peer: The command.
        name: Of the thread, and how tracebacks call the code.
        argv: What the code sees as `sys.argv`.
    """

    def __init__(self, system: System, peer: Peer, name: str, argv: list[str]) -> None:
        """Not begun."""
        self.peer = peer
        self.name = name
        self.interrupted = False
        """Whether the last attempt ended by an interruption."""
        self._argv = argv
        self._interruption = Interruption()
        self._input = channels.Input(peer, self._interruption)
        self.run = Runner(lambda: loops.find(system.node), self._interruption)

    def begin(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._live, name=self.name, daemon=True).start()

    def received(self, message: dict[str, Any]) -> None:
        """Take input, or an interruption."""
        if "input" in message:
            self._input.put(str(message["input"]))
        elif "interrupt" in message:
            self._interruption.request()

    def is_full(self) -> bool:
        """Whether more input has come than the code has read."""
        return self._input.is_full()

    def gone(self) -> None:
        """Interrupt the code, which nobody waits for any more."""
        self._input.close()
        self._interruption.request()

    def work(self) -> dict[str, Any]:
        """Do what the command wants, and give the last message to it."""
        raise NotImplementedError

    def _live(self) -> None:
        own = streams.Own(
            channels.reader(self._input),
            channels.writer(self.peer, "out", self._interruption),
            channels.writer(self.peer, "err", self._interruption),
            self._argv,
        )
        with streams.using(own):
            last = self.work()
        evaluate.forget(self.name)
        self.peer.send(last)
        self.peer.finish()

    def attempt(self, action: Callable[[], None]) -> int:
        """Do something that may be interrupted, and show what it raised.

        Raises:
            SystemExit: When the code asks to end.

        Returns:
            0, or the exit code that the error stands for.
        """
        error: BaseException | None = None
        try:
            try:
                self._interruption.allow()
                action()
            finally:
                self._interruption.end()
        except BaseException as raised:  # noqa: BLE001 - the code's own
            error = raised
        self.interrupted = type(error) is KeyboardInterrupt
        if isinstance(error, SystemExit):
            raise error
        if error is not None:
            leave.show(error)
        flush()
        return _INTERRUPTED if self.interrupted else int(error is not None)


def flush() -> None:
    """Send what the code has written; whatever it has put in the place of its streams."""
    import sys

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
