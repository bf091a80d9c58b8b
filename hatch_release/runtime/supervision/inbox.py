"""What happens to a node, taken one thing after the other by its supervisor, which waits nowhere else."""

from __future__ import annotations

import contextlib
import queue
import time
from concurrent.futures import Future

from . import systemd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Stopped(Exception):  # noqa: N818 - no error
    """The node is to stop."""


class Inbox:
    """A queue of what is to be done, which also knows whether the node is to stop."""

    def __init__(self) -> None:
        """Nothing has happened."""
        self.stop: Future[int] = Future()
        """The exit code, once the node is to stop."""
        self.watchdog = systemd.Watchdog(None)
        """Gives signs of life while nothing happens."""
        self._waiting: queue.SimpleQueue[Callable[[], object]] = queue.SimpleQueue()

    def put(self, what: Callable[[], object]) -> None:
        """Let the supervisor call `what`; from any thread, and from a signal's handler."""
        self._waiting.put(what)

    def request_stop(self, code: int) -> None:
        """Let the node stop, and exit with `code`; only the first request counts. For the supervisor."""
        if not self.stop.done():
            self.stop.set_result(code)

    def take(self, end: float | None = None) -> bool:
        """Do the next thing, and give signs of life meanwhile; false when nothing happens until `end`.

        Args:
            end: By `time.monotonic`; None: wait for ever.
        """
        while True:
            left = None if end is None else end - time.monotonic()
            if left is not None and left <= 0:
                return False
            limits = [each for each in (left, self.watchdog.left()) if each is not None]
            with contextlib.suppress(queue.Empty):
                self._waiting.get(timeout=min(limits, default=None))()
                return True

    def wait(self, future: Future[Any], seconds: float | None = None) -> bool:
        """Do what is to be done until `future` is; whether it is.

        Args:
            future: What is waited for.
            seconds: How long at most; None: until the node is to stop.

        Raises:
            Stopped: When the node is to stop, and there is no limit.
        """
        end = None if seconds is None else time.monotonic() + seconds
        future.add_done_callback(lambda _done: self.put(bool))
        while not future.done():
            if not self.take(end):
                return future.done()
            if end is None and self.stop.done() and not future.done():
                raise Stopped
        return True

    def empty(self) -> None:
        """Do what is left."""
        while not self._waiting.empty():
            self._waiting.get()()
