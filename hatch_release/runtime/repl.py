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
import signal
import sys
import threading
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
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


def run_beside(function: Callable[[], Any]) -> Any:  # noqa: ANN401 - the application's own result
    """Run the application in this thread, a REPL in another.

    On a terminal, leaving the REPL (^D, `exit()`) stops the system. Without one, the input is read to its
    end and the system goes on.

    Args:
        function: The application.
    """
    _keep_terminal()
    threading.Thread(target=_interact, name="repl", daemon=True).start()
    return function()


def _interact() -> None:
    """Read, evaluate and print until the input ends."""
    try:
        import readline
        import rlcompleter

        readline.set_completer(rlcompleter.Completer(vars(sys.modules["__main__"])).complete)
        readline.parse_and_bind("tab: complete")
    except ImportError:
        pass  # an interpreter without readline still has a REPL
    terminal = sys.stdin.isatty()
    name, version = os.environ.get("RELEASE_NAME", ""), os.environ.get("RELEASE_VSN", "")
    banner = f"{name} {version} on Python {sys.version.split()[0]} - ^D stops the system" if terminal else ""
    with contextlib.suppress(SystemExit):  # `exit()` leaves the REPL
        Console(vars(sys.modules["__main__"])).interact(banner, exitmsg="")
    if terminal:
        _stop_system()


def _stop_system() -> None:
    """Ask the application to stop, the way that it listens to."""
    handled = signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, signal.SIG_IGN, None)
    os.kill(os.getpid(), signal.SIGTERM if handled else signal.SIGINT)


def _keep_terminal() -> None:
    """Leave the terminal as it was, even when the process ends while a line is being typed."""
    if not sys.stdin.isatty():
        return
    import termios

    settings = termios.tcgetattr(sys.stdin)
    atexit.register(termios.tcsetattr, sys.stdin, termios.TCSANOW, settings)
