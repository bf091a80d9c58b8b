"""`start_repl`: the system with an interactive Python on its terminal.

The application keeps the main thread, where its signal handlers belong; the REPL has a thread of its own.
"""

from __future__ import annotations

import ast
import asyncio
import atexit
import code
import contextlib
import inspect
import os
import sys
import threading

from . import api, leave

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

    from .shell import choice


class Console(code.InteractiveConsole):
    """An interactive console that understands top-level `await`."""

    def __init__(self, namespace: dict[str, Any]) -> None:
        """Work in `namespace`; awaited code runs in an event loop of the console's own."""
        super().__init__(namespace, "<repl>")
        self.compile.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._loop = asyncio.new_event_loop()

    def runcode(self, code: CodeType) -> None:
        """Run one piece of input."""
        if not code.co_flags & inspect.CO_COROUTINE:
            super().runcode(code)
            return
        try:
            self._loop.run_until_complete(eval(code, self.locals))  # noqa: S307 - what a REPL is for
        except SystemExit:
            raise
        except BaseException:  # noqa: BLE001 - shown, as for any other input
            self.showtraceback()


class Local:
    """A shell in this process, as those see it who type into it.

    Args:
        shell: Made in the thread that it runs in.
    """

    def __init__(self, shell: choice.Shell) -> None:
        """Nothing has been typed."""
        self._shell = shell
        self.state = shell.state()

    def run(self, source: str, *, whole: bool) -> dict[str, Any]:
        """Run what was typed: see `Evaluator`."""
        from .shell import choice

        found: dict[str, Any] = {}
        try:
            found = choice.take(self._shell, source, whole=whole)
        except SystemExit as error:
            return {"left": True, "end": leave.exit_code(error.code)}
        except BaseException as error:  # noqa: BLE001 - shown, as for any other input
            leave.show(error)
        self.state = self._shell.state()
        return found

    def check(self, source: str) -> tuple[bool, str]:
        """Whether more has to come, and by how much that is to be indented."""
        return self._shell.check(source)

    def complete(self, text: str, cursor: int) -> list[Any]:
        """What `text` may be completed to at `cursor`."""
        return self._shell.complete(text, cursor)

    def listen(self, _fail: Callable[[BaseException], None]) -> None:
        """Nothing comes from elsewhere."""


def start(which: str) -> None:
    """Start the REPL in a thread.

    On a terminal, leaving it (^D, `exit()`) stops the system, but for a daemon, where another begins. Without one, the
    input is read to its end and run as a script, and the system goes on.

    Args:
        which: Which one it is, as `choice.wanted` gives it.
    """
    terminal = sys.stdin is not None and sys.stdin.isatty()
    if terminal:
        _keep_terminal()
    target, arguments = (_interact, (which,)) if terminal else (_run_input, ())
    threading.Thread(target=target, args=arguments, name="repl", daemon=True).start()


def _interact(which: str) -> None:
    """Read, evaluate and print until the input ends; then stop the system."""
    while True:
        with contextlib.suppress(SystemExit):  # `exit()` leaves the REPL
            _session(which)
        if not _is_daemon():
            break
        sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 - `exit()` closed it
    api.stop()


def _session(which: str) -> None:
    """One REPL, until it is left."""
    from .control import loops, running
    from .control.interruption import Interruption
    from .shell import choice, editor, screen
    from .shell.python import PythonShell

    def full() -> bool:
        # What is typed at a daemon's terminal is in its log.
        return screen.is_full() and not _is_daemon()

    run = running.Runner(lambda: loops.find(api.current()), Interruption())
    shell, notice = choice.make(which, "<repl>", run, colors=full() and screen.shows_colors())
    for line in filter(None, (_banner(shell), notice)):
        print(line)  # noqa: T201 - the terminal is what this is for
    if isinstance(shell, PythonShell):
        _python()
        return
    typing = editor.choose(Local(shell), os.environ.get("RELEASE_NAME", ""), full=full)
    atexit.register(typing.end)
    try:
        typing.loop()
    finally:
        atexit.unregister(typing.end)
        shell.close()


def _python() -> None:
    """Python's own REPL, in `__main__`."""
    namespace = vars(sys.modules["__main__"])
    try:
        import readline
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(namespace).complete)
        readline.parse_and_bind("tab: complete")
    except ImportError:
        pass  # an interpreter without readline still has a REPL
    Console(namespace).interact("", exitmsg="")


def _banner(shell: choice.Shell) -> str:
    """What the REPL says at first."""
    name, version = os.environ.get("RELEASE_NAME", ""), os.environ.get("RELEASE_VSN", "")
    leave = "leaves the terminal" if _is_daemon() else "stops the system"
    title = f" with {shell.title}" if shell.title else ""
    return f"{name} {version} on Python {sys.version.split()[0]}{title} - ^D {leave}"


def _is_daemon() -> bool:
    return os.environ.get("RELEASE_COMMAND", "").startswith("daemon")


def _run_input() -> None:
    """Run standard input as a script."""
    from . import evaluate

    if sys.stdin is None:
        return
    with contextlib.suppress(SystemExit):  # it ends the script, not the system
        try:
            evaluate.evaluate(sys.stdin.read())
        except Exception as error:  # noqa: BLE001 - shown; the system goes on
            leave.show(error)


def _keep_terminal() -> None:
    """Leave the terminal as it was, even when the process ends while a line is being typed."""
    import termios

    # The number, because `exit()` closes the stream.
    terminal = sys.stdin.fileno()
    atexit.register(termios.tcsetattr, terminal, termios.TCSANOW, termios.tcgetattr(terminal))
