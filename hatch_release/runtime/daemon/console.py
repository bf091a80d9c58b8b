"""A daemon's console: its terminal, the log of what is written to it, and those who look on."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` takes long to make enumerations of it
import os
import select
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from .log_writer import LogWriter
    from .report import Report
    from .terminal import Terminal
    from .visitors import Visitors

Sources = dict[int, "tuple[int, Callable[[], object]]"]
"""Descriptors to wait for, each with the events of poll(2) and what is called when one comes."""
_DRAIN_SECONDS = 1.0
"""How long to take what processes write that the system has left behind."""
_DEFAULT = (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ)
_UNWRITABLE_BY_OTHERS = 0o002


class Console:
    """Takes what the system writes.

    Args:
        terminal: The system's.
        visitors: Those who look on.
        log: Where it is written down.
        report: Who waits for the system to start.
        umask: Of the command that started the daemon.
    """

    def __init__(
        self, terminal: Terminal, visitors: Visitors, log: LogWriter, report: Report, umask: int
    ) -> None:
        """Nothing is running."""
        self._terminal = terminal
        self._visitors = visitors
        self._log = log
        self._report = report
        self._umask = umask | _UNWRITABLE_BY_OTHERS

    def sources(self) -> Sources:
        """What to wait for."""
        events = select.POLLIN | (select.POLLOUT if self._terminal.pending else 0)
        return {self._terminal.master: (events, self.take), **self._visitors.sources()}

    def resized(self) -> bool:
        """Whether the terminal has got another size since this was asked."""
        resized, self._visitors.resized = self._visitors.resized, False
        return resized

    def left(self) -> float | None:
        """Seconds until there is something to do."""
        return self._log.left()

    def forwards(self, number: int) -> bool:  # noqa: ARG002 - all of them
        """Whether a signal to the keeper is handed on."""
        return True

    def prepare(self) -> None:
        """In a new process: the terminal is its standard streams, and nothing of where it was started is left."""
        os.setsid()
        os.umask(self._umask)
        for number in (0, 1, 2):
            os.dup2(self._terminal.slave, number)
        for each in _DEFAULT:
            signal.signal(each, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def begin(self) -> None:
        """A new life begins."""
        self._terminal.settle()

    def take(self) -> bool:
        """Take what was written; whether there was anything."""
        self._terminal.flush()
        data = self._terminal.read()
        if data:
            self._log.write(data)
            self._visitors.show(data)
            self._report.output(data)
        return bool(data)

    def drain(self) -> None:
        """Take all that was written before the system ended."""
        end = time.monotonic() + _DRAIN_SECONDS
        while self.take() and time.monotonic() < end:
            pass

    def note(self, text: str) -> None:
        """Write down what the keeper has to say, behind what the system has written before."""
        self.take()
        self._log.note(text)

    def end(self, text: str) -> None:
        """Write down how the system ended for good."""
        self.note(text)

    def close(self) -> None:
        """The end."""
        self._visitors.close()
