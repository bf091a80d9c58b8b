"""`eval`: run a piece of code given on the command line inside the release.

Statements or an expression, with top-level `await`. A dotted name that the code doesn't bind is imported by
itself, so that `demo.release_tasks.migrate()` is all there is to type.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import sys
from typing import Any

FILENAME = "<eval>"


def evaluate(code: str) -> None:
    """Run `code` as the body of `__main__`; nothing is printed unless it prints.

    Args:
        code: Statements or an expression; may await.

    Raises:
        BaseException: Whatever the code raises, its syntax errors included.
    """
    _remember_source(code)
    tree = compile(
        code, FILENAME, "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True
    )
    compiled = compile(tree, FILENAME, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    namespace = vars(sys.modules["__main__"])
    import_names(tree, namespace)
    if compiled.co_flags & inspect.CO_COROUTINE:
        import asyncio

        asyncio.run(eval(compiled, namespace))  # noqa: S307 - what the command is for
    else:
        exec(compiled, namespace)  # noqa: S102 - what the command is for


def import_names(tree: ast.AST, namespace: dict[str, Any]) -> None:
    """Import the modules that dotted names in `tree` begin with.

    Args:
        tree: Parsed code. Names that it binds itself, and built-in ones, are left alone.
        namespace: Where the code will run; gains the top-level modules.

    Raises:
        BaseException: Whatever importing a module raises, but for a name that is no module's: the
            code itself will then meet the name as Python would.
    """
    bound = {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)
    }
    bound.update(alias.asname or alias.name.partition(".")[0] for alias in _aliases(tree))
    for chain in sorted(_dotted_names(tree)):
        if chain[0] not in bound and chain[0] not in namespace and not hasattr(builtins, chain[0]):
            _import_chain(chain, namespace)


def _aliases(tree: ast.AST) -> list[ast.alias]:
    """What the import statements of `tree` bring in."""
    return [node for node in ast.walk(tree) if isinstance(node, ast.alias)]


def _dotted_names(tree: ast.AST) -> set[tuple[str, ...]]:
    """Every attribute access that begins with a plain name, as `("demo", "tasks", "migrate")`."""
    found = set()
    for node in ast.walk(tree):
        names: list[str] = []
        each: ast.AST = node
        while isinstance(each, ast.Attribute):
            names.append(each.attr)
            each = each.value
        if names and isinstance(each, ast.Name):
            found.add((each.id, *reversed(names)))
    return found


def _import_chain(chain: tuple[str, ...], namespace: dict[str, Any]) -> None:
    """Import as much of `chain` as is modules: `a`, then `a.b` unless `a` has that attribute already."""
    for end in range(1, len(chain) + 1):
        name = ".".join(chain[:end])
        parent = sys.modules.get(name.rpartition(".")[0])
        if end > 1 and (hasattr(parent, chain[end - 1]) or not hasattr(parent, "__path__")):
            return
        try:
            __import__(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            return
        namespace.setdefault(chain[0], sys.modules[chain[0]])


def _remember_source(code: str) -> None:
    """Let tracebacks show the lines of `code`."""
    import linecache

    linecache.cache[FILENAME] = (len(code), None, code.splitlines(keepends=True), FILENAME)
