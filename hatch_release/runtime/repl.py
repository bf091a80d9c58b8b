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
from typing import TYPE_CHECKING, Any

from . import api, leave

if TYPE_CHECKING:
    from types import CodeType


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


def start() -> None:
    """Start the REPL in a thread.

    On a terminal, leaving it (^D, `exit()`) stops the system, but for a daemon, where another begins. Without one, the
    input is read to its end and run as a script, and the system goes on.
    """
    terminal = sys.stdin is not None and sys.stdin.isatty()
    if terminal:
        _keep_terminal()
    threading.Thread(target=_interact if terminal else _run_input, name="repl", daemon=True).start()


def _interact() -> None:
    """Read, evaluate and print until the input ends; then stop the system."""
    namespace = vars(sys.modules["__main__"])
    try:
        import readline
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(namespace).complete)
        readline.parse_and_bind("tab: complete")
    except ImportError:
        pass  # an interpreter without readline still has a REPL
    name, version = os.environ.get("RELEASE_NAME", ""), os.environ.get("RELEASE_VSN", "")
    daemon = os.environ.get("RELEASE_COMMAND", "").startswith("daemon")
    leave = "leaves the terminal" if daemon else "stops the system"
    banner = f"{name} {version} on Python {sys.version.split()[0]} - ^D {leave}"
    while True:
        with contextlib.suppress(SystemExit):  # `exit()` leaves the REPL
            Console(namespace).interact(banner, exitmsg="")
        if not daemon:
            break
        sys.stdin = open(0, closefd=False, encoding="utf-8")  # noqa: SIM115 - `exit()` closed it
    api.stop()


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
