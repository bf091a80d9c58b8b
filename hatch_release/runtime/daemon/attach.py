"""`attach`: this terminal becomes that of a daemon, until ^D."""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import termios

from ..errors import ReleaseError
from . import visits
from .places import Address, Places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import Any, NoReturn

_LEAVE = b"\x04"
_CHUNK = 1 << 16
_QUIET = 0.5
"""Seconds without output after which it is over when the input was no terminal and has ended."""
_IFLAG, _LFLAG, _CC = 0, 3, 6
_ENDING = (signal.SIGTERM, signal.SIGHUP)


def attach() -> Callable[[], int]:
    """What connects this terminal with the daemon's.

    Raises:
        ReleaseError: When there is no such daemon.
    """
    places = Places(os.environ)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with Address(places.attach) as name:
            connection.connect(name)
    except OSError as error:
        raise ReleaseError(
            f"{places.node} does not run as a daemon: nobody answers at {places.attach} ({error.strerror})"
        ) from error
    return lambda: _Visit(connection, places.node).run()


class _Visit:
    """This side of the connection.

    Args:
        connection: To the keeper.
        node: The daemon's name.
    """

    def __init__(self, connection: socket.socket, node: str) -> None:
        self._connection = connection
        self._node = node
        self._input: int | None = None if sys.stdin is None else sys.stdin.fileno()
        self._terminal = self._input is not None and os.isatty(self._input)
        self._left = False

    def run(self) -> int:
        """Connect both until somebody leaves; the exit code."""
        for number in _ENDING:
            signal.signal(number, _end)
        self._tell(f"attached to {self._node}, ^D leaves it")
        before = self._take_terminal()
        try:
            self._converse()
        except KeyboardInterrupt:
            self._left = True
        finally:
            if self._input is not None and before is not None:
                termios.tcsetattr(self._input, termios.TCSADRAIN, before)
        self._tell(f"left {self._node}, which goes on" if self._left else f"{self._node} has ended")
        return 0

    def _tell(self, text: str) -> None:
        if self._terminal:
            sys.stderr.write(f"\n[{text}]\n")
            sys.stderr.flush()

    def _take_terminal(self) -> list[Any] | None:
        """Let every key through as it is; how the terminal was set."""
        if self._input is None or not self._terminal:
            return None
        before = termios.tcgetattr(self._input)
        raw = termios.tcgetattr(self._input)
        raw[_IFLAG] &= ~(
            termios.ICRNL | termios.IXON | termios.BRKINT | termios.ISTRIP | termios.INLCR | termios.IGNCR
        )
        raw[_LFLAG] &= ~(termios.ECHO | termios.ICANON | termios.ISIG | termios.IEXTEN)
        raw[_CC][termios.VMIN], raw[_CC][termios.VTIME] = 1, 0
        termios.tcsetattr(self._input, termios.TCSADRAIN, raw)
        self._wakeup, write = os.pipe()
        os.set_blocking(write, False)
        signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        signal.signal(signal.SIGWINCH, lambda _number, _frame: None)
        self._send_size()
        return before

    def _send_size(self) -> None:
        columns, rows = os.get_terminal_size(self._input or 0)
        self._send(visits.size(rows, columns))

    def _send(self, data: bytes) -> None:
        try:
            self._connection.sendall(data)
        except OSError:
            return  # that it has ended is seen where its output is read

    def _converse(self) -> None:
        """Take turns until one of the two has ended."""
        reading = [self._connection.fileno()]
        reading += [] if self._input is None else [self._input]
        reading += [self._wakeup] if self._terminal else []
        while not self._left:
            ready, _, _ = select.select(reading, [], [], None if self._input in reading else _QUIET)
            if not ready:
                self._left = True
            if self._terminal and self._wakeup in ready:
                os.read(self._wakeup, _CHUNK)
                self._send_size()
            if self._connection.fileno() in ready and not self._show():
                return
            if self._input in ready and not self._hand_on():
                reading.remove(self._input)

    def _show(self) -> bool:
        """Show what the daemon shows; whether it is still there."""
        try:
            data = self._connection.recv(_CHUNK)
        except OSError:
            return False
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return bool(data)

    def _hand_on(self) -> bool:
        """Hand on what was typed; false at its end."""
        data = os.read(self._input or 0, _CHUNK)
        if self._terminal:
            data, leave, _ = data.partition(_LEAVE)
            self._left = bool(leave) or not data
        self._send(visits.typed(data))
        return bool(data)


def _end(number: int, _frame: FrameType | None) -> NoReturn:
    """A signal ends the visit; the terminal is put back on the way."""
    raise SystemExit(128 + number)
