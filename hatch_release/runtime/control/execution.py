"""Running code of a command: in the command's own thread, or in the application's event loop when it awaits."""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from .. import evaluate, leave
from . import channels, loops, streams
from .interruption import Interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from types import CodeType

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
        self._system = system
        self._argv = argv
        self._interruption = Interruption()
        self._input = channels.Input(peer, self._interruption)

    def begin(self) -> None:
        """Start the thread."""
        threading.Thread(target=self._live, name=self.name, daemon=True).start()

    def received(self, message: dict[str, Any]) -> None:
        """Take input, or an interruption."""
        if "input" in message:
            self._input.put(str(message["input"]))
        elif "interrupt" in message:
            self._interruption.request()

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

    def run(self, compiled: CodeType, namespace: dict[str, Any]) -> None:
        """Run compiled code.

        Args:
            compiled: May be that of a coroutine.
            namespace: Where it runs.
        """
        if not evaluate.awaits(compiled):
            exec(compiled, namespace)  # noqa: S102 - what the command is for
            return
        coroutine: Coroutine[Any, Any, None] = eval(compiled, namespace)  # noqa: S307 - what the command is for
        loop = loops.find(self._system)
        raised = self._await(coroutine) if loop is None else self._await_in(loop, coroutine)
        if raised is not None and type(raised).__name__ == "CancelledError":
            raise KeyboardInterrupt
        if raised is not None:
            raise raised

    def _await(self, coroutine: Coroutine[Any, Any, None]) -> BaseException | None:
        """Run a coroutine in an event loop of its own; what it raised."""
        import asyncio

        async def main() -> BaseException | None:
            loop, task = asyncio.get_running_loop(), asyncio.current_task()
            if task is not None:
                self._interruption.allow(_cancel(loop, task))
            try:
                await coroutine
            except BaseException as error:  # noqa: BLE001 - the code's own
                return error
            return None

        return asyncio.run(main())

    def _await_in(self, loop: Any, coroutine: Coroutine[Any, Any, None]) -> BaseException | None:  # noqa: ANN401 - an event loop
        """Run a coroutine as a task of the application's event loop; what it raised."""
        ended: Future[BaseException | None] = Future()

        async def main() -> None:
            try:
                await coroutine
            except BaseException as error:  # noqa: BLE001 - a loop would end by SystemExit and KeyboardInterrupt
                ended.set_result(error)
            else:
                ended.set_result(None)

        def begin() -> None:
            self._interruption.allow(_cancel(loop, loop.create_task(main())), thread)

        thread = threading.get_ident()
        self._interruption.allow(lambda: None)
        # The context knows the command's streams; the task carries it on.
        loop.call_soon_threadsafe(begin, context=copy_context())
        return ended.result()


def _cancel(loop: Any, task: Any) -> Callable[[], None]:  # noqa: ANN401 - of asyncio
    """What cancels a task from another thread."""

    def cancel() -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed
            loop.call_soon_threadsafe(task.cancel)

    return cancel


def flush() -> None:
    """Send what the code has written; whatever it has put in the place of its streams."""
    import sys

    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):
            stream.flush()
