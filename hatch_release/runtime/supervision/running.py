"""Applications that run: each shape is started, watched and stopped in its own way.

`start` and `stop` are called by the supervisor and block it. `start` comes back when the application is ready, and
raises what went wrong. What ends by itself later is told to the node.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future, InvalidStateError

from . import shapes
from .workers import Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..payload import ApplicationSpec
    from .host import Host
    from .workers import Task

GRACE = 1.0
"""Seconds that an application has after it was cancelled."""


def settle(future: Future[None], error: BaseException | None = None) -> None:
    """Give a future its result, or `error`, unless it has one."""
    with contextlib.suppress(InvalidStateError):
        if error:
            future.set_exception(error)
        else:
            future.set_result(None)


class Running:
    """One application of a node.

    Args:
        host: What it runs on.
        spec: What the boot file says about it.
        target: What its `start` names, imported; None for a child process.
    """

    def __init__(self, host: Host, spec: ApplicationSpec, target: Any = None) -> None:  # noqa: ANN401 - the author's
        """Not started yet."""
        self.host = host
        self.spec = spec
        self.name = spec["name"]
        self.target = target
        self.ended: Future[Any] = Future()
        self.ready: Future[None] = Future()

    def start(self, tell: Callable[[Running, BaseException | None], None]) -> None:
        """Start it, and wait until it is ready.

        Args:
            tell: Called by the supervisor when it has ended, with its error if there is one.

        Raises:
            BaseException: What it raised.
            Stopped: When the node is to stop meanwhile.
        """
        self.ended, self.ready = Future(), Future()
        self.begin()
        self.host.inbox.wait(self.ready)
        self.ready.result()
        self.ended.add_done_callback(lambda ended: self.host.inbox.put(lambda: tell(self, ended.exception())))

    def _watch(self, future: Future[Any]) -> None:
        """Take the end of `future` as that of the application."""

        def copy(done: Future[Any]) -> None:
            error = done.exception()
            self.become_ready(error)
            (self.ended.set_exception(error) if error else self.ended.set_result(None))

        future.add_done_callback(copy)

    def become_ready(self, error: BaseException | None = None) -> None:
        """Let `start` come back, or raise `error`; only the first call counts."""
        settle(self.ready, error)

    def stop(self) -> bool:
        """Stop it: ask, wait its `shutdown` seconds, cancel, wait a little more; false when it goes on all the same."""
        if self.ended.done():
            return True
        self.ask()
        if self._ends_within(self.spec["shutdown"]):
            return True
        self.cancel()
        return self._ends_within(GRACE)

    def _ends_within(self, seconds: float) -> bool:
        return self.host.inbox.wait(self.ended, seconds)

    def holds(self, worker: Worker) -> bool:  # noqa: ARG002 - most run elsewhere
        """Whether it keeps a worker from everything else."""
        return False

    def begin(self) -> None:
        """Begin; `ready` and `ended` are set later."""
        raise NotImplementedError

    def ask(self) -> None:
        """Ask it to end."""
        raise NotImplementedError

    def cancel(self) -> None:
        """Interrupt it."""
        raise NotImplementedError


class _InWorker(Running):
    """What runs in a thread."""

    worker: Worker

    def holds(self, worker: Worker) -> bool:
        """Whether it runs in `worker`."""
        return self.worker is worker

    def cancel(self) -> None:
        """Raise SystemExit in the thread; in the main thread also while it waits in a call."""
        if self.worker is self.host.main and self.host.handlers.heard():
            self.host.handlers.throw(SystemExit(0))
        else:
            self.worker.throw(SystemExit)


class Context(_InWorker):
    """A context manager: entered it is started, left it is stopped, in one thread."""

    def begin(self) -> None:
        """Enter it."""
        main = self.host.main
        self.worker = Worker(self.name) if main.busy else main
        self._manager: Any = None
        self.worker.submit(self._enter).add_done_callback(self._entered)

    def _enter(self) -> None:
        self._manager = shapes.make(self.target)
        self._manager.__enter__()

    def _entered(self, future: Future[None]) -> None:
        error = future.exception()
        if error:
            self.ended.set_result(None)
            self.ready.set_exception(error)
        else:
            self.ready.set_result(None)

    def ask(self) -> None:
        """Leave it."""
        if not self.ready.done():  # it is being entered
            self.cancel()
            return
        if (
            self.worker is self.host.main and self.worker.busy
        ):  # a function goes on there that should have ended
            self.worker = Worker(self.name)
        self._watch(self.worker.submit(lambda: self._manager.__exit__(None, None, None)))


class Function(_InWorker):
    """A plain function, which runs until it is done; also one that gives a context manager or a coroutine."""

    def begin(self) -> None:
        """Call it: in the main thread when it is the only one of its kind."""
        self._stopping = threading.Event()
        self._inner: Task | None = None
        main = self.host.main
        self._in_main = self.host.owner == self.name and not main.busy
        self.worker = main if self._in_main else Worker(self.name)
        self.worker.busy = True
        self._watch(self.worker.submit(self._run, lambda: self.ready.set_result(None)))

    def _run(self) -> None:
        try:
            result = shapes.make(self.target)
            if hasattr(type(result), "__enter__"):
                with result:
                    self._stopping.wait()
            elif hasattr(type(result), "__aenter__") or hasattr(type(result), "__await__"):
                self._inner = self.host.loop().start(lambda: _entered_or_awaited(result))
                self._inner.future.result()
            elif self.spec["kind"] == "script":
                raise SystemExit(result)
        finally:
            self.worker.busy = False

    def ask(self) -> None:
        """Interrupt it, as ^C interrupts a program; what waits in a context manager is let go."""
        if self._stopping.is_set():
            return
        self._stopping.set()
        if self._inner is not None:
            self._inner.cancel()
        elif self._in_main:
            self.host.handlers.interrupt()
        else:
            self.worker.throw(SystemExit)


async def _entered_or_awaited(result: Any) -> None:  # noqa: ANN401 - what the function gave
    """Run a coroutine to its end, or stay in an async context manager until cancelled."""
    if hasattr(type(result), "__await__"):
        await result
        return
    import asyncio

    async with result:
        await asyncio.Event().wait()


class Coroutine(Running):
    """A coroutine function, a task of the node's event loop."""

    def begin(self) -> None:
        """Make the task."""
        self.task: Task = self.host.loop().start(self._main)
        self._watch(self.task.future)

    async def _main(self) -> None:
        import asyncio

        # It is called when the coroutine first waits for something.
        asyncio.get_running_loop().call_soon(self.become_ready)
        await self.target()

    def ask(self) -> None:
        """Cancel the task, the way coroutines are told to end."""
        self.task.cancel()

    cancel = ask


class AsyncContext(Coroutine):
    """An async context manager, entered and left by one task."""

    async def _main(self) -> None:
        import asyncio

        self._leave = asyncio.Event()
        async with shapes.make(self.target):
            self.ready.set_result(None)
            await self._leave.wait()

    def ask(self) -> None:
        """Leave it."""
        if self.ready.done():
            self.host.loop().call(self._leave.set)
        else:
            self.task.cancel()

    def cancel(self) -> None:
        """Cancel the task."""
        self.task.cancel()


KINDS: dict[str, type[Running]] = {
    shapes.CONTEXT: Context,
    shapes.ASYNC_CONTEXT: AsyncContext,
    shapes.COROUTINE: Coroutine,
    shapes.FUNCTION: Function,
}
"""What runs each shape."""
