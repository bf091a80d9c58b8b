"""What the applications of one node run on: the main thread, one event loop, signals, and the supervisor's inbox."""

from __future__ import annotations

from .inbox import Inbox
from .signals import Handlers
from .workers import Loop, MainWorker, Worker

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable

    from ..importer import IndexFinder


class Host:
    """What a node lends to its applications.

    Args:
        finder: Serves the release; None outside of one.
        signalled: Called by the supervisor with the number of a signal that has come.
        task_failed: Called by the supervisor with what a task of the event loop raised that nobody can catch.
    """

    def __init__(
        self,
        finder: IndexFinder | None,
        signalled: Callable[[int], None],
        task_failed: Callable[[BaseException], None],
    ) -> None:
        """Nothing runs yet. In the thread that is the main one."""
        self.finder = finder
        self.inbox = Inbox()
        self.main = MainWorker()
        self.owner: str | None = None
        """The application that the main thread belongs to."""
        self.all_async = False
        """Whether nothing but the event loop needs the main thread."""
        self.handlers = Handlers(
            lambda number: self.inbox.put(lambda: signalled(number)), lambda: self.main.works
        )
        self._task_failed = task_failed
        self._loop: Loop | None = None
        self._loop_answered = True

    def loop(self) -> Loop:
        """The event loop, which runs from now on."""
        if self._loop is None:
            worker = self.main if self.all_async and not self.main.busy else Worker("event loop")
            self._loop = Loop(worker, lambda error: self.inbox.put(lambda: self._task_failed(error)))
        return self._loop

    def event_loop(self) -> asyncio.AbstractEventLoop | None:
        """The event loop, if applications run in one."""
        return None if self._loop is None else self._loop.loop

    def is_loop(self) -> bool:
        """Whether the caller runs in the event loop."""
        return self._loop is not None and self._loop.is_here()

    def loop_answers(self) -> bool:
        """Whether the event loop has done what it was asked to do when this was called before; it is asked again."""
        answered = self._loop_answered
        if answered and self._loop is not None:
            self._loop_answered = False
            self._loop.ask(self._note_answer)
        return answered

    def _note_answer(self) -> None:
        self._loop_answered = True

    def close_loop(self, seconds: float) -> bool:
        """Stop the event loop, if there is one.

        Args:
            seconds: How long the tasks that are left may take.

        Returns:
            Whether the main thread can be used afterwards: a task may hold it up.
        """
        return self._loop is None or self._loop.close(seconds) is not self.main
