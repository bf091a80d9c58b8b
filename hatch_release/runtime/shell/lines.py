"""Typing line by line, edited by readline where the interpreter has it."""

from __future__ import annotations

import sys

from .editor import history_file, make_private, prompts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .editor import Evaluator

_LONGEST_HISTORY = 1000


class Lines:
    """Takes lines.

    Args:
        evaluator: What they are typed to.
        name: The release's, for prompts and the file of the history.
    """

    def __init__(self, evaluator: Evaluator, name: str) -> None:
        """Nothing has been typed."""
        self._evaluator = evaluator
        self._name = name
        self._lines: list[str] = []
        self._matches: list[str] = []
        self._history = history_file(name)

    def loop(self) -> int:
        """Take input until the shell is left; the exit code."""
        self._prepare()
        try:
            return self._take_lines()
        finally:
            self._remember()

    def end(self) -> None:
        """Whoever has the terminal keeps its settings."""

    def _take_lines(self) -> int:
        while True:
            first, other = prompts(self._name, self._evaluator.state.get("count"))
            try:
                self._lines.append(input(other if self._lines else first))
            except KeyboardInterrupt:
                print("\nKeyboardInterrupt")  # noqa: T201 - as the interpreter says
                self._lines.clear()
                continue
            except EOFError:
                print()  # noqa: T201 - the shell's prompt gets a line of its own
                return 0
            found = self._evaluator.run("\n".join(self._lines), whole=False)
            if found.get("left"):
                return int(found["end"])
            if "more" not in found:
                self._lines.clear()

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
            self._matches = self._ask(text) if text else ["    "]
        return self._matches[number] if number < len(self._matches) else None

    def _ask(self, word: str) -> list[str]:
        """What the shell knows that begins with `word`."""
        if "count" not in self._evaluator.state:
            return [str(each) for each in self._evaluator.complete(word, len(word))]
        import readline

        line, before = readline.get_line_buffer(), "".join(f"{each}\n" for each in self._lines)
        begin = len(before) + readline.get_begidx()
        text = before + line
        found = []
        for start, _end, replacement, _kind in self._evaluator.complete(
            text, len(before) + readline.get_endidx()
        ):
            # IPython may replace less or more than the word.
            whole = text[begin:start] + replacement if start >= begin else replacement[begin - start :]
            found.append(whole)
        return found

    def _remember(self) -> None:
        """Write the history, for nobody else to read."""
        if "readline" not in sys.modules:
            return
        import readline

        try:
            make_private(self._history)
            readline.write_history_file(self._history)
        except OSError:
            return  # no home, or one that can't be written: nothing is remembered
