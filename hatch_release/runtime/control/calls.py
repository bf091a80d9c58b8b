"""Code of commands that runs in the system: in its own thread, or in the application's event loop when it awaits."""

from __future__ import annotations

import builtins
import contextlib
import itertools
import threading
from concurrent.futures import Future
from contextvars import copy_context
from typing import TYPE_CHECKING, Any

from .. import evaluate, leave
from . import channels, loops, streams
from .interruption import Interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from ..system import System
    from .peer import Peer

_INTERRUPTED = 130
_numbers = itertools.count(1)


class Call:
    """One piece of code, from the request to its end.

    Args:
        system: What it runs in.
        peer: The command that wants it run.
        code: Statements or an expression.
        argv: What it sees as `sys.argv`.
    """

    def __init__(self, system: System, peer: Peer, code: str, argv: list[str]) -> None:
        """Not begun."""
        self._system = system
        self._peer = peer
        self._code = code
        self._argv = argv
        self._filename = f"<rpc {next(_numbers)}>"
        self._interruption = Interruption()
        self._interrupted = False
        self._input = channels.Input(peer, self._interruption)
        self._thread = threading.Thread(target=self._run, name=self._filename, daemon=True)

    @classmethod
    def begin(cls, system: System, peer: Peer, message: dict[str, Any]) -> Call:
        """Begin what a command asks for."""
        code, argv = message.get("code"), message.get("argv")
        words = [each for each in argv if isinstance(each, str)] if isinstance(argv, list) else []
        call = cls(system, peer, code if isinstance(code, str) else "", words)
        call._thread.start()
        return call

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

    def _run(self) -> None:
        """Run the code, and tell how it ended."""
        own = streams.Own(
            channels.reader(self._input),
            channels.writer(self._peer, "out", self._interruption),
            channels.writer(self._peer, "err", self._interruption),
            self._argv,
        )
        with streams.using(own):
            code = self._outcome()
            for stream in (own.stdout, own.stderr):
                with contextlib.suppress(Exception):
                    stream.flush()
        evaluate.forget(self._filename)
        self._peer.send({"end": code, "interrupted": self._interrupted})
        self._peer.finish()

    def _outcome(self) -> int:
        """Run the code, show what it raised, and give the exit code."""
        error: BaseException | None = None
        try:
            try:
                self._interruption.allow()
                self._execute()
            finally:
                self._interruption.end()
        except BaseException as raised:  # noqa: BLE001 - the code's own
            error = raised
        if error is None:
            return 0
        if isinstance(error, SystemExit):
            return leave.exit_code(error.code)
        leave.show(error)
        self._interrupted = type(error) is KeyboardInterrupt
        return _INTERRUPTED if self._interrupted else 1

    def _execute(self) -> None:
        namespace = {"__name__": "__main__", "__builtins__": builtins}
        compiled = evaluate.prepare(self._code, self._filename, namespace)
        if not evaluate.awaits(compiled):
            exec(compiled, namespace)  # noqa: S102 - what the command is for
            return
        coroutine: Coroutine[Any, Any, None] = eval(compiled, namespace)  # noqa: S307 - what the command is for
        loop = loops.find(self._system)
        awaited = self._await(coroutine) if loop is None else self._await_in(loop, coroutine)
        if awaited is not None and type(awaited).__name__ == "CancelledError":
            raise KeyboardInterrupt
        if awaited is not None:
            raise awaited

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
