"""The node: starts the applications of a release in order, keeps them running, and stops them in the opposite order.

The main thread belongs to what needs it: the only plain function there is, else context managers, else the event loop.
So all that decides is done by a thread of its own, the supervisor. It takes what happens, one after the other, from one
inbox: an application is ready or has ended, a signal has come, somebody asks to stop.
"""

from __future__ import annotations

import logging
import signal
import threading
from concurrent.futures import Future

from .. import ending, leave
from ..bootfile import STARTED
from ..errors import ReleaseError
from . import events, kept, loading, policy, shapes, systemd
from .host import Host
from .inbox import Stopped
from .running import KINDS, Running

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..importer import IndexFinder
    from ..payload import ApplicationSpec

_HANGUP = 129
_LOOP_SECONDS = 2.0
"""How long the tasks that are left may take when the event loop is closed."""
_ASKED_FOR = "temporary"
"""The mode of what is started because somebody asks for it: the program that did goes on without."""


class Node:
    """The applications of one process.

    Args:
        specs: All applications of the release, in start order.
        finder: Serves the release; None outside of one.
    """

    def __init__(self, specs: Sequence[ApplicationSpec], finder: IndexFinder | None = None) -> None:
        """Nothing is started. In the main thread, unless that has work of its own."""
        self.specs = {spec["name"]: spec for spec in specs}
        self.host = Host(finder, self._signalled, self._task_failed)
        """What its applications run on."""
        self.running: dict[str, Running] = {}
        """What is started, in order."""
        self.started = False
        """Whether all has been started that was to be."""
        self.restarting = False
        """Whether the system is to start anew when it has stopped."""
        self._inbox = self.host.inbox
        self._stop = self._inbox.stop
        self._asked = False
        """Whether somebody has asked for the stop."""
        self._beside = False
        """Whether the process is another program's, as in `eval`."""
        self._policy = policy.Policy()
        self._lost_main = False
        self._sockets = systemd.Sockets()

    def run(self, order: Sequence[Running]) -> int:
        """Start applications, keep them running until the end, and give the exit code. In the main thread.

        Args:
            order: What `prepare` gave.
        """
        events.prepare()
        self.host.handlers.install()
        supervisor = threading.Thread(target=self._supervise, args=(order,), name="supervisor", daemon=True)
        supervisor.start()
        self.host.main.work()
        supervisor.join()
        if self.restarting:
            self._sockets.restore(anyhow=True)
        return self._stop.result()

    def serve(self) -> threading.Thread:
        """Start the supervisor beside a main thread that has work of its own, and give its thread."""
        events.prepare(logging.WARNING)
        self._beside = self.host.main.busy = True
        supervisor = threading.Thread(target=self._supervise, args=((),), name="supervisor", daemon=True)
        supervisor.start()
        return supervisor

    def prepare(self, names: Sequence[str]) -> list[Running]:
        """Import what is to be started, and settle whose the main thread is.

        Args:
            names: In start order.

        Raises:
            LoadError: When one can't be imported.
        """
        order = [loading.make(self.host, self.specs[name]) for name in names]
        functions = [each.name for each in order if isinstance(each, KINDS[shapes.FUNCTION])]
        self.host.owner = functions[0] if len(functions) == 1 else None
        synchronous = (KINDS[shapes.FUNCTION], KINDS[shapes.CONTEXT])
        self.host.all_async = not any(isinstance(each, synchronous) for each in order)
        return order

    def start_more(self, names: Sequence[str]) -> Future[list[str]]:
        """Start more applications, from any thread; the future holds what was not started before.

        Args:
            names: In start order, imported already.
        """
        done: Future[list[str]] = Future()

        def start() -> None:
            fresh = [name for name in names if name not in self.running]
            try:
                for name in fresh:
                    self._start_strictly(name)
            except BaseException as error:  # noqa: BLE001 - handed to whoever asked
                done.set_exception(error)
            else:
                done.set_result(fresh)

        self._inbox.put(start)
        return done

    def _start_strictly(self, name: str) -> None:
        """Start one for somebody who is told when that fails."""
        spec = self.specs[name]
        if self._beside or spec["mode"] not in STARTED:
            spec = {**spec, "mode": _ASKED_FOR}
        application = loading.make(self.host, spec)
        self.running[name] = application
        try:
            if self._stop.done():
                raise Stopped  # noqa: TRY301 - as if it had come while the application starts
            application.start(self._ended)
        except BaseException as error:
            application.stop()  # as far as it came
            self.running.pop(name)
            if isinstance(error, Stopped):
                raise ReleaseError(f"the system stops: {name} is not started") from None
            raise
        events.tell("%s started", name, event="started", application=name)

    def stop(self, code: int = 0) -> None:
        """Ask for an ordered stop, from any thread.

        Args:
            code: The exit code; one other than 0 tells of a failure.
        """
        self._asked = self._asked or code == 0
        self._inbox.put(lambda: self._inbox.request_stop(code))

    def restart(self) -> None:
        """Ask for an ordered stop and a start in the same process, from any thread."""
        self.restarting = True
        self.stop()

    def restarts(self, name: str) -> int:
        """How often an application was started again."""
        return self._policy.counts.get(name, 0)

    def _supervise(self, order: Sequence[Running]) -> None:
        """Start, watch, and stop; then let the main thread go."""
        self._inbox.watchdog = kept.watchdog(self.host.loop_answers)
        try:
            self._start_all(order)
            while not self._stop.done():
                self._inbox.take()
        except Stopped:
            pass
        except BaseException as error:  # noqa: BLE001 - a mistake of ours: nothing may keep on running
            events.tell("the node failed", event="failed", level=logging.CRITICAL, error=error)
            self._inbox.request_stop(1)
        try:
            self._stop_all()
        finally:
            if self._lost_main:
                self._end_without_main()
            self.host.main.close()

    def _end_without_main(self) -> None:
        """End the process, or start anew, where the main thread can't."""
        if self.restarting and self.host.finder is not None:
            self._sockets.restore(anyhow=True)
            ending.start_anew(self.host.finder)
        leave.abandon(self._stop.result())

    def _start_all(self, order: Sequence[Running]) -> None:
        """Start applications one after the other, each ready before the next."""
        for application in order:
            self._start(application)
        self.started = True
        events.tell("started: %s", ", ".join(self.running) or "nothing", event="ready")
        systemd.notify("READY=1")  # after the log says so: who waits for this may look there
        self._inbox.watchdog = systemd.Watchdog(systemd.watchdog_interval(), self.host.loop_answers)

    def _start(self, application: Running) -> None:
        """Start one, and again as often as it may; what fails for good stops the node unless its mode says otherwise.

        Raises:
            Stopped: When the node is to stop.
        """
        self.running[application.name] = application
        again = True
        while again:
            self._sockets.restore()
            try:
                application.start(self._ended)
            except Stopped:
                raise
            except BaseException as error:  # noqa: BLE001 - it is the application's
                application.stop()  # as far as it came
                again = self._conclude(application, error, "failed to start")
            else:
                again = False
                events.tell("%s started", application.name, event="started", application=application.name)
            if self._stop.done():
                raise Stopped

    def _signalled(self, number: int) -> None:
        """A signal has come: the first stops the node."""
        name = signal.Signals(number).name
        again = self._stop.done()
        self._asked = True
        self._tell_keeper()  # before anybody is told: the system may be killed at once
        events.tell("%s received%s", name, " again" if again else ", stopping", event="signal")
        self._inbox.request_stop(_HANGUP if number == signal.SIGHUP else 0)

    def _task_failed(self, error: BaseException) -> None:
        """A task that is no application asks the whole system to end."""
        events.tell(
            "a task raised %s, stopping", events.in_words(error), event="task_failed", level=logging.WARNING
        )
        self._inbox.request_stop(leave.exit_code(error.code) if isinstance(error, SystemExit) else 1)

    def _ended(self, application: Running, error: BaseException | None) -> None:
        """An application has ended by itself."""
        if self.running.get(application.name) is not application or self._stop.done():
            return
        if isinstance(error, SystemExit):  # it asks the whole system to end
            self.running.pop(application.name)
            self._inbox.request_stop(leave.exit_code(error.code))
        elif self._conclude(application, error, "failed" if error else "ended"):
            self._start(application)

    def _conclude(self, application: Running, error: BaseException | None, what: str) -> bool:
        """Draw the conclusions from an application's end; whether it is to be started again, in its old place."""
        decision = self._policy.decide(application.spec, failed=error is not None)
        events.tell_end(application.spec, error, what, decision)
        if decision == policy.RESTART:
            return True
        self.running.pop(application.name, None)
        if decision == policy.STOP:
            self._inbox.request_stop(1)
        return False

    def _stop_all(self) -> None:
        """Stop what is started, in the opposite order, and the event loop."""
        systemd.notify("STOPPING=1")
        self._tell_keeper()
        for application in reversed(list(self.running.values())):
            self._stop_one(application)
        self._lost_main |= not self.host.close_loop(_LOOP_SECONDS)
        self._inbox.empty()  # who asks for more now is told that the system stops
        events.tell("stopped", event="stopped")

    def _tell_keeper(self) -> None:
        """Let the keeper know of a stop that was asked for."""
        if self._asked and not self.restarting:
            kept.stop_requested()

    def _stop_one(self, application: Running) -> None:
        ended = application.stop()
        self.running.pop(application.name, None)
        if ended:
            events.tell_stopped(application.name, application.ended.exception())
            return
        if application.holds(self.host.main):
            self._lost_main = self.host.main.busy = True
        events.tell_abandoned(application.spec)
