"""Interrupting code that runs in a thread of its own, but never in the middle of what has to be done as a whole."""

from __future__ import annotations

import contextlib
import ctypes
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


_TURNS = 1000
"""Turns of a loop in which what was thrown at a thread has come for certain."""
_SOON = 0.005
"""Seconds after which code is interrupted that could not be at once."""


class Interruption:
    """What interrupts the code of one command."""

    def __init__(self) -> None:
        """Nothing can be interrupted yet."""
        self._lock = threading.Lock()
        self._thread = 0
        self._cancel: Callable[[], None] | None = None
        self._whole = False
        self._pending = False
        self._thrown = False
        self._wake: Callable[[], None] | None = None

    def is_here(self) -> bool:
        """Whether the caller is the thread that may be interrupted."""
        return threading.get_ident() == self._thread

    def allow(self, cancel: Callable[[], None] | None = None, thread: int | None = None) -> None:
        """From now on a thread may be interrupted.

        Args:
            cancel: Interrupts instead, while the thread waits for a task.
            thread: Which one; this one unless it is given.
        """
        with self._lock:
            self._thread, self._cancel = thread or threading.get_ident(), cancel

    def end(self) -> None:
        """From now on nothing is to be interrupted, and what was thrown and has not come yet is of no use."""
        while True:
            try:
                with self._lock:
                    self._thread = 0
                # It comes within a turn or two. Taking it back by `PyThreadState_SetAsyncExc` with NULL would leave the
                # interpreter with something pending for ever on Python 3.12 and older: slower, and on 3.11 any
                # profiler would hang.
                for _ in range(_TURNS if self._thrown else 0):
                    pass
            except KeyboardInterrupt:
                continue
            self._thrown = False
            return

    def request(self) -> None:
        """Interrupt: KeyboardInterrupt is raised in the thread, or its task cancelled. From any other thread."""
        with self._lock:
            if not self._thread:
                return
            if self._cancel is not None:
                self._cancel()
            elif self._whole:
                self._pending = True
                if self._wake is not None:
                    self._wake()
            else:
                self._thrown = True
                _throw(self._thread, KeyboardInterrupt)

    @contextlib.contextmanager
    def waiting(self, wake: Callable[[], None]) -> Iterator[None]:
        """In it, the thread waits, as a whole, for something that `wake` may end."""
        self._wake = wake
        try:
            yield
        finally:
            self._wake = None

    def is_pending(self) -> bool:
        """Whether the thread should have been interrupted meanwhile."""
        return self._pending

    def do(self, action: Callable[[], object]) -> None:
        """Do something as a whole, unless the thread was interrupted before.

        Args:
            action: Done entirely, or not at all; then KeyboardInterrupt is raised. It may raise that itself.

        Raises:
            KeyboardInterrupt: When nothing has been done.
        """
        done = False
        try:
            self._begin()
            action()
            done = True
            self._end()
        except KeyboardInterrupt:
            self._whole = False
            if not done:
                self._pending = False
                raise
            _soon(self.request)  # it came at the very end

    def _begin(self) -> None:
        with self._lock:
            pending, self._pending = self._pending, False
            self._whole = True
        if pending:
            raise KeyboardInterrupt

    def _end(self) -> None:
        with self._lock:
            self._whole = False
            pending = self._pending
        if pending:
            _soon(self._again)

    def _again(self) -> None:
        """Interrupt what could not be interrupted before, unless it has been since."""
        with self._lock:
            pending = self._pending and not self._whole
            if pending:
                self._pending = False
        if pending:
            self.request()


def _soon(function: Callable[[], None]) -> None:
    """Call a function in another thread, when this one has come back to the code of the command."""
    timer = threading.Timer(_SOON, function)
    timer.daemon = True
    timer.start()


def _throw(thread: int, error: type[BaseException]) -> None:
    """Raise an exception in a thread as soon as it runs Python code."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
