"""`remote` on a terminal: lines are edited, remembered and completed here, and run in the system."""

from __future__ import annotations

import os
import sys

from .calling import Caller

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .client import Connection

_LONGEST_HISTORY = 1000
_PRIVATE = 0o600


class Terminal:
    """The terminal's side of a shell.

    Args:
        connection: The shell has been asked for.
        name: The release's, for prompts and the file of the history.
    """

    def __init__(self, connection: Connection, name: str) -> None:
        """Nothing has been typed."""
        self._connection = connection
        self._caller = Caller(connection)
        self._name = name
        self._matches: list[str] = []
        self._history = _history_file(name)

    def run(self) -> int:
        """Take lines until the shell is left; the exit code."""
        print(self._connection.receive()["banner"])  # noqa: T201 - the terminal is what this is for
        self._prepare()
        try:
            return self._take_lines()
        finally:
            self._remember()

    def _take_lines(self) -> int:
        lines: list[str] = []
        while True:
            try:
                lines.append(input(f"{self._name}{'...' if lines else '>>>'} "))
            except KeyboardInterrupt:
                print("\nKeyboardInterrupt")  # noqa: T201 - as the interpreter says
                lines.clear()
                continue
            except EOFError:
                print()  # noqa: T201 - the shell's prompt gets a line of its own
                return 0
            self._connection.send({"source": "\n".join(lines)})
            with self._caller as caller:
                message = caller.wait()
            if message.get("left"):
                return int(message["end"])
            if "more" not in message:
                lines.clear()

    def _prepare(self) -> None:
        """Let lines be edited, remembered and completed."""
        try:
            import readline
        except ImportError:
            return  # an interpreter without readline still has a shell
        readline.set_completer(self._complete)
        # As in the interactive interpreter: brackets and operators part words.
        readline.set_completer_delims(" \t\n`~!@#$%^&*()-=+[{]}\\|;:'\",<>/?")
        readline.parse_and_bind("tab: complete")
        readline.set_history_length(_LONGEST_HISTORY)
        try:
            readline.read_history_file(self._history)
        except OSError:
            return  # there is none yet, or it can't be read

    def _complete(self, text: str, number: int) -> str | None:
        """Give one completion after the other, as readline asks for them."""
        if number == 0:
            self._matches = self._ask(text)
        return self._matches[number] if number < len(self._matches) else None

    def _ask(self, text: str) -> list[str]:
        """What the system knows that begins with `text`."""
        if not text:
            return ["    "]
        self._connection.send({"complete": text})
        with self._caller as caller:
            return [str(each) for each in caller.wait().get("matches", [])]

    def _remember(self) -> None:
        """Write the history, for nobody else to read."""
        if "readline" not in sys.modules:
            return
        import readline

        try:
            os.close(os.open(self._history, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, _PRIVATE))
            readline.write_history_file(self._history)
        except OSError:
            return  # no home, or one that can't be written: nothing is remembered


def _history_file(name: str) -> str:
    return os.path.join(os.path.expanduser("~"), f".{name}_history")
