"""Programs on a real terminal: a pseudo-terminal of their own, which is their controlling one."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import select
import struct
import subprocess
import sys
import termios
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from typing_extensions import Self

CTRL_C, CTRL_D = "\x03", "\x04"
ROWS, COLUMNS = 40, 120
SECONDS = 60
CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\r|\n|[^\x1b\r\n]+")
# Makes the terminal the controlling one, so that Ctrl-C is a signal, and becomes the program.
BECOME = (
    "import fcntl, os, signal, sys, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0);"
    "signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"
)


class Terminal:
    """A context in which a program runs on a terminal."""

    def __init__(
        self, command: Sequence[str], cwd: Path, environment: Mapping[str, str], *, errors: int | None = None
    ) -> None:
        """Start `command`; `errors` may be a descriptor that its standard error goes to instead."""
        self.output = ""
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", BECOME, *command],
            cwd=cwd,
            env={**environment, "TERM": "xterm-256color"},
            stdin=slave,
            stdout=slave,
            stderr=slave if errors is None else errors,
            start_new_session=True,
        )
        os.close(slave)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        """Leave nothing running."""
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def expect(self, text: str) -> None:
        """Wait until the program has written `text`."""
        deadline = time.monotonic() + SECONDS
        while text not in self.output:
            assert time.monotonic() < deadline, self.output
            assert self._read(), self.output

    def send(self, text: str) -> None:
        """Type `text`, a moment later, as people do.

        Python's `input` misses a signal that comes between its writing the question and its waiting for the answer.
        """
        time.sleep(0.3)
        os.write(self._master, text.encode())

    def finish(self) -> int:
        """Read all that is still written, and give the exit code."""
        while self._read():
            pass
        return self._process.wait(SECONDS)

    def _read(self) -> bool:
        """Take what has been written; False at the end."""
        ready, _, _ = select.select([self._master], [], [], SECONDS)
        assert ready, self.output
        data = b""
        with contextlib.suppress(OSError):  # EIO: the last one to have it open is gone
            data = os.read(self._master, 1 << 16)
        self.output += data.decode("utf-8", "replace")
        return bool(data)


def screen(output: str) -> list[str]:
    """The lines that `output` leaves on a terminal, as far as programs like ours steer one."""
    lines, row, column = [""], 0, 0
    for found in CONTROL.finditer(output):
        number = int(found[1]) if (found[1] or "").isdigit() else 1
        if found[0] == "\r":
            column = 0
        elif found[0] == "\n":
            row += 1
            lines += [""] * (row + 1 - len(lines))
        elif found[2] == "A":
            row -= number
        elif found[2] == "K":
            lines[row] = ""
        elif not found[2]:
            line = lines[row].ljust(column)
            lines[row] = line[:column] + found[0] + line[column + len(found[0]) :]
            column += len(found[0])
    return [line.rstrip() for line in lines]
