"""Python's own shell: the interactive interpreter with top-level `await`; dotted names are imported by themselves."""

from __future__ import annotations

import ast
import builtins
import codeop
import sys

from .. import evaluate
from .showing import SHOW, shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import CodeType
    from typing import Any

_LEAVING = ("exit", "quit")
_MOST_MATCHES = 500


class PythonShell:
    """One shell with names of its own.

    Args:
        name: What tracebacks call what is typed.
        run: Runs compiled code, which may await, in a namespace.
    """

    title = ""
    """What the banner says beyond Python's version."""

    def __init__(self, name: str, run: Callable[[CodeType, dict[str, Any]], None]) -> None:
        """Nothing has been typed."""
        self._name = name
        self._run = run
        self._compiler = codeop.CommandCompiler()
        self._compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._namespace: dict[str, Any] = {
            "__name__": "__main__",
            "__builtins__": builtins,
            "__doc__": None,
            SHOW: self._show,
        }

    def state(self) -> dict[str, Any]:
        """What the next prompt depends on: nothing."""
        return {}

    def check(self, source: str) -> tuple[bool, str]:
        """Whether more has to come, and by how much that is to be indented.

        Raises:
            SyntaxError: When no more of it can make it right.
        """
        try:
            return self._compiler(source, self._name, "single") is None, ""
        except SyntaxError:
            # Python 3.10 calls input that can't be completed "incomplete": compiled as a whole it says what is wrong.
            compile(source, self._name, "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            raise

    def run(self, source: str) -> None:
        """Run what was typed.

        Raises:
            SystemExit: When the shell is to be left.
            BaseException: Whatever the code raises.
        """
        if source.strip() in _LEAVING and source.strip() not in self._namespace:
            raise SystemExit
        flags = self._compiler.compiler.flags
        tree: Any = compile(source, self._name, "single", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        evaluate.import_names(tree, evaluate.free_names(source), self._namespace)
        evaluate.remember(source, self._name)
        self._run(compile(shown(tree), self._name, "exec", flags, dont_inherit=True), self._namespace)

    def complete(self, text: str, _cursor: int) -> list[str]:
        """What `text` may be the beginning of: names of this shell, of modules, and attributes of both."""
        import rlcompleter

        modules = {name: module for name, module in list(sys.modules.items()) if "." not in name}
        completer = rlcompleter.Completer({**modules, **self._namespace})
        found: list[str] = []
        while len(found) < _MOST_MATCHES and (match := completer.complete(text, len(found))) is not None:
            found.append(match)
        return [each for each in found if not each.startswith(SHOW)]

    def close(self) -> None:
        """Forget the code."""
        evaluate.forget(self._name)

    def _show(self, value: object) -> None:
        """What `sys.displayhook` does, but for `builtins._`, which is the application's."""
        if value is not None:
            self._namespace["_"] = None
            print(repr(value))  # noqa: T201 - to the terminal of this shell
            self._namespace["_"] = value
