"""How cells are compiled: IPython's way, without what is all threads'."""

from __future__ import annotations

import ast

from IPython.core.compilerop import CachingCompiler

from .. import evaluate
from .showing import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Compiler(CachingCompiler):
    """Compiles what is typed: with names that no other shell has, and without `sys.displayhook`."""

    named = ""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []

    def __call__(self, source: object, filename: str, symbol: str, *more: object, **others: object) -> object:
        """Compile: as `codeop.Compile`, which this is, but for what is interactive."""
        if symbol == "single" and isinstance(source, ast.Interactive):
            source, symbol = shown(source), "exec"
        return super().__call__(source, filename, symbol, *more, **others)

    def get_code_name(self, raw_code: str, transformed_code: str, number: int) -> str:  # noqa: ARG002 - IPython's
        """What tracebacks call a cell."""
        name = f"{self.named[:-1]}, input {number}>"
        self.names.append(name)
        return name


def import_names(source: str, namespace: dict[str, Any]) -> None:
    """Import what dotted names of a cell begin with, as all commands do.

    Args:
        source: Python, as IPython has made it of the cell; what is none is left to be told by whoever runs it.
        namespace: Gains the modules.

    Raises:
        BaseException: What a module raises.
    """
    flags = ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        tree = compile(source, "<cell>", "exec", flags, dont_inherit=True)
        names = evaluate.free_names(source)
    except (SyntaxError, ValueError):
        return
    evaluate.import_names(tree, names, namespace)


def awaits(nodes: list[ast.stmt]) -> bool:
    """Whether statements await outside of functions."""
    flags = ast.PyCF_ALLOW_TOP_LEVEL_AWAIT
    try:
        return evaluate.awaits(compile(ast.Module(nodes, []), "<cell>", "exec", flags, dont_inherit=True))
    except (SyntaxError, ValueError):
        return False  # as will be said when they are run


def together(nodes: list[ast.stmt], interactivity: str) -> list[ast.stmt]:
    """One statement that does what all of them do, and shows what `interactivity` of IPython says."""
    first = {"all": 0, "none": len(nodes)}.get(interactivity, len(nodes) - 1)
    if interactivity.startswith("last_expr") and not isinstance(nodes[-1], ast.Expr):
        first = len(nodes)
    body = [*nodes[:first], *shown(ast.Interactive(nodes[first:])).body]
    whole = ast.copy_location(ast.If(ast.Constant(value=True), body, []), nodes[0])
    return [ast.fix_missing_locations(whole)]
