"""`rpc` as seen from the terminal: what the code writes is written here, what it reads is read here, ^C reaches it."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` takes long to make enumerations of it
import os
import select
import sys
import time

from .. import leave
from ..errors import ReleaseError
from . import frames

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .connection import Connection

_STDIN, _STDOUT, _STDERR = 0, 1, 2
_PATIENCE = 5.0
"""Seconds that code has to end when it was interrupted."""
_BROKEN_PIPE = 141
_PASSING = frozenset({"end", "more", "matches"})
"""What is no output: the code has ended, is not complete, or completions of names."""


class Caller:
    """A context in which output and input of code are passed on, and ^C reaches it.

    Args:
        connection: What the code is run through.
    """

    def __init__(self, connection: Connection) -> None:
        """Nothing is passed on yet."""
        self._connection = connection
        self._reads = False
        """Whether the code waits for input."""
        self._deadline: float | None = None

    def __enter__(self) -> Caller:  # noqa: PYI034 - `Self` came with Python 3.11
        """From now on ^C interrupts the code."""
        self._deadline = None
        self._woken, self._wake = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._before = signal.set_wakeup_fd(self._wake), signal.signal(signal.SIGINT, _ignore)
        return self

    def __exit__(self, *_error: object) -> None:
        """^C is this process's own again."""
        wakeup, handler = self._before
        signal.signal(signal.SIGINT, handler)
        signal.set_wakeup_fd(wakeup)
        os.close(self._woken)
        os.close(self._wake)

    def wait(self) -> dict[str, Any]:
        """Pass on output and input until something else is said, and give that.

        Raises:
            ReleaseError: When it doesn't end though it was interrupted, or the system is gone.
        """
        while True:
            while (message := self._connection.take()) is not None:
                if not _PASSING.isdisjoint(message):
                    return message
                self.hear(message, _write)
            self._look()

    def _look(self) -> None:
        """Wait for something, and see to it."""
        wanted: list[Any] = [self._connection.channel, self._woken]
        patience = None if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        ready = select.select([*wanted, *([_STDIN] if self._reads else [])], [], [], patience)[0]
        if not ready:
            raise ReleaseError(
                "the code waits where it can't be interrupted: it goes on in the system by itself"
            )
        if self._woken in ready:
            self._interrupt()
        if self._connection.channel in ready:
            self._connection.read()
        elif _STDIN in ready:
            self._send_input()

    def _interrupt(self) -> None:
        os.read(self._woken, 1 << 10)
        if self._deadline is not None:  # again
            leave.leave(130, interrupted=True)
        self._deadline = time.monotonic() + _PATIENCE
        self._connection.send({"interrupt": True})

    def hear(self, message: dict[str, Any], write: Callable[[int, str], None]) -> None:
        """Take what the code has written, by `write`, or that it wants input."""
        if "out" in message:
            write(_STDOUT, str(message["out"]))
        elif "err" in message:
            write(_STDERR, str(message["err"]))
        elif "read" in message:
            self._reads = _is_open(_STDIN)
            if not self._reads:
                self._connection.send({"input": ""})

    def _send_input(self) -> None:
        self._reads = False
        try:
            data = os.read(_STDIN, frames.CHUNK)
        except OSError:
            data = b""
        self._connection.send({"input": data.decode("utf-8", "surrogateescape")})


def _ignore(*_signal_and_frame: object) -> None:
    """The byte in the pipe is what counts."""


def _is_open(file: int) -> bool:
    try:
        os.fstat(file)
    except OSError:
        return False
    return True


def _write(file: int, text: str) -> None:
    """Write all of it, if there is anybody to read."""
    data = text.encode("utf-8", "surrogateescape")
    try:
        while data:
            data = data[os.write(file, data) :]
    except BrokenPipeError:
        # As any program in a pipe whose reader has gone.
        leave.leave(_BROKEN_PIPE)
    except OSError as error:
        if _is_open(file):
            raise ReleaseError(f"cannot write the code's output: {error.strerror}") from None


def call(connection: Connection) -> int:
    """See to a call until it ends.

    Args:
        connection: The call has been asked for.

    Returns:
        The exit code.
    """
    with Caller(connection) as caller:
        message = caller.wait()
    code = int(message["end"])
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()
    if message.get("interrupted"):
        leave.leave(code, interrupted=True)
    return code
