"""Running code that was typed: in the caller's thread, or in the application's event loop when it awaits."""

from __future__ import annotations

import contextlib
import threading
from contextvars import copy_context

from .. import evaluate

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine
    from types import CodeType
    from typing import Any

    from .interruption import Interruption


class Runner:
    """Runs code of one command or shell.

    Args:
        loop: Finds the application's event loop, if it has one.
        interruption: What interrupts the code.
    """

    def __init__(
        self, loop: Callable[[], asyncio.AbstractEventLoop | None], interruption: Interruption
    ) -> None:
        """Nothing runs."""
        self._loop = loop
        self._interruption = interruption

    def __call__(self, compiled: CodeType, namespace: dict[str, Any]) -> None:
        """Run compiled code.

        Args:
            compiled: May be that of a coroutine.
            namespace: Where it runs.
        """
        if not evaluate.awaits(compiled):
            exec(compiled, namespace)  # noqa: S102 - what the command is for
            return
        coroutine: Coroutine[Any, Any, None] = eval(compiled, namespace)  # noqa: S307 - what the command is for
        loop = self._loop()
        raised = self._await(coroutine) if loop is None else self._await_in(loop, coroutine)
        self._interruption.allow()
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
        from concurrent.futures import Future

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
