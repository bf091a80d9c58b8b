"""Signals of a node: they stop it in order, and programs that set handlers of their own keep them.

A server in the main thread sets its own handlers, and ends when a signal comes. The node has to know of the signal too,
so that it tells a server that was asked to end from one that gave up: `signal.signal` is made to put the node in front.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

STOPPING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_IMPATIENCE = 1.0
"""Seconds within which the third signal ends the process at once."""
_TOO_MANY = 3


class _Chained:
    """A program's own handler behind the node's."""

    def __init__(self, handlers: Handlers, own: Callable[[int, FrameType | None], Any]) -> None:
        self._handlers = handlers
        self.own = own

    def __call__(self, number: int, frame: FrameType | None) -> Any:  # noqa: ANN401 - the program's own
        """Tell the node, then the program."""
        self._handlers.arrived(number)
        return self.own(number, frame)


class Handlers:
    """The handlers of one node, in the process that made it.

    Args:
        tell: Called with the number of each signal that arrives, in the main thread, between any two instructions.
    """

    def __init__(self, tell: Callable[[int], None]) -> None:
        """Nothing is changed yet."""
        self._tell = tell
        self._pid = os.getpid()
        self._times: list[float] = []
        self._interruption: BaseException | None = None
        self.delivered = False
        """Whether a program's own handler has been called."""

    def install(self) -> None:
        """Set the handlers, and put the node in front of those that come later. In the main thread."""
        before = {number: signal.getsignal(number) for number in STOPPING}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # nohup, and what a shell starts in the background
                signal.signal(number, self._handle)
        set_handler, get_handler = signal.signal, signal.getsignal

        def chained(signalnum: int, handler: Any) -> Any:  # noqa: ANN401 - as the standard library's
            if signalnum in STOPPING and callable(handler) and handler is not signal.default_int_handler:
                handler = _Chained(self, handler)
            return _unchained(set_handler(signalnum, handler))

        signal.signal = chained
        signal.getsignal = lambda signalnum: _unchained(get_handler(signalnum))

        def forget() -> None:
            for number, handler in before.items():
                if get_handler(number) == self._handle:
                    set_handler(number, handler)

        os.register_at_fork(after_in_child=forget)  # a forked child has no node

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        interruption, self._interruption = self._interruption, None
        if interruption is not None:
            raise interruption
        self.arrived(number, own=False)

    def arrived(self, number: int, *, own: bool = True) -> None:
        """Note a signal, and end at once when somebody is impatient."""
        if os.getpid() != self._pid:
            return
        self.delivered = self.delivered or own
        self._times.append(time.monotonic())
        if len(self._times) >= _TOO_MANY and self._times[-1] - self._times[-_TOO_MANY] <= _IMPATIENCE:
            os._exit(128 + number)
        self._tell(number)

    def interrupt(self, error: BaseException) -> None:
        """Ask the program in the main thread to end: by its own handler of SIGTERM, or by raising `error` in it."""
        if self.owned():
            if self.delivered:
                return
            self.delivered = True
        else:
            self._interruption = error
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def owned(self) -> bool:
        """Whether the program in the main thread handles SIGTERM itself."""
        return signal.getsignal(signal.SIGTERM) != self._handle


def _unchained(handler: Any) -> Any:  # noqa: ANN401 - as the standard library's
    """A program is told of its own handler."""
    return handler.own if isinstance(handler, _Chained) else handler
