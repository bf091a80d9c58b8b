"""`remote`: a shell in the system, one for each terminal.

Lines are edited where the terminal is. What has been typed comes here, is completed, compiled and run, and what it
gives is shown as the interactive interpreter does.
"""

from __future__ import annotations

import ast
import builtins
import codeop
import itertools
import os
import queue
import sys
from typing import TYPE_CHECKING, Any

from .. import evaluate, leave
from .execution import Execution, flush

if TYPE_CHECKING:
    from ..system import System
    from .peer import Peer

_LEAVING = ("exit", "quit")
_SHOW = "__show__"
_MOST_MATCHES = 500
_numbers = itertools.count(1)


class Shell(Execution):
    """One shell.

    Args:
        system: What it runs in.
        peer: The command that wants it.
        _message: Its request, which says nothing more.
    """

    def __init__(self, system: System, peer: Peer, _message: dict[str, Any]) -> None:
        """Not begun."""
        super().__init__(system, peer, f"<remote {next(_numbers)}>", [""])
        self._requests: queue.SimpleQueue[dict[str, Any] | None] = queue.SimpleQueue()
        self._compiler = codeop.CommandCompiler()
        self._compiler.compiler.flags |= ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
        self._namespace: dict[str, Any] = {
            "__name__": "__main__",
            "__builtins__": builtins,
            "__doc__": None,
            _SHOW: self._show,
        }

    def received(self, message: dict[str, Any]) -> None:
        """Take what was typed, or what belongs to what runs."""
        if "source" in message or "complete" in message:
            self._requests.put(message)
        else:
            super().received(message)

    def gone(self) -> None:
        """End the shell, and what runs in it."""
        self._requests.put(None)
        super().gone()

    def work(self) -> dict[str, Any]:
        """Take one input after the other, until the shell is left."""
        try:
            while (message := self._requests.get()) is not None:
                self.peer.send(self._answer(message))
        except SystemExit as error:
            code = leave.exit_code(error.code)
            flush()
            return {"end": code, "left": True}
        return {"end": 0, "left": True}

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        if "complete" in message:
            matches: list[str] = []
            self.attempt(lambda: matches.extend(self._matches(str(message["complete"]))))
            return {"matches": matches}
        source = str(message["source"])
        if source.strip() in _LEAVING and source.strip() not in self._namespace:
            raise SystemExit
        more: list[bool] = []
        code = self.attempt(lambda: more.append(self._take(source)))
        return {"more": True} if more == [True] else {"end": code}

    def _take(self, source: str) -> bool:
        """Run what was typed, when it is complete; whether more has to come."""
        if self._is_incomplete(source):
            return True
        flags = self._compiler.compiler.flags
        tree: Any = compile(source, self.name, "single", flags | ast.PyCF_ONLY_AST, dont_inherit=True)
        evaluate.import_names(tree, evaluate.free_names(source), self._namespace)
        shown = ast.fix_missing_locations(ast.Module([_Showing().visit(each) for each in tree.body], []))
        evaluate.remember(source, self.name)
        self.run(compile(shown, self.name, "exec", flags, dont_inherit=True), self._namespace)
        return False

    def _is_incomplete(self, source: str) -> bool:
        """Whether more has to come."""
        try:
            return self._compiler(source, self.name, "single") is None
        except SyntaxError:
            # Python 3.10 calls input that can't be completed "incomplete": compiled as a whole it says what is wrong.
            compile(source, self.name, "single", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
            raise

    def _show(self, value: object) -> None:
        """What `sys.displayhook` does, but for `builtins._`, which is the application's."""
        if value is not None:
            self._namespace["_"] = None
            print(repr(value))  # noqa: T201 - to the terminal of this shell
            self._namespace["_"] = value

    def _matches(self, text: str) -> list[str]:
        """What `text` may be the beginning of: names of this shell, of modules, and attributes of both."""
        import rlcompleter

        modules = {name: module for name, module in list(sys.modules.items()) if "." not in name}
        completer = rlcompleter.Completer({**modules, **self._namespace})
        found: list[str] = []
        while len(found) < _MOST_MATCHES and (match := completer.complete(text, len(found))) is not None:
            found.append(match)
        return [each for each in found if not each.startswith(_SHOW)]


class _Showing(ast.NodeTransformer):
    """Shows the value of each statement that is an expression, outside of functions and classes."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        """Show its value."""
        call = ast.Call(ast.Name(_SHOW, ast.Load()), [node.value], [])
        return ast.copy_location(ast.Expr(ast.copy_location(call, node)), node)

    def _keep(self, node: ast.AST) -> ast.AST:
        return node

    visit_FunctionDef = visit_AsyncFunctionDef = visit_ClassDef = visit_Lambda = _keep  # noqa: N815


def banner(system: System) -> str:
    """What a shell says at first.

    Args:
        system: What it is in.
    """
    payload = system.finder.release_payload
    version = sys.version.split()[0]
    return f"{payload['name']} {payload['version']} on Python {version}, process {os.getpid()} - ^D leaves it running"
