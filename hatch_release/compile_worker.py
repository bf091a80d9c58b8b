"""Compiles Python files; run by the very interpreter that will load the result.

A program of its own: `python3 -I -S compile_worker.py < job.json`. The job is
`{"root": DIR, "files": [PATH, ...], "keep_source": BOOL}` with paths relative to `root`. Each `x.py` becomes
an unchecked hash-based `.pyc` (PEP 552): `x.pyc` in its place, or beside it in `__pycache__` (PEP 3147) where
sources are kept. Code names its file relative to `root`. Prints `{PATH: MESSAGE}` of the files that don't
compile; those are left as they are.
"""

from __future__ import annotations

import _imp
import importlib.util
import json
import marshal
import os
import sys
import tokenize


def _compile(root: str, file: str) -> bytes:
    """The `.pyc` of one file.

    Marshal writes down which objects are shared, and that depends on what else is alive in this process.
    What has been read back from marshal shares the same objects everywhere, so the second dump is the same
    for the same source, whoever compiles it, in whatever order.
    """
    with open(os.path.join(root, file), "rb") as stream:
        source = stream.read()
    code = compile(source, file, "exec", dont_inherit=True, optimize=0)
    body = marshal.dumps(marshal.loads(marshal.dumps(code)))  # noqa: S302 - read back as just written
    flags = 0b01  # hash-based, not checked
    raw_magic = int.from_bytes(importlib.util.MAGIC_NUMBER, "little")
    digest = _imp.source_hash(raw_magic, source)
    return importlib.util.MAGIC_NUMBER + flags.to_bytes(4, "little") + digest + body


def _target(path: str, *, keep_source: bool) -> str:
    """Where the compiled file of `path` goes; its directory exists afterwards."""
    if not keep_source:
        return path + "c"
    target = importlib.util.cache_from_source(path)
    os.makedirs(os.path.dirname(target), exist_ok=True)
    return target


def main() -> None:
    """Do the job on standard input."""
    job = json.load(sys.stdin)
    root, keep_source = job["root"], job["keep_source"]
    failed: dict[str, str] = {}
    for file in job["files"]:
        path = os.path.join(root, file)
        try:
            compiled = _compile(root, file)
        except (SyntaxError, ValueError, RecursionError, tokenize.TokenError) as error:
            failed[file] = str(error)
            continue
        with open(_target(path, keep_source=keep_source), "wb") as stream:
            stream.write(compiled)
        if not keep_source:
            os.unlink(path)
    json.dump(failed, sys.stdout)


if __name__ == "__main__":
    main()
