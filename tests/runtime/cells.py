"""IPython's prompt, typed at."""

from __future__ import annotations

import re
import time

from tests.terminals import SECONDS, Terminal

STEERING = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Cells(Terminal):
    """A terminal with IPython's prompt on it."""

    count = 1

    @property
    def text(self) -> str:
        """What was written, without what steers the terminal."""
        return STEERING.sub("", self.output).replace("\r", "")

    def expect(self, text: str) -> None:
        deadline = time.monotonic() + SECONDS
        while text not in self.text:
            assert time.monotonic() < deadline, self.text
            assert self._read(), self.text

    def prompt(self) -> Cells:
        """Wait for the prompt of the next input."""
        self.expect(f"In [{self.count}]: ")
        return self

    def cell(self, source: str, *expected: str) -> None:
        """Type an input, and see what comes after it, until the next prompt."""
        self.output = ""
        self.send(f"{source}\r")
        for each in expected:
            self.expect(each)
        self.count += 1
        self.prompt()
