"""The node: starts the applications of a release in order, keeps them running, and stops them in the opposite order.

The main thread belongs to what needs it: the only plain function there is, else context managers, else the event loop.
So all that decides is done by a thread of its own, the supervisor. It takes what happens, one after the other, from one
queue: an application is ready or has ended, a signal has come, somebody asks to stop.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import signal
import threading
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from .. import leave
from ..errors import ReleaseError
from . import events, kept, loading, policy, shapes, systemd
from .running import KINDS, Running
from .signals import Handlers
from .workers import Loop, MainWorker, Worker

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from ..bootfile import ApplicationSpec
    from ..importer import IndexFinder

_HANGUP = 129
_LOOP_SECONDS = 2.0
"""How long the tasks that are left may take when the event loop is closed."""


class Stopped(Exception):  # noqa: N818 - no error
    """The node is to stop."""


class Node:
    """The applications of one process.

    Args:
        specs: All applications of the release, in start order.
        finder: Serves the release; None outside of one.
    """

    def __init__(self, specs: Sequence[ApplicationSpec], finder: IndexFinder | None = None) -> None:
        """Nothing is started."""
        self.specs = {spec["name"]: spec for spec in specs}
        self.finder = finder
        self.main = MainWorker()
        self.handlers = Handlers(
            lambda number: self._events.put(lambda: self._signalled(number)), lambda: self.main.works
        )
        self.owner: str | None = None
        """The application that the main thread belongs to."""
        self.running: dict[str, Running] = {}
        """What is started, in order."""
        self.started = False
        """Whether everything has been started that was to be."""
        self.restarting = False
        """Whether the system is to start anew when it has stopped."""
        self._asked = False
        """Whether somebody has asked for the stop."""
        self._events: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()
        self._stop: Future[int] = Future()
        self._loop: Loop | None = None
        self._policy = policy.Policy()
        self._watchdog = systemd.Watchdog(None)
        self._loop_answered = True
        self._all_async = False
        self._lost_main = False

    def run(self, order: Sequence[Running]) -> int:
        """Start applications, keep them running until the end, and give the exit code. In the main thread.

        Args:
            order: What `prepare` gave.
        """
        events.prepare()
        self.handlers.install()
        supervisor = threading.Thread(target=self.supervise, args=(order,), name="supervisor", daemon=True)
        supervisor.start()
        self.main.work()
        supervisor.join()
        return self._stop.result()

    def serve(self) -> threading.Thread:
        """Start the supervisor beside a main thread that has work of its own, and give its thread."""
        events.prepare(logging.WARNING)
        self.main.busy = True
        supervisor = threading.Thread(target=self.supervise, args=((),), name="supervisor", daemon=True)
        supervisor.start()
        return supervisor

    def start_more(self, names: Sequence[str]) -> Future[list[str]]:
        """Start more applications, from any thread; the future holds what was not started before.

        Args:
            names: In start order, imported already.
        """
        done: Future[list[str]] = Future()

        def start() -> None:
            fresh = [name for name in names if name not in self.running]
            try:
                if self._stop.done():
                    raise ReleaseError("the system stops: nothing more is started")  # noqa: TRY301 - handed over below
                for name in fresh:
                    self._start_strictly(loading.make(self, self.specs[name]))
            except BaseException as error:  # noqa: BLE001 - handed to whoever asked
                done.set_exception(error)
            else:
                done.set_result(fresh)

        self._events.put(start)
        return done

    def _start_strictly(self, application: Running) -> None:
        """Start one for somebody who is told when that fails."""
        self.running[application.name] = application
        try:
            application.start()
        except BaseException:
            application.stop()  # as far as it came
            self.running.pop(application.name)
            raise
        events.tell("%s started", application.name, event="started", application=application.name)

    def prepare(self, names: Sequence[str]) -> list[Running]:
        """Import what is to be started, and settle whose the main thread is.

        Args:
            names: In start order.

        Raises:
            LoadError: When one can't be imported.
        """
        order = [loading.make(self, self.specs[name]) for name in names]
        functions = [each.name for each in order if isinstance(each, KINDS[shapes.FUNCTION])]
        self.owner = functions[0] if len(functions) == 1 else None
        synchronous = (KINDS[shapes.FUNCTION], KINDS[shapes.CONTEXT])
        self._all_async = not any(isinstance(each, synchronous) for each in order)
        return order

    def stop(self, code: int = 0) -> None:
        """Ask for an ordered stop, from any thread.

        Args:
            code: The exit code; one other than 0 tells of a failure.
        """
        self._asked = self._asked or code == 0
        self._events.put(lambda: self._request(code))

    def restart(self) -> None:
        """Ask for an ordered stop and a start in the same process, from any thread."""
        self.restarting = True
        self.stop()

    def note_end(self, application: Running, error: BaseException | None) -> None:
        """Take note, from any thread, that an application has ended."""
        self._events.put(lambda: self._ended(application, error))

    def wait(self, future: Future[Any], seconds: float | None = None) -> bool:
        """Take what happens until `future` is done; whether it is. For the supervisor.

        Args:
            future: What is waited for.
            seconds: How long at most; None: until the node is to stop, which raises Stopped.
        """
        end = None if seconds is None else time.monotonic() + seconds
        future.add_done_callback(lambda _done: self._events.put(bool))
        while not future.done():
            if not self._take(end):
                return future.done()
            if end is None and self._stop.done() and not future.done():
                raise Stopped
        return True

    def _take(self, end: float | None) -> bool:
        """Take the next thing that happens, and give signs of life meanwhile; false when nothing does until `end`."""
        while True:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return False
            limits = [each for each in (left, self._watchdog.left()) if each is not None]
            with contextlib.suppress(queue.Empty):
                self._events.get(timeout=min(limits, default=None))()
                return True

    def loop(self) -> Loop:
        """The event loop, which runs from now on."""
        if self._loop is None:
            worker = self.main if self._all_async and not self.main.busy else Worker("event loop")
            self._loop = Loop(worker, lambda error: self._events.put(lambda: self._task_failed(error)))
        return self._loop

    def event_loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop, if applications run in one."""
        return None if self._loop is None else self._loop.loop

    def is_loop(self) -> bool:
        """Whether the caller runs in the event loop."""
        return self._loop is not None and self._loop.is_here()

    def supervise(self, order: Sequence[Running]) -> None:
        """Start, watch, and stop; then let the main thread go."""
        self._watchdog = kept.watchdog(self._loop_answers)
        try:
            self._start_all(order)
            self._watch()
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - a mistake of ours: nothing may keep on running
            events.tell("the node failed", event="failed", level=logging.CRITICAL, error=error)
            self._request(1)
        try:
            self._stop_all()
        finally:
            if self._lost_main:
                leave.abandon(self._stop.result())
            self.main.close()

    def _start_all(self, order: Sequence[Running]) -> None:
        """Start applications one after the other, each ready before the next."""
        for application in order:
            self._start(application)
        self.started = True
        systemd.notify("READY=1")
        self._watchdog = systemd.Watchdog(systemd.watchdog_interval(), self._loop_answers)
        events.tell("started: %s", ", ".join(self.running) or "nothing", event="ready")

    def _loop_answers(self) -> bool:
        """Whether the event loop has done what it was asked to do when this was called before; it is asked again."""
        answered = self._loop_answered
        if answered and self._loop is not None:
            self._loop_answered = False
            self._loop.ask(self._note_answer)
        return answered

    def _note_answer(self) -> None:
        self._loop_answered = True

    def _start(self, application: Running) -> None:
        """Start one; what fails stops the node unless its mode says otherwise."""
        self.running[application.name] = application
        try:
            application.start()
        except Stopped:
            raise
        except BaseException as error:  # noqa: BLE001 - it is the application's
            application.stop()  # as far as it came
            self._conclude(application, error, "failed to start")
        else:
            events.tell("%s started", application.name, event="started", application=application.name)
        if self._stop.done():
            raise Stopped

    def _watch(self) -> None:
        """Take what happens, until the node is to stop."""
        while not self._stop.done():
            self._take(None)

    def _request(self, code: int) -> None:
        if not self._stop.done():
            self._stop.set_result(code)

    def _signalled(self, number: int) -> None:
        """A signal has come: the first stops the node."""
        name = signal.Signals(number).name
        again = self._stop.done()
        self._asked = True
        events.tell("%s received%s", name, " again" if again else ", stopping", event="signal")
        self._request(_HANGUP if number == signal.SIGHUP else 0)

    def _task_failed(self, error: BaseException) -> None:
        """A task that is no application asks the whole system to end."""
        events.tell(
            "a task raised %s, stopping", events.in_words(error), event="task_failed", level=logging.WARNING
        )
        self._request(leave.exit_code(error.code) if isinstance(error, SystemExit) else 1)

    def _ended(self, application: Running, error: BaseException | None) -> None:
        """An application has ended by itself."""
        if self.running.get(application.name) is not application or self._stop.done():
            return
        if isinstance(error, SystemExit):  # it asks the whole system to end
            self.running.pop(application.name)
            self._request(leave.exit_code(error.code))
        else:
            self._conclude(application, error, "failed" if error else "ended")

    def _conclude(self, application: Running, error: BaseException | None, what: str) -> None:
        """Draw the conclusions from an application's end."""
        self.running.pop(application.name, None)
        decision = self._policy.decide(application.spec, failed=error is not None)
        events.tell_end(application.spec, error, what, decision)
        if decision == policy.STOP:
            self._request(1)
        elif decision == policy.RESTART:
            self._start(application)

    def _stop_all(self) -> None:
        """Stop what is started, in the opposite order, and the event loop."""
        systemd.notify("STOPPING=1")
        if self._asked and not self.restarting:
            kept.stop_requested()
        for application in reversed(list(self.running.values())):
            self._stop_one(application)
        if self._loop is not None:
            self._loop.close(_LOOP_SECONDS)
        while not self._events.empty():
            self._events.get()()  # who asks for more now is told that the system stops
        events.tell("stopped", event="stopped")

    def _stop_one(self, application: Running) -> None:
        ended = application.stop()
        self.running.pop(application.name, None)
        if ended:
            events.tell_stopped(application.name, application.ended.exception())
            return
        if application.holds(self.main):
            self._lost_main = self.main.busy = True
        events.tell_abandoned(application.spec)
