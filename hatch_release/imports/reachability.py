"""Which modules of the standard library a release can reach, and why.

Static, and on the safe side: an import anywhere in a module counts, whether it runs or not, and so do names of
modules that stand in string constants where imports are computed, or inside compiled code. Only within the standard
library do some imports count under a condition (`branches.py`). What is left out is what nothing names.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import subprocess
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from hatch_release.errors import ReleaseError
from hatch_release.imports import compiled as compiled_code
from hatch_release.imports import scan as import_scan
from hatch_release.imports.branches import BRANCHING, BY_EDGE, WORDS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from pathlib import Path

    from hatch_release.interpreter.facts import Interpreter

# What an operator types into a shell of the running system, and what the interpreter takes for granted.
OPERATOR = (
    "cProfile", "code", "collections", "dis", "faulthandler", "gc", "inspect", "io", "json", "linecache", "logging",
    "os", "pdb", "platform", "pprint", "profile", "pstats", "pydoc", "readline", "resource", "rlcompleter", "signal",
    "site", "socket", "subprocess", "sysconfig", "threading", "time", "timeit", "trace", "traceback", "tracemalloc",
)  # fmt: skip
SITE_ENTRY = "_release_entry"
"""What `runtime/site_entry.py` is called among the modules of the bundled standard library."""
# What the core of CPython imports by itself; its binary also lists every module there is, so it can't be asked.
INTERPRETER = (
    "__future__", "_collections_abc", "_pylong", "_sitebuiltins", "_weakrefset", "abc", "annotationlib", "ast",
    "codecs", "collections.abc", "copyreg", "ctypes", "enum", "functools", "io", "locale", "operator", "os", "runpy",
    "site", "sitecustomize", "stat", "string", "string.templatelib", "tokenize", "traceback", "types", "typing",
    "unicodedata", "warnings", "weakref", "zipimport", SITE_ENTRY,
)  # fmt: skip
# Tables of names for other purposes: none of them is imported because it stands there.
TABLES = frozenset({"_compat_pickle"})
RUNTIME = "hatch_release.runtime."
"""Our own modules: they import by statements alone, and their strings name what others may import."""
# Imported by computed name: codecs by encoding, build variables by platform.
ALWAYS = re.compile(r"(encodings|importlib)(\..*)?|_sysconfigdata.*|_bootlocale|_strptime")

_WORTH_A_WORKER = 200
"""Modules for which starting one more interpreter pays."""


@dataclass
class Reached:
    """The result: each reached module with the reason, which is the module that names it or a group's name."""

    reasons: dict[str, str] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        """Whether the module `name` is reached."""
        return name in self.reasons


@dataclass(frozen=True)
class Scanned:
    """What one module names."""

    imports: tuple[str, ...]
    strings: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    """Which of `branches.WORDS` it uses."""
    dynamic: bool = False
    sources: bool = False
    """Whether it needs source code at run time."""
    compile_env: tuple[tuple[str, ...], ...] = ()
    """Application and keys of each call of `compile_env`."""
    computed_env: bool = False
    """Whether it calls that with anything but constants."""

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> Scanned:
        """The opposite of `to_json`."""
        lists = {name: tuple(facts[name]) for name in ("imports", "strings", "words")}
        compiled = tuple(tuple(each) for each in facts["compile_env"])
        return cls(**{**facts, **lists, "compile_env": compiled})

    def named(self) -> Iterable[str]:
        """Every module that it may import. A plain word is taken for a module only where imports are computed."""
        yield from self.imports
        yield from (name for name in self.strings if self.dynamic or "." in name)


def scan_modules(
    root: Path,
    modules: Mapping[str, str],
    interpreter: Interpreter,
    names: Collection[str],
    *,
    only_c: bool = False,
) -> dict[str, Scanned]:
    """What every module of a tree names, by path.

    Args:
        root: The release's root.
        modules: The name of each module by its path relative to `root`; all are compiled.
        interpreter: What they are compiled for.
        names: The names to look for in strings and compiled code.
        only_c: What is not Python's bytecode is compiled C.

    Raises:
        ReleaseError: When the interpreter can't be run.
    """
    compiled = [path for path in modules if path.endswith((".pyc", ".py"))]
    workers = min(os.cpu_count() or 1, 1 + len(compiled) // _WORTH_A_WORKER)
    pieces = [{path: modules[path] for path in compiled[number::workers]} for number in range(workers)]
    known = {"root": str(root), "names": sorted(names), "words": sorted(WORDS)}
    jobs = [{**known, "modules": piece} for piece in pieces if piece]
    found: dict[str, Scanned] = {}
    with ThreadPoolExecutor(workers) as pool:
        for report in pool.map(lambda job: _scan(interpreter, job), jobs):
            found.update(report)
    for path in modules.keys() - set(compiled):
        spelt = compiled_code.spelt(root / path, WORDS.union(names), only_c=only_c)
        found[path] = Scanned(tuple(sorted(spelt.intersection(names))), words=tuple(sorted(spelt & WORDS)))
    return found


class _Search:
    """The search for all that can be reached."""

    def __init__(
        self, library: Collection[str], scanned: Mapping[str, Scanned], available: Collection[str]
    ) -> None:
        self._library = library
        self._scanned = scanned
        self._available = available
        self._queue: deque[str] = deque()
        self._asked: set[str] = set()
        self._waiting: set[tuple[str, str]] = set()
        self.named: set[str] = set()
        self.reached = Reached()

    def take(self, name: str, reason: str) -> None:
        """Reach `name`: importing a.b.c imports a and a.b, and the last part may be an attribute."""
        if name in self._asked:
            return
        self._asked.add(name)
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            each = ".".join(parts[:end])
            if each in self._library and each not in self.reached:
                self.reached.reasons[each] = reason
                self._queue.append(each)

    def enter(self, name: str) -> None:
        """Follow a module outside of the standard library."""
        scanned = self._scanned[name]
        if name.startswith(RUNTIME):
            self._ask(name, scanned.imports)
        else:
            self.named.update(scanned.imports, scanned.strings, scanned.words)
            self._follow(name)

    def _follow(self, name: str) -> None:
        """Reach all that the module `name` names, but what waits for a condition."""
        if name in self._scanned and name not in TABLES:
            self._ask(name, self._scanned[name].named())

    def _ask(self, name: str, imports: Iterable[str]) -> None:
        """Reach what the module `name` imports, but what waits for a condition."""
        for each in imports:
            edges = _edges(name, each) if name in BRANCHING else ()
            self._waiting.update(edges)
            if not edges:
                self.take(each, name)

    def finish(self) -> None:
        """Follow what was reached until nothing new comes."""
        while self._queue:
            while self._queue:
                self._follow(self._queue.popleft())
            self._look_again()

    def _look_again(self) -> None:
        """Take what has waited, where its condition holds by now."""
        for edge in sorted(self._waiting):
            if BY_EDGE[edge].is_taken(self.named, self._asked, self._available):
                self._waiting.remove(edge)
                self.take(edge[1], edge[0])


def _edges(module: str, name: str) -> list[tuple[str, str]]:
    """The imports of `module` under a condition that `name` may stand for: of itself, or what it is an attribute of."""
    ways = ((module, name), (module, name.rpartition(".")[0]))
    return [edge for edge in ways if edge in BY_EDGE]


def reach(
    library: Collection[str],
    scanned: Mapping[str, Scanned],
    roots: Mapping[str, Iterable[str]],
    *,
    named: Collection[str] = (),
    frozen: Collection[str] = (),
) -> Reached:
    """Everything of `library` that can be reached.

    Args:
        library: Names of the standard library's modules.
        scanned: What each module names, those outside of the library too; these are all in.
        roots: Names to begin with, by the reason to give for them.
        named: Names of modules that the user asks for.
        frozen: Modules that are inside the interpreter.
    """
    search = _Search(library, scanned, {*library, *frozen})
    search.named.update(named)
    for reason, names in roots.items():
        for name in names:
            search.take(name, reason)
    for name in sorted(name for name in library if ALWAYS.fullmatch(name)):
        search.take(name, "imported by computed name")
    for name in sorted(scanned.keys() - set(library)):
        search.enter(name)
    search.finish()
    return search.reached


def _scan(interpreter: Interpreter, job: dict[str, Any]) -> dict[str, Scanned]:
    """Scan one piece: a small one here, if this interpreter understands the code; starting another takes longer."""
    report = None
    if len(job["modules"]) <= _WORTH_A_WORKER and interpreter.magic == importlib.util.MAGIC_NUMBER:
        with contextlib.suppress(EOFError, RecursionError, TypeError, ValueError):  # the other one will tell
            report = import_scan.scan_all(job)
    if report is None:
        report = _run_scan(interpreter.executable, job)
    return {path: Scanned.from_json(each) for path, each in report.items()}


def _run_scan(python: Path, job: dict[str, Any]) -> dict[str, Any]:
    """Let an interpreter scan one piece."""
    command = [str(python), "-I", "-S", import_scan.__file__]
    done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ReleaseError(f"{python} failed to look for imports: {reason}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report
