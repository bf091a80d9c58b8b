"""The keeper: starts the system, takes what it tells, passes signals on, and brings it back where heart is wanted.

One process, one thread, and one loop that waits for whatever comes first.
"""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` takes long to make enumerations of it
import os
import select
import time

from . import notices as words
from .life import Life

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType

    from .console import Console, Sources
    from .foreground import Foreground
    from .heart import Heart
    from .life import Start
    from .name_lock import NameLock
    from .notices import Notices
    from .report import Report

_FORWARDED = (
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGWINCH,
)
_STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_GRACE = 0.25
"""Seconds that a console script has to fail after it was called, before it counts as started."""
_SIZE = 4096


class Keeper:
    """Keeps one system until it ends for good.

    Args:
        start: How the system is started.
        notices: What the system tells.
        console: What it writes.
        heart: When it is brought back; None: never.
        lock: The name that is held.
        report: Who waits for the system to start.
    """

    def __init__(  # noqa: PLR0913 - its parts
        self,
        start: Start,
        notices: Notices,
        console: Console | Foreground,
        *,
        heart: Heart | None,
        lock: NameLock | None,
        report: Report,
    ) -> None:
        """Nothing is started."""
        self._start = start
        self._notices = notices
        self._console = console
        self._heart = heart
        self._lock = lock
        self._report = report
        self._life: Life | None = None
        self._ready = False
        self._proven = False
        """Whether the system has ever started: what never has is not brought back."""
        self._called: float | None = None
        self._stopped = False
        """Whether the keeper itself was told to stop: from then on nothing comes back."""
        self._requested = False
        """Whether the system has said that its stop was asked for; a restart of it begins anew."""
        self._again: float | None = None
        self._signals: list[int] = []
        self.follow_size = False
        """Whether the system wants to know (SIGWINCH) that its terminal has another size, as a REPL does."""
        self.status = 0
        """How the system ended: its exit code, or the number of a signal, negative."""

    def run(self) -> None:
        """Keep the system until it ends for good."""
        self._listen()
        self._begin()
        while self._life is not None or self._again is not None:
            self._turn()
        self._console.close()
        self._notices.close()
        if self._lock:
            self._lock.release()

    def _listen(self) -> None:
        """Let signals be taken by the loop."""
        self._wakeup, write = os.pipe()
        for descriptor in (self._wakeup, write):
            os.set_blocking(descriptor, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        for number in (*_FORWARDED, signal.SIGCHLD):
            signal.signal(number, self._signalled)

    def _signalled(self, number: int, _frame: FrameType | None) -> None:
        self._signals.append(number)

    def _turn(self) -> None:
        """Wait for what comes first, and see to it."""
        sources: Sources = {
            self._wakeup: (select.POLLIN, lambda: os.read(self._wakeup, _SIZE)),
            self._notices.fileno(): (select.POLLIN, self._hear),
            **self._console.sources(),
        }
        poll = select.poll()
        for descriptor, (events, _) in sources.items():
            poll.register(descriptor, events)
        for descriptor, _ in poll.poll(self._patience()):
            sources[descriptor][1]()
        if self._console.resized() and self.follow_size and self._life:
            self._life.signal(signal.SIGWINCH)
        self._take_signals()
        self._look_at_the_clock()

    def _patience(self) -> float | None:
        """Milliseconds until something is due."""
        now = time.monotonic()
        due = [each - now for each in (self._again, self._called) if each is not None]
        lefts = (self._console.left(), self._heart.left() if self._heart else None)
        due += [each for each in lefts if each is not None]
        return max(min(due), 0) * 1000 + 1 if due else None

    def _look_at_the_clock(self) -> None:
        """Do what is due."""
        now = time.monotonic()
        if self._called is not None and now >= self._called:
            self._started()
        if self._again is not None and now >= self._again:
            self._begin()
        left = self._heart.left() if self._heart else None
        if self._heart and self._life and left is not None and left <= 0:
            self._heart.rest()
            self._console.note(f"no sign of life for {self._heart.timeout:g} s: the system is killed")
            self._life.signal(signal.SIGKILL)

    def _begin(self) -> None:
        """Begin a life of the system."""
        self._again = None
        self._ready = False
        self._console.begin()
        self._life = Life(self._start)
        if self._lock:
            self._lock.write(self._life.pid)
        if self._heart:
            self._heart.beat()

    def _take_signals(self) -> None:
        """Pass on the signals that have come, and see who has ended."""
        numbers, self._signals = self._signals, []
        for number in numbers:
            if number == signal.SIGCHLD:
                self._reap()
                continue
            self._stopped = self._stopped or number in _STOPPING
            if self._life:
                if self._console.forwards(number):
                    self._life.signal(number)
            elif self._stopped and self._again is not None:
                self._again = None
                self._console.note("the system is not started again: a stop was asked for")

    def _reap(self) -> None:
        """Collect the children that have ended: the system, and as process 1 of a container whatever is left over."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if self._life and pid == self._life.pid:
                self._hear()
                self._life.status = os.waitstatus_to_exitcode(status)
                life, self._life = self._life, None
                self._ended(life)

    def _hear(self) -> None:
        """Take what the system tells."""
        if self._life is None:
            return
        for name, value in self._notices.take(self._life.pid):
            if self._heart and name in {"WATCHDOG", "READY"}:
                self._heart.beat()
            if name == "READY":
                self._requested = False
                self._started()
            elif name == words.CALLED:
                self._requested = False
                self._called = time.monotonic() + _GRACE
            elif name == words.REQUESTED:
                self._requested = True
            if name not in words.OURS:
                words.pass_on(name, value)

    def _started(self) -> None:
        """The system has started."""
        self._called = None
        if self._ready:
            return
        self._ready = True
        if self._proven:
            self._console.note("the system has started again")
        self._proven = True
        self._report.started()

    def _ended(self, life: Life) -> None:
        """The system has ended: for good, or to be brought back."""
        self._console.drain()
        self.status = life.status or 0
        called, self._called = self._called is not None, None
        if self._heart:
            self._heart.rest()
        if not self._proven and not (called and self.status == 0):
            self._report.failed(
                "it was stopped" if self._stopped or self._requested else f"it {life.in_words()}"
            )
            self._console.end(f"the system {life.in_words()} before it had started")
            return
        self._report.started()
        what = f"the system {life.in_words()}"
        if self._stopped or self._requested or life.ended_by_request() or self._heart is None:
            self._console.end(what)
            return
        life.clear()
        delay = self._heart.next(time.monotonic() - life.began)
        if delay is None:
            self._console.note(f"{what}: it is given up after {self._heart.limit} restarts in a row")
            return
        count = f"restart {self._heart.count} of {self._heart.limit} in a row"
        self._console.note(f"{what}: it is started again in {delay:g} s ({count})")
        self._again = time.monotonic() + delay
