"""IPython's shell in a live system: what is typed is IPython's, and nothing of the process is changed for it.

IPython takes a process for its own: it puts names into `builtins`, sets `sys.displayhook`, `sys.excepthook` and
`sys.modules["__main__"]`, keeps a database in the home directory and knows one shell alone. Here it is one guest of a
program that goes on, beside others. So each of that is turned off where IPython lets subclasses do it (`guest.py`),
code is run by the release, and IPython's functions that ask for *the* shell get that of their caller.

This module and those it imports are imported only where the release includes IPython.
"""

from __future__ import annotations

import contextlib
import sys
import threading
import warnings
from contextvars import ContextVar

import IPython
from IPython.core import interactiveshell
from IPython.core.completer import ProvisionalCompleterWarning
from IPython.core.interactiveshell import InteractiveShell

from .guest import Guest
from .showing import SHOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

_OLDEST = (8, 12)
_MOST_MATCHES = 500

if IPython.version_info < _OLDEST:
    raise ImportError(f"version {IPython.__version__} is older than {'.'.join(map(str, _OLDEST))}")

_current: ContextVar[Guest | None] = ContextVar("hatch_release_ipython", default=None)
"""The shell that the caller's code was typed into."""
_making = threading.Lock()


class IPythonShell:
    """One shell with names of its own. Belongs to the thread that makes it.

    Args:
        name: What tracebacks call what is typed.
        run: Runs compiled code, which may await, in a namespace.
        colors: Whether the terminal shows them.
    """

    title = f"IPython {IPython.__version__}"

    def __init__(self, name: str, run: Callable[[CodeType, dict[str, Any]], None], *, colors: bool) -> None:
        """Nothing has been typed."""
        _prepare()
        with _making, _without_database():
            self._guest = Guest(name, run, colors=colors)
        _current.set(self._guest)

    def state(self) -> dict[str, Any]:
        """What the next prompt depends on."""
        following, self._guest.rl_next_input = self._guest.rl_next_input, None
        return {"count": self._guest.execution_count, **({"next": following} if following else {})}

    def check(self, source: str) -> tuple[bool, str]:
        """Whether more has to come, and by how much that is to be indented."""
        status, indent = self._guest.check_complete(source)
        return status == "incomplete", indent

    def run(self, source: str) -> None:
        """Run a cell; IPython shows what it raises.

        Raises:
            SystemExit: When the shell is to be left.
        """
        self._guest.run_here(source)

    def complete(self, text: str, cursor: int) -> list[tuple[int, int, str, str]]:
        """Beginning and end of what is replaced, by what, and of which kind that is."""
        found: dict[tuple[int, int, str, str], None] = {}
        modules = {name: module for name, module in list(sys.modules.items()) if "." not in name}
        self._guest.Completer.global_namespace = {**modules, **self._guest.user_ns}
        for each in self._guest.Completer.completions(text, cursor):
            if len(found) == _MOST_MATCHES:
                break
            kind = "" if each.type is None else each.type.strip("<>")
            found[each.start, each.end, each.text, kind] = None
        return [each for each in found if not each[2].startswith(SHOW)]

    def close(self) -> None:
        """Leave nothing behind: no file, no thread, no exit handler, no lines of code."""
        _current.set(None)
        self._guest.end()


@contextlib.contextmanager
def _without_database() -> Any:  # noqa: ANN401 - an iterator
    """Keep IPython 8 from making a directory for what magics remember."""
    found = getattr(interactiveshell, "PickleShareDB", None)
    if found is None:
        yield
        return
    interactiveshell.PickleShareDB = _no_database
    try:
        yield
    finally:
        interactiveshell.PickleShareDB = found


def _no_database(_path: str) -> None:
    """What is made instead."""


def _prepare() -> None:
    """Let IPython's functions that ask for the shell find that of their caller; in the program, the program's."""
    if "initialized" in vars(InteractiveShell):
        return
    # The filter that IPython wants to be in force while it completes would come and go for all threads.
    warnings.filterwarnings("ignore", category=ProvisionalCompleterWarning)
    initialized, instance = InteractiveShell.initialized.__func__, InteractiveShell.instance.__func__

    def has_one(cls: Any, /) -> bool:  # noqa: ANN401 - a class of shells
        return _current.get() is not None or bool(initialized(cls))

    def the_one(cls: Any, /, *arguments: object, **options: object) -> Any:  # noqa: ANN401 - a shell
        return _current.get() or instance(cls, *arguments, **options)

    InteractiveShell.instance = classmethod(the_one)
    InteractiveShell.initialized = classmethod(has_one)
