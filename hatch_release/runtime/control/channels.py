"""The standard streams of a command's code: what it writes goes to the command, what it reads comes from there."""

from __future__ import annotations

import io
import threading

from .frames import CHUNK
from .requests import MOST

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .interruption import Interruption
    from .peer import Peer


class _Output(io.RawIOBase):
    """Sends what is written as frames of one kind."""

    def __init__(self, peer: Peer, kind: str, interruption: Interruption) -> None:
        self._peer = peer
        self._kind = kind
        self._interruption = interruption

    def writable(self) -> bool:
        return True

    def write(self, data: Any, /) -> int:  # noqa: ANN401 - any buffer
        view = memoryview(data).cast("B")
        # Only the call's own thread may wait for a command that reads slowly; the event loop must not.
        if self._interruption.is_here():
            self._interruption.do(lambda: self._send(view, wait=True))
        else:
            self._send(view, wait=False)
        return len(view)

    def _send(self, view: memoryview, *, wait: bool) -> None:
        for begin in range(0, len(view), CHUNK):
            text = bytes(view[begin : begin + CHUNK]).decode("utf-8", "surrogateescape")
            self._peer.send({self._kind: text}, wait=wait)


class Input:
    """What a command sends as input; it is asked for it when the code reads.

    Args:
        peer: The command.
        interruption: Ends waiting for input.
    """

    def __init__(self, peer: Peer, interruption: Interruption) -> None:
        """Nothing has come."""
        self._peer = peer
        self._interruption = interruption
        self._data = b""
        self._taken = b""
        self._changed = threading.Condition()
        self._asked = False
        self._ended = False

    def put(self, text: str) -> None:
        """Take what the command has sent; nothing is the end."""
        with self._changed:
            self._asked = False
            self._data += text.encode("utf-8", "surrogateescape")
            self._ended = self._ended or not text
            self._changed.notify_all()

    def is_full(self) -> bool:
        """Whether more must not come."""
        return len(self._data) > MOST

    def close(self) -> None:
        """Nothing more comes."""
        self.put("")

    def take(self, size: int) -> bytes:
        """Some bytes, at most `size`; none at the end. Waits for them.

        Raises:
            KeyboardInterrupt: When the code is interrupted meanwhile.
        """
        if self._interruption.is_here():
            self._interruption.do(lambda: self._wait(size))
        else:
            self._wait(size)
        return self._taken

    def _wait(self, size: int) -> None:
        with self._interruption.waiting(self._notify), self._changed:
            while not self._data and not self._ended:
                if not self._asked:
                    self._asked = True
                    self._peer.send({"read": size}, wait=False)
                if self._interruption.is_pending():
                    raise KeyboardInterrupt
                self._changed.wait()
            was_full = self.is_full()
            self._taken, self._data = self._data[:size], self._data[size:]
            if was_full and not self.is_full():
                self._peer.resume()

    def _notify(self) -> None:
        with self._changed:
            self._changed.notify_all()


class _Raw(io.RawIOBase):
    """Reads what a command sends."""

    def __init__(self, source: Input) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:  # noqa: ANN401 - any buffer
        view = memoryview(buffer).cast("B")
        data = self._source.take(len(view))
        view[: len(data)] = data
        return len(data)


def writer(peer: Peer, kind: str, interruption: Interruption) -> io.TextIOWrapper:
    """A stream that ends at a command, line by line.

    Args:
        peer: The command.
        kind: `out` or `err`.
        interruption: Knows the thread that may wait until the command has read.
    """
    errors = "surrogateescape" if kind == "out" else "backslashreplace"
    raw = io.BufferedWriter(_Output(peer, kind, interruption), CHUNK)
    return io.TextIOWrapper(raw, "utf-8", errors, line_buffering=True)


def reader(source: Input) -> io.TextIOWrapper:
    """A stream that begins at a command."""
    return io.TextIOWrapper(io.BufferedReader(_Raw(source), CHUNK), "utf-8", "surrogateescape")
