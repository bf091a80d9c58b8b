"""Compiles Python files; run by the very interpreter that will load the result.

A program of its own, run in isolation and with a fixed hash seed (`bytecode.py`); it reads a job from its input,
`{"root": DIR, "files": [PATH, ...], "dropped": [KIND, ...]}` with paths relative to `root`. Each `x.py` becomes
an unchecked hash-based `.pyc` (PEP 552): `x.pyc` in its place where the kind `source` is dropped, else beside it in
`__pycache__` (PEP 3147). Other kinds are `docstrings` and `asserts`, which are then compiled as if nobody had
written them. Code names its file relative to `root`. Prints `{PATH: MESSAGE}` of the files that don't compile;
those are left as they are.

With `"old": DIR, "new": DIR` in place of `dropped`, the files are compiled ones below `new`, which was
called `old` before: the names of files in their code are changed.
"""

from __future__ import annotations

import _imp
import ast
import importlib.util
import json
import marshal
import os
import sys
import tokenize

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType

HEADER_SIZE = 16  # bytes before the code in a `.pyc` (PEP 552)


def _compile(root: str, file: str, dropped: list[str]) -> bytes:
    """The `.pyc` of one file."""
    with open(os.path.join(root, file), "rb") as stream:
        source = stream.read()
    # With optimize=1 there are no asserts, and __debug__ is False: nothing else differs.
    optimize = 1 if "asserts" in dropped else 0
    try:
        tree = _without_docstrings(source, file) if "docstrings" in dropped else source
        code: CodeType = compile(tree, file, "exec", dont_inherit=True, optimize=optimize)
    except RecursionError:  # too deep to be taken apart, not to be compiled: it keeps its docstrings
        code = compile(source, file, "exec", dont_inherit=True, optimize=optimize)
    body = _dumps(code)
    flags = 0b01  # hash-based, not checked
    raw_magic = int.from_bytes(importlib.util.MAGIC_NUMBER, "little")
    digest = _imp.source_hash(raw_magic, source)
    return importlib.util.MAGIC_NUMBER + flags.to_bytes(4, "little") + digest + body


def _without_docstrings(source: bytes, file: str) -> ast.Module:
    """The syntax tree of a module without docstrings. Every other statement stays at its line.

    (`optimize=2` would take the asserts along.)
    """
    tree = ast.parse(source, file)
    for node in ast.walk(tree):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            _drop_docstring(node)
    return tree


def _drop_docstring(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> None:
    """Remove the docstring of `node`."""
    if not _starts_with_string(node):
        return
    docstring = node.body.pop(0)
    # What has no other statement needs one; and a string that came second must not become the docstring.
    if _starts_with_string(node) or (not node.body and not isinstance(node, ast.Module)):
        node.body.insert(0, ast.copy_location(ast.Pass(), docstring))


def _starts_with_string(node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether the first statement of `node` is nothing but a string, which makes it the docstring."""
    first = node.body[0] if node.body else None
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )


def _dumps(code: CodeType) -> bytes:
    """Marshalled code, the same bytes for the same source, whoever compiles it, in whatever order.

    Marshal writes down which objects are shared, and that depends on what else is alive in this process.
    What has been read back from marshal shares the same objects everywhere, hence the second dump.
    """
    return marshal.dumps(marshal.loads(marshal.dumps(code)))  # noqa: S302 - read back as just written


def _target(path: str, *, keep_source: bool) -> str:
    """Where the compiled file of `path` goes; its directory exists afterwards."""
    if not keep_source:
        return path + "c"
    target = importlib.util.cache_from_source(path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    return target


def _compile_all(root: str, files: list[str], dropped: list[str]) -> dict[str, str]:
    """Compile files; those that fail with the compiler's message."""
    failed: dict[str, str] = {}
    keep_source = "source" not in dropped
    for file in files:
        path = os.path.join(root, file)
        try:
            compiled = _compile(root, file, dropped)
        except SyntaxError as error:
            failed[file] = f"line {error.lineno}: {error.msg}"
            continue
        except (ValueError, RecursionError, tokenize.TokenError) as error:
            failed[file] = str(error)
            continue
        with open(_target(path, keep_source=keep_source), "wb") as stream:
            stream.write(compiled)
        if not keep_source:
            os.unlink(path)
    return failed


def _renamed(code: CodeType, old: str, new: str) -> CodeType:
    """The same code, with other names of files in it and in the functions and classes that it holds."""
    inner = tuple(
        _renamed(each, old, new) if isinstance(each, type(code)) else each for each in code.co_consts
    )
    name = code.co_filename
    name = new + name.removeprefix(old) if name.startswith(old + "/") else name
    return code.replace(co_filename=name, co_consts=inner)


def _rename_all(root: str, files: list[str], old: str, new: str) -> None:
    """Let the code in compiled files name files below `new` where it named files below `old`."""
    for file in files:
        with open(os.path.join(root, file), "r+b") as stream:
            header = stream.read(HEADER_SIZE)
            if not header.startswith(importlib.util.MAGIC_NUMBER):
                continue  # a distribution's own, for another Python
            code = _renamed(marshal.loads(stream.read()), old, new)  # noqa: S302 - as compiled a moment ago
            stream.seek(0)
            stream.write(header + _dumps(code))
            stream.truncate()


def main() -> None:
    """Do the job on standard input."""
    job = json.load(sys.stdin)
    failed: dict[str, str] = {}
    try:
        if "old" in job:
            _rename_all(job["root"], job["files"], job["old"], job["new"])
        else:
            failed = _compile_all(job["root"], job["files"], job["dropped"])
    except OSError as error:
        sys.exit(f"{error.strerror} ({error.filename})")
    json.dump(failed, sys.stdout)


if __name__ == "__main__":
    main()
