"""Where the code of applications runs: the main thread, threads of their own, and one event loop for all.

Whoever waits for such code is the supervisor, which has a thread of its own (`supervisor.py`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import queue
import signal
import threading
from concurrent.futures import Future

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Coroutine
    from typing import Any, TypeVar

    T = TypeVar("T")
_PIPE_SIZE = 65536
"""Bytes that a pipe holds on Linux."""


def pass_on(home: int, error: BaseException | None = None) -> None:
    """Let a process that an application has forked end as it would without a node.

    It has a copy of this thread's stack and nothing else of the node: whatever waits for the application is not there.

    Args:
        home: The id of the process that runs the node.
        error: What the application's code has raised; none when it came back.

    Raises:
        BaseException: `error` or SystemExit, in every other process.
    """
    if os.getpid() != home:
        raise error or SystemExit


class Worker:
    """A thread that does one job after the other.

    Args:
        name: The thread's name, of one that is to be started; none for the thread that calls `work`.
    """

    def __init__(self, name: str = "") -> None:
        """Start the thread."""
        self._jobs: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self._home = os.getpid()
        self.busy = False
        """Whether a job runs that takes as long as its application."""
        self.works = False
        """Whether it is in code that `submit` was given."""
        self._ident = threading.get_ident()
        if name:
            thread = threading.Thread(target=self.work, name=name, daemon=True)
            thread.start()
            self._ident = thread.ident or 0

    def work(self) -> None:
        """Do jobs until `close`."""
        while (job := self._jobs.get()) is not None:
            job()
            del job

    def submit(self, function: Callable[[], T], begun: Callable[[], None] | None = None) -> Future[T]:
        """Let the thread call `function`.

        Args:
            function: What to do; whatever it raises is in the future.
            begun: Called in the thread before.
        """
        future: Future[T] = Future()

        def job() -> None:
            try:
                if begun:
                    begun()
                result = self._call(function)
            except BaseException as error:  # noqa: BLE001 - it is the application's, and told by the future
                pass_on(self._home, error)
                future.set_exception(error)
            else:
                pass_on(self._home)
                future.set_result(result)

        self._put(job)
        return future

    def _put(self, job: Callable[[], None] | None) -> None:
        self._jobs.put(job)

    def _call(self, function: Callable[[], T]) -> T:
        self.works = True
        try:
            return function()
        finally:
            self.works = False

    def throw(self, error: type[BaseException]) -> None:
        """Raise `error` in the thread, as soon as it runs Python code."""
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(self._ident), ctypes.py_object(error))

    def close(self) -> None:
        """End the thread when its jobs are done."""
        self._put(None)

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that `loop`, which runs in this thread, heeds signals."""


class MainWorker(Worker):
    """The main thread, which signals wake in every case.

    Python calls a signal's handler in the main thread, between two instructions. A signal that comes just before the
    thread waits would be heeded when it next wakes; so it waits for a pipe that signals are written to
    (`signal.set_wakeup_fd`), which tells of those too.
    """

    def __init__(self) -> None:
        """Nothing is set yet."""
        super().__init__()
        self._wake: tuple[int, int] | None = None
        """The pipe: its reading and its writing end."""

    def work(self) -> None:
        """Do jobs until `close`."""
        reading, writing = self._wake = os.pipe()
        os.set_blocking(writing, False)
        os.register_at_fork(after_in_child=self._forget)
        while True:
            # Programs that ran here, and their event loops, may have set their own.
            signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                os.read(reading, _PIPE_SIZE)
                continue
            if job is None:
                break
            job()
            del job
        self._forget()

    def _put(self, job: Callable[[], None] | None) -> None:
        super()._put(job)
        if self._wake:
            with contextlib.suppress(BlockingIOError):  # it is full of reasons to wake
                os.write(self._wake[1], b"\0")

    def listen(self, loop: asyncio.AbstractEventLoop) -> None:
        """See to it that `loop`, which runs in this thread, heeds signals."""
        if self._wake:
            reading, writing = self._wake
            loop.add_reader(reading, os.read, reading, _PIPE_SIZE)
            signal.set_wakeup_fd(writing, warn_on_full_buffer=False)

    def _forget(self) -> None:
        """Leave signals to others: at the end, and in a forked child, whose signals are its own."""
        if self._wake:
            before = signal.set_wakeup_fd(-1)
            if before not in {-1, self._wake[1]}:
                signal.set_wakeup_fd(before)
            self._wake = None  # open until the process ends: somebody may just be writing


class Loop:
    """An event loop that runs in a worker.

    Args:
        worker: Has nothing else to do from now on.
        failed: Called with what a task raises that asyncio lets nobody catch, as SystemExit.
    """

    def __init__(self, worker: Worker, failed: Callable[[BaseException], None]) -> None:
        """Start the loop."""
        import asyncio

        self._failed = failed
        self._home = os.getpid()
        self._thread: threading.Thread | None = None
        self.loop: asyncio.AbstractEventLoop = asyncio.new_event_loop()
        worker.busy = True
        self._worker = worker
        self._ended = worker.submit(self._run)

    def _run(self) -> None:
        import asyncio

        asyncio.set_event_loop(self.loop)
        self._thread = threading.current_thread()
        self._worker.listen(self.loop)
        try:
            while self._goes_on():
                pass
        finally:
            self._close()
            asyncio.set_event_loop(None)

    def _goes_on(self) -> bool:
        """Run until `close`, or until a task raises SystemExit: the other tasks then go on, to be stopped in order."""
        try:
            self.loop.run_forever()
        except BaseException as error:  # noqa: BLE001 - the application's
            pass_on(self._home, error)
            self._failed(error)
            return True
        return False

    def is_here(self) -> bool:
        """Whether the caller is a task of this loop, which must not wait."""
        return threading.current_thread() is self._thread

    def _close(self) -> None:
        """What `asyncio.run` does at its end."""
        import asyncio

        tasks = asyncio.all_tasks(self.loop)
        for task in tasks:
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        self.loop.close()

    def start(self, main: Callable[[], Coroutine[Any, Any, None]]) -> Task:
        """Run a coroutine function as a task of its own."""
        task = Task(self.loop)
        self.loop.call_soon_threadsafe(task.begin, main)
        return task

    def call(self, function: Callable[[], object]) -> None:
        """Call a function in the loop, soon."""
        self.loop.call_soon_threadsafe(function)

    def ask(self, answer: Callable[[], object]) -> None:
        """Have `answer` called in the loop, soon, if it runs; otherwise now: a closed one is not waited for."""
        try:
            self.loop.call_soon_threadsafe(answer)
        except RuntimeError:
            answer()

    def close(self, seconds: float) -> Worker | None:
        """Stop the loop and wait for its end, if that takes no longer than `seconds`; else give who it holds up."""
        import concurrent.futures

        self.loop.call_soon_threadsafe(self.loop.stop)
        concurrent.futures.wait([self._ended], seconds)
        self._worker.busy = not self._ended.done()
        return self._worker if self._worker.busy else None


class Task:
    """A task of the loop, seen from another thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """It begins when `begin` is called, in the loop."""
        self._loop = loop
        self._home = os.getpid()
        self._task: asyncio.Task[None] | None = None
        self._main: Any = None
        self.future: Future[None] = Future()

    def begin(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Make the task."""
        self._task = self._loop.create_task(self._run(main))

    async def _run(self, main: Callable[[], Coroutine[Any, Any, None]]) -> None:
        import asyncio

        try:
            await main()
        except asyncio.CancelledError:
            self.future.set_result(None)
        except BaseException as error:  # noqa: BLE001 - it is the application's, and told by the future
            pass_on(self._home, error)
            self.future.set_exception(error)
        else:
            pass_on(self._home)
            self.future.set_result(None)

    def cancel(self) -> None:
        """Cancel the task, from any thread."""

        def cancel() -> None:
            if self._task:
                self._task.cancel()

        self._loop.call_soon_threadsafe(cancel)
