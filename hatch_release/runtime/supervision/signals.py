"""Signals of a node: they stop it in order, and programs that set handlers of their own keep them.

A server in the main thread sets its own handlers, and ends when a signal comes. The node has to know of the signal too,
so that it tells a server that was asked to end from one that gave up: `signal.signal` is made to put the node in front.
"""

from __future__ import annotations

import os
import signal
import threading
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any

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
        self._handlers.raise_pending()
        self._handlers.arrived(number)
        return self.own(number, frame)


class Handlers:
    """The handlers of one node, in the process that made it.

    Args:
        tell: Called with the number of each signal that arrives, in the main thread, between any two instructions.
        works: Whether the main thread runs an application's code, where an exception may be raised.
    """

    def __init__(self, tell: Callable[[int], None], works: Callable[[], bool]) -> None:
        """Nothing is changed yet."""
        self._tell = tell
        self._works = works
        self._pid = os.getpid()
        self._times: list[float] = []
        self._seen: list[int] = []
        self._sent: int | None = None
        """What the node itself has sent the main thread."""
        self._interruption: BaseException | None = None
        self._unnoted = False
        """Whether the next signal is one that the node knows of."""
        self.delivered = False
        """Whether a program's own handler has been called."""

    def install(self) -> None:
        """Set the handlers, and put the node in front of those that come later. In the main thread."""
        before = {number: signal.getsignal(number) for number in STOPPING}
        for number, handler in before.items():
            if handler is not signal.SIG_IGN:  # nohup, and what a shell starts in the background
                signal.signal(number, self._handle)
        originals = signal.signal, signal.getsignal, signal.raise_signal
        self._replace(*originals)

        def forget() -> None:
            signal.signal, signal.getsignal, signal.raise_signal = originals
            for number, handler in before.items():
                if signal.getsignal(number) == self._handle:
                    signal.signal(number, handler)

        os.register_at_fork(after_in_child=forget)  # a forked child has no node

    def _replace(self, set_handler: Any, get_handler: Any, raise_signal: Any) -> None:  # noqa: ANN401 - functions
        """Put the node in front of the handlers that programs set; what they take away becomes the node's again."""

        def chained(signalnum: int, handler: Any) -> Any:  # noqa: ANN401 - as the standard library's
            if signalnum in STOPPING:
                # What asyncio sets when a loop is closed, and what uvicorn puts back.
                if handler in (signal.SIG_DFL, signal.default_int_handler, self._handle):
                    handler = self._handle
                # What handles SIGHUP itself means something else by it: gunicorn loads its configuration again.
                elif callable(handler) and signalnum != signal.SIGHUP:
                    handler = _Chained(self, handler)
            return _unchained(set_handler(signalnum, handler))

        def raised(signalnum: int) -> None:
            # uvicorn raises what it has received once more when it has ended.
            self._unnoted = signalnum in self._seen or signalnum == self._sent
            raise_signal(signalnum)

        signal.signal, signal.raise_signal = chained, raised
        signal.getsignal = lambda signalnum: _unchained(get_handler(signalnum))

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        self.raise_pending()
        self.arrived(number, own=False)

    def raise_pending(self) -> None:
        """Raise what the application in the main thread is interrupted with; for the handler of a signal."""
        interruption, self._interruption = self._interruption, None
        if interruption is not None and self._works():
            self._unnoted = False
            raise interruption

    def arrived(self, number: int, *, own: bool = True) -> None:
        """Note a signal, and end at once when somebody is impatient."""
        if os.getpid() != self._pid:
            return
        self.delivered = self.delivered or own
        if self._unnoted:
            self._unnoted = False
            return
        self._seen.append(number)
        self._times.append(time.monotonic())
        if len(self._times) >= _TOO_MANY and self._times[-1] - self._times[-_TOO_MANY] <= _IMPATIENCE:
            os._exit(128 + number)
        self._tell(number)

    def interrupt(self) -> None:
        """Ask the program in the main thread to end: by its own handler of SIGTERM, or as ^C or `sys.exit` would."""
        if self.delivered:
            return  # its handler has been called; it may have put back the node's since, on its way out
        if self.owned():
            self.delivered = True
            self._send()
        else:
            self.throw(KeyboardInterrupt() if self._seen[:1] == [signal.SIGINT] else SystemExit(0))

    def throw(self, error: BaseException) -> None:
        """Raise `error` in the main thread, whatever it waits for; only while it runs an application's code."""
        self._interruption = error
        self._send()

    def heard(self) -> bool:
        """Whether SIGTERM is not ignored."""
        return callable(signal.getsignal(signal.SIGTERM))

    def _send(self) -> None:
        """Send the main thread a signal that is not counted."""
        self._unnoted = True
        self._sent = signal.SIGTERM
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM)

    def owned(self) -> bool:
        """Whether the program in the main thread handles SIGTERM itself."""
        return signal.getsignal(signal.SIGTERM) != self._handle


def _unchained(handler: Any) -> Any:  # noqa: ANN401 - as the standard library's
    """A program is told of its own handler."""
    return handler.own if isinstance(handler, _Chained) else handler
