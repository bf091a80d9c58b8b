"""How `daemon` learns whether the system has started: a pipe from the keeper to the command that was typed."""

from __future__ import annotations

import os

_STARTED, _FAILED = b"S", b"F"
_KEPT = 1 << 20
"""How much of its last output is shown when a system does not start."""
_CHUNK = 1 << 16


class Report:
    """The keeper's end.

    Args:
        descriptor: To write to.
    """

    def __init__(self, descriptor: int) -> None:
        """Nothing is told yet."""
        self._descriptor = descriptor
        self._output = bytearray()
        self._reason: str | None = None

    @property
    def open(self) -> bool:
        """Whether the command still waits."""
        return self._descriptor >= 0

    def output(self, data: bytes) -> None:
        """Note what the system writes, in case it does not start."""
        if self.open:
            self._output += data
            del self._output[:-_KEPT]

    def started(self) -> None:
        """The system has started."""
        self._send(_STARTED)

    def failed(self, reason: str) -> None:
        """It has not, and its output tells why.

        The command hears of it at the `end`, so that whoever waits for the command finds the name free again.
        """
        self._reason = reason

    def end(self) -> None:
        """Nothing of the daemon is left but its keeper, which ends now."""
        if self._reason is not None:
            self._send(_FAILED + self._reason.encode() + b"\n" + bytes(self._output))

    def _send(self, data: bytes) -> None:
        if not self.open:
            return
        try:
            while data:
                data = data[os.write(self._descriptor, data) :]
        except OSError:
            pass  # the command is gone
        os.close(self._descriptor)
        self._descriptor = -1
        self._output.clear()


class Outcome:
    """What became of a start.

    Args:
        started: Whether it succeeded.
        reason: Why not; empty when the keeper itself was killed.
        output: What the system wrote.
    """

    def __init__(self, *, started: bool, reason: str = "", output: bytes = b"") -> None:
        """Known."""
        self.started = started
        self.reason = reason
        self.output = output


def await_outcome(descriptor: int) -> Outcome:
    """Wait for the keeper's word.

    Args:
        descriptor: To read from.
    """
    data = b""
    while chunk := os.read(descriptor, _CHUNK):
        data += chunk
    if data.startswith(_FAILED):
        reason, _, output = data[1:].partition(b"\n")
        return Outcome(started=False, reason=reason.decode(), output=output)
    return Outcome(started=data == _STARTED)
