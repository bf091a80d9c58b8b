"""`eval`: run a piece of code given on the command line inside the release.

Statements or an expression, with top-level `await`. A dotted name that the code doesn't bind is imported by
itself, so that `demo.release_tasks.migrate()` is all there is to type.
"""

from __future__ import annotations

import builtins
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import _ast  # what `ast` takes its classes from, which is all of it that is needed here
    from collections.abc import Iterator
    from types import CodeType
    from typing import Any

FILENAME = "<eval>"
_TOP_LEVEL_AWAIT, _ONLY_AST = 0x2000, 0x400  # ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, ast.PyCF_ONLY_AST
_COROUTINE = 0x80  # inspect.CO_COROUTINE


def evaluate(code: str) -> None:
    """Run `code` as the body of `__main__`; nothing is printed unless it prints.

    Args:
        code: Statements or an expression; may await.

    Raises:
        BaseException: Whatever the code raises, its syntax errors included.
    """
    namespace = vars(sys.modules["__main__"])
    compiled = prepare(code, FILENAME, namespace)
    if awaits(compiled):
        import asyncio

        asyncio.run(eval(compiled, namespace))  # noqa: S307 - what the command is for
    else:
        exec(compiled, namespace)  # noqa: S102 - what the command is for


def prepare(code: str, filename: str, namespace: dict[str, Any]) -> CodeType:
    """Compile `code`, and import what its dotted names begin with.

    Args:
        code: Statements or an expression; may await.
        filename: What tracebacks call it; they show its lines until `forget` is called.
        namespace: Where it will run; gains the modules.

    Raises:
        BaseException: Syntax errors, and what importing a module raises.
    """
    remember(code, filename)
    compiled: CodeType = compile(code, filename, "exec", _TOP_LEVEL_AWAIT, dont_inherit=True)
    if "." in code:  # without any it has no dotted name, and the tree would be looked through in vain
        tree = compile(code, filename, "exec", _TOP_LEVEL_AWAIT | _ONLY_AST, dont_inherit=True)
        import_names(tree, free_names(code), namespace)
    return compiled


def awaits(compiled: CodeType) -> bool:
    """Whether running the code gives a coroutine."""
    return bool(compiled.co_flags & _COROUTINE)


def import_names(tree: _ast.AST, names: set[str], namespace: dict[str, Any]) -> None:
    """Import the modules that dotted names in `tree` begin with.

    Args:
        tree: Parsed code.
        names: The names that it takes from outside, as `free_names` gives them.
        namespace: Where the code will run; gains the top-level modules.

    Raises:
        BaseException: Whatever importing a module raises, but for a name that is no module's: the
            code itself will then meet the name as Python would.
    """
    names = {name for name in names if name not in namespace and not hasattr(builtins, name)}
    for chain in sorted(_dotted_names(tree)):
        if chain[0] in names:
            _import_chain(chain, namespace)


def free_names(code: str) -> set[str]:
    """The global names that `code` reads somewhere and binds nowhere.

    What is bound inside it (parameters, loop variables, `except ... as`, captures of `match`) is not
    among them unless the same name is read as a global elsewhere.
    """
    import _symtable as kinds  # type: ignore[import-not-found]  # `symtable` does no more than to wrap it

    read: set[str] = set()
    bound: set[str] = set()
    scopes = [kinds.symtable(code, FILENAME, "exec")]
    while scopes:
        scope = scopes.pop()
        scopes += scope.children
        for name, flags in scope.symbols.items():
            reach = flags >> kinds.SCOPE_OFF & kinds.SCOPE_MASK
            if scope.type == kinds.TYPE_MODULE or reach in (kinds.GLOBAL_IMPLICIT, kinds.GLOBAL_EXPLICIT):
                (bound if flags & (kinds.DEF_LOCAL | kinds.DEF_IMPORT) else read).add(name)
    return read - bound


def _dotted_names(tree: _ast.AST) -> set[tuple[str, ...]]:
    """Every attribute access that begins with a plain name, as `("demo", "tasks", "migrate")`."""
    import _ast

    found = set()
    for node in _walk(tree):
        names: list[str] = []
        each: _ast.AST = node
        while isinstance(each, _ast.Attribute):
            names.append(each.attr)
            each = each.value
        if names and isinstance(each, _ast.Name):
            found.add((each.id, *reversed(names)))
    return found


def _walk(tree: _ast.AST) -> Iterator[_ast.AST]:
    """Every node, as `ast.walk` gives them."""
    import _ast

    pending: list[object] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, _ast.AST):
            yield node
            pending += [getattr(node, field, None) for field in node._fields]
        elif isinstance(node, list):
            pending += node


def _import_chain(chain: tuple[str, ...], namespace: dict[str, Any]) -> None:
    """Import as much of `chain` as is modules: `a`, then `a.b` unless `a` has that attribute already."""
    for end in range(1, len(chain) + 1):
        name = ".".join(chain[:end])
        if name in sys.modules:
            namespace.setdefault(chain[0], sys.modules[chain[0]])
            continue
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


def remember(code: str, filename: str) -> None:
    """Let tracebacks show the lines of `code`, until `forget`.

    Args:
        code: Source code.
        filename: What tracebacks call it.
    """
    import linecache

    linecache.cache[filename] = (len(code), None, code.splitlines(keepends=True), filename)


def forget(filename: str) -> None:
    """Forget the lines of code that was called `filename`."""
    import linecache

    linecache.cache.pop(filename, None)
