"""Typing whole inputs of several lines, as in IPython's terminal: edited by prompt_toolkit, which comes with IPython.

This module is imported only where the release includes both.
"""

from __future__ import annotations

import contextlib
import os
import threading

from prompt_toolkit import PromptSession
from prompt_toolkit.application import get_app
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.enums import DEFAULT_BUFFER
from prompt_toolkit.filters import Condition, has_focus, is_done
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.layout.processors import ConditionalProcessor, HighlightMatchingBracketProcessor
from prompt_toolkit.lexers import PygmentsLexer
from prompt_toolkit.patch_stdout import patch_stdout
from prompt_toolkit.shortcuts import CompleteStyle
from prompt_toolkit.styles import Style

from ..errors import ReleaseError
from .editor import history_file, make_private, prompts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document
    from prompt_toolkit.key_binding import KeyPressEvent

    from .editor import Evaluator

_LARGEST_HISTORY = 1 << 20
"""Bytes of the history's file above which its older half is forgotten."""
_ENDING_SECONDS = 1.0
"""How long a prompt may take to end."""
_INDENT = "    "
_STYLE = Style.from_dict({"first": "ansigreen bold", "other": "ansigreen"})


class Cells:
    """Takes inputs.

    Args:
        evaluator: What they are typed to.
        name: The release's, for the file of the history.
    """

    def __init__(self, evaluator: Evaluator, name: str) -> None:
        """Nothing has been typed."""
        self._evaluator = evaluator
        self._over = False
        self._ended = threading.Event()
        self._ended.set()
        self._session: PromptSession[str] = PromptSession(
            history=_history(name),
            lexer=PygmentsLexer(_lexer()),
            style=_STYLE,
            completer=_Completer(evaluator),
            complete_while_typing=False,
            complete_style=CompleteStyle.MULTI_COLUMN,
            auto_suggest=AutoSuggestFromHistory(),
            enable_history_search=True,
            search_ignore_case=True,
            enable_open_in_editor=True,
            tempfile_suffix=".py",
            multiline=True,
            prompt_continuation=self._continuation,
            key_bindings=_bindings(evaluator),
            input_processors=[
                ConditionalProcessor(
                    HighlightMatchingBracketProcessor(chars="[](){}"), has_focus(DEFAULT_BUFFER) & ~is_done
                )
            ],
        )

    def loop(self) -> int:
        """Take input until the shell is left; the exit code."""
        while True:
            print()  # noqa: T201 - as IPython parts inputs
            try:
                found = self._evaluator.run(self._read(), whole=True)
            except KeyboardInterrupt:
                print("KeyboardInterrupt")  # noqa: T201 - as the interpreter says
                continue
            except EOFError:
                return 0
            if found.get("left"):
                return int(found["end"])

    def end(self) -> None:
        """The process ends: end the prompt, and have printed what was to appear above it."""
        self._over = True
        loop = self._session.app.loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # it is closed
                loop.call_soon_threadsafe(_fail, EOFError(), self._session.app)
        self._ended.wait(_ENDING_SECONDS)

    def _read(self) -> str:
        """One input."""
        self._ended.clear()
        try:
            return self._prompt()
        finally:
            self._ended.set()
            while self._over:
                threading.Event().wait()  # there is nothing to be done any more, nor to be told

    def _prompt(self) -> str:
        state = self._evaluator.state
        first = prompts("", state["count"])[0]
        # What is printed meanwhile appears above the prompt.
        with patch_stdout(raw=True):
            return self._session.prompt(
                [("class:first", first)],
                default=state.pop("next", ""),
                pre_run=lambda: self._evaluator.listen(_fail),
                handle_sigint=threading.current_thread() is threading.main_thread(),
            )

    def _continuation(self, _width: int, _line: int, _wrapped: int) -> Any:  # noqa: ANN401 - prompt_toolkit's formatted text
        return [("class:other", prompts("", self._evaluator.state["count"])[1])]


def _fail(error: BaseException, application: Any = None) -> None:  # noqa: ANN401 - of prompt_toolkit
    """End a prompt by an error; the caller's, unless it is given."""
    with contextlib.suppress(Exception):  # it has just ended by itself
        (application or get_app()).exit(exception=error)


class _Completer(Completer):
    """Completes what is typed by what the shell knows."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:  # noqa: ARG002 - prompt_toolkit's
        cursor = document.cursor_position
        try:
            found = self._evaluator.complete(document.text, cursor)
        except ReleaseError as error:
            _fail(error)
            return
        for start, _end, text, kind in found:
            # Shown is the last part alone: what is before it is there already.
            yield Completion(text, start - cursor, display=_shown(text), display_meta=kind)


def _shown(text: str) -> str:
    """The end of a dotted name; all of what is none."""
    last = text.rpartition(".")[2]
    return last if last.isidentifier() else text


def _bindings(evaluator: Evaluator) -> KeyBindings:
    """Keys as in IPython: Enter runs what is complete and goes on with what isn't, Tab indents in front of a line."""
    bindings = KeyBindings()

    @Condition
    def in_front() -> bool:
        return not get_app().current_buffer.document.current_line_before_cursor.strip()

    @bindings.add("enter", filter=has_focus(DEFAULT_BUFFER))
    def enter(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if buffer.complete_state is not None:
            _accept_completion(buffer)
            return
        document = buffer.document
        text = document.text if document.line_count == 1 else document.text_before_cursor
        try:
            more, indent = evaluator.check(text)
        except ReleaseError as error:
            _fail(error)
            return
        if more or (document.text_after_cursor.strip() and document.line_count > 1):
            buffer.insert_text("\n" + indent)
        else:
            buffer.validate_and_handle()

    @bindings.add("tab", filter=has_focus(DEFAULT_BUFFER) & in_front)
    def tab(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(_INDENT)

    @bindings.add("c-o", filter=has_focus(DEFAULT_BUFFER))
    def new_line(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    @bindings.add("f2", filter=has_focus(DEFAULT_BUFFER))
    def edit(event: KeyPressEvent) -> None:
        event.current_buffer.open_in_editor()

    return bindings


def _accept_completion(buffer: Buffer) -> None:
    """Take the completion that is marked in the menu, if one is."""
    state = buffer.complete_state
    if state is not None and state.current_completion is not None:
        buffer.apply_completion(state.current_completion)
    else:
        buffer.cancel_completion()


def _lexer() -> Any:  # noqa: ANN401 - a class of pygments
    """What colours input: IPython's language, which is in another place in IPython 9."""
    try:
        from ipython_pygments_lexers import IPython3Lexer
    except ImportError:
        from pygments.lexers.python import Python3Lexer

        return Python3Lexer
    return IPython3Lexer


def _history(name: str) -> History:
    """What was typed in earlier shells, for this user alone."""
    file = history_file(name, "ipython_")
    try:
        make_private(file)
        if os.path.getsize(file) > _LARGEST_HISTORY:
            _forget_half(file)
    except OSError:
        return InMemoryHistory()  # no home, or one that can't be written: nothing is remembered
    return FileHistory(file)


def _forget_half(file: str) -> None:
    """Forget the older half of a history: entries begin with a line with the time."""
    with open(file, "rb") as stream:
        entries = stream.read().split(b"\n# ")
    kept = f"{file}.{os.getpid()}"
    make_private(kept)
    with open(kept, "wb") as stream:
        stream.write(b"\n# " + b"\n# ".join(entries[len(entries) // 2 :]))
    os.replace(kept, file)
