"""Finds out what compiled modules import, without running them; run by the interpreter they were compiled for.

A program of its own: `python3 -I -S import_scan.py < job.json`. The job is
`{"root": DIR, "modules": {PATH: NAME}, "names": [NAME, ...], "words": [WORD, ...]}` with paths of `.pyc` files
relative to `root`, or of `.py` files that are compiled in `__pycache__`; a package's path ends in `__init__.pyc` or
`__init__.py`. Prints by path what `scan` gives: `imports`, the full names that import statements anywhere in the module
ask for, `from package import name` as `package.name` too and `from package import *` as `package.*`; `strings`, which
of `names` its string constants spell, alone or before a dot or colon; `words`, which of `words` it uses as a name or
spells; `dynamic`, whether it imports by computed name; `sources`, whether it needs source code at run time;
`compile_env`, with which constants it calls that function of `hatch_release.runtime`, and `computed_env`, whether it
calls it with anything else. A module that isn't compiled is left out.
"""

from __future__ import annotations

import dis
import importlib.util
import itertools
import json
import marshal
import os
import re
import sys
from dis import opmap
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from collections.abc import Set as AbstractSet
    from typing import Any

HEADER_SIZE = 16
_IMPORT_NAME = opmap["IMPORT_NAME"]
_IMPORT_FLAGS = 2 if sys.version_info >= (3, 15) else 0
"""Bits of the import's argument that say whether it is lazy (PEP 810)."""
_EXTENDED_ARG = opmap["EXTENDED_ARG"]
_LOAD_CONST = opmap["LOAD_CONST"]
_LOAD_SMALL_INT = opmap.get("LOAD_SMALL_INT", -1)  # since CPython 3.14
_DYNAMIC = {
    "__import__",
    "import_module",
    "find_spec",
    "exec_module",
    "run_module",
    "resolve_name",
    "pkg_resources",
}
_READS_SOURCES = {"findsource", "getsource", "getsourcelines"}  # of `inspect`: they raise OSError without any
_INSPECT = {"inspect", *(f"inspect.{name}" for name in _READS_SOURCES)}
_CATCHES = {"BaseException", "EnvironmentError", "Exception", "IOError", "OSError"}
# What begins a handler of exceptions, and what chooses one by their type: since CPython 3.11; before.
_HANDLERS = ("PUSH_EXC_INFO", "SETUP_FINALLY", "SETUP_WITH", "SETUP_ASYNC_WITH")
_SELECTS = ("CHECK_EXC_MATCH", "JUMP_IF_NOT_EXC_MATCH")
_WITH = ("WITH_EXCEPT_START",)
_MODULE_NAME = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")
_LONGEST_NAME = 100
_RUNTIME = "hatch_release.runtime."
_COMPILE_ENV = "compile_env"
# What stands between a function that is loaded and its arguments, according to the version.
_BETWEEN = ("CACHE", "EXTENDED_ARG", "NOP", "PRECALL", "PUSH_NULL")


def scan(
    code: CodeType, name: str, names: AbstractSet[str], words: AbstractSet[str], *, is_package: bool
) -> dict[str, object]:
    """What the module `name` with the body `code` imports, which of `names` it spells, which `words` it uses."""
    package = name if is_package else name.rpartition(".")[0]
    imports: set[str] = set()
    strings: set[str] = set()
    used: set[str] = set()
    dynamic = sources = False
    calls: list[tuple[str, ...] | None] = []
    for each in _all_code(code):
        dynamic = dynamic or not _DYNAMIC.isdisjoint(each.co_names)
        sources = sources or (each is not code and _needs_sources(each))
        for module, members in _import_statements(each, package):
            imports.add(module)
            imports.update(f"{module}.{member}" for member in members)
        used |= words & set(each.co_names)
        for text in _texts(each.co_consts):
            strings.update(_spelt(text, names))
            used.update(_spelt(text, words))
    if any(f"{each}.".startswith(_RUNTIME) for each in imports) and not name.startswith(_RUNTIME):
        aliases = {_COMPILE_ENV}.union(*(_aliases(each) for each in _all_code(code)))
        calls = [call for each in _all_code(code) for call in _calls(each, aliases)]
    return {
        "compile_env": sorted({call for call in calls if call}),
        "computed_env": None in calls,
        "imports": sorted(imports),
        "strings": sorted(strings),
        "words": sorted(used),
        "dynamic": dynamic,
        "sources": sources and not imports.isdisjoint(_INSPECT),
    }


def _aliases(code: CodeType) -> set[str]:
    """The names that `from ... import compile_env as NAME` gives it."""
    if _COMPILE_ENV not in code.co_names:
        return set()
    pairs = itertools.pairwise(dis.get_instructions(code))
    return {
        str(after.argval)
        for each, after in pairs
        if each.opname == "IMPORT_FROM" and each.argval == _COMPILE_ENV and after.opname.startswith("STORE_")
    }


def _calls(code: CodeType, aliases: AbstractSet[str]) -> Iterator[tuple[str, ...] | None]:
    """Application and keys of each call of `compile_env`; None for one whose arguments are no constants."""
    if aliases.isdisjoint({*code.co_names, *code.co_varnames, *code.co_freevars}):
        return
    instructions = [each for each in dis.get_instructions(code) if each.opname not in _BETWEEN]
    for number, each in enumerate(instructions):
        if each.opname.startswith("LOAD_") and each.opname != "LOAD_CONST" and each.argval in aliases:
            arguments = [
                after for after in instructions[number + 1 : number + 3] if after.opname.startswith("LOAD_")
            ]
            if arguments:
                yield _path([after.argval for after in arguments if after.opname == "LOAD_CONST"])


def _path(constants: list[object]) -> tuple[str, ...] | None:
    """Application and keys, when the constants are such."""
    if len(constants) != 2:  # noqa: PLR2004 - application and key
        return None
    application, key = constants
    path = (application, *key) if isinstance(key, tuple) else (application, key)
    return tuple(map(str, path)) if all(isinstance(each, str) for each in path) else None


def _needs_sources(code: CodeType) -> bool:
    """Whether a function asks `inspect` for source code, and fails when there is none.

    One that catches what `inspect` then raises is prepared for it, so it doesn't count.
    """
    if _READS_SOURCES.isdisjoint(code.co_names):
        return False
    catches_all = _count(code, _HANDLERS) > _count(code, _WITH) and not _count(code, _SELECTS)
    return not catches_all and _CATCHES.isdisjoint(code.co_names)


def _count(code: CodeType, names: tuple[str, ...]) -> int:
    """How many instructions of these names there are; a version knows some of them, or only while it compiles."""
    known = [opmap[name] for name in names if opmap.get(name, 256) < 256]  # noqa: PLR2004 - opcodes are bytes
    return sum(map(code.co_code[::2].count, known))


def _all_code(code: CodeType) -> Iterator[CodeType]:
    """`code` and every code object inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _all_code(constant)


def _import_statements(code: CodeType, package: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The module that each import statement names, and what it takes from it.

    The compiler emits the level, the names and the import itself one after the other. The opcodes are every
    other byte, so the search for imports is one of bytes.
    """
    opcodes = code.co_code[::2]
    position = opcodes.find(_IMPORT_NAME)
    while position >= 0:
        before = _instructions_before(code, position)
        members, level = _constant(code, before[0]), _constant(code, before[1])
        name = code.co_names[_argument(code, position) >> _IMPORT_FLAGS]
        taken = members if isinstance(members, tuple) else ()
        yield _resolved(name, level if isinstance(level, int) else 0, package), taken
        position = opcodes.find(_IMPORT_NAME, position + 1)


def _argument(code: CodeType, position: int) -> int:
    """The argument of the instruction at `position`, with what EXTENDED_ARG puts before it."""
    value, shift = code.co_code[2 * position + 1], 8
    while position > 0 and code.co_code[2 * position - 2] == _EXTENDED_ARG:
        position -= 1
        value |= code.co_code[2 * position + 1] << shift
        shift += 8
    return value


def _instructions_before(code: CodeType, position: int) -> tuple[int, int]:
    """The positions of the two instructions before the one at `position`, the nearer first."""
    found: list[int] = []
    position = _start(code, position)
    while len(found) < 2:  # noqa: PLR2004 - the two that the docstring speaks of
        position -= 1
        found.append(position)
        position = _start(code, position)
    return found[0], found[1]


def _start(code: CodeType, position: int) -> int:
    """Where the instruction at `position` begins, with its EXTENDED_ARGs."""
    while position > 0 and code.co_code[2 * position - 2] == _EXTENDED_ARG:
        position -= 1
    return position


def _constant(code: CodeType, position: int) -> object:
    """What the instruction at `position` loads, None when it loads no constant."""
    opcode = code.co_code[2 * position] if position >= 0 else -1
    if opcode == _LOAD_SMALL_INT:
        return _argument(code, position)
    return code.co_consts[_argument(code, position)] if opcode == _LOAD_CONST else None


def _resolved(name: str, level: int, package: str) -> str:
    """The full name of what a module of `package` imports (PEP 328)."""
    if not level:
        return name
    parents = package.split(".")
    base = ".".join(parents[: len(parents) - level + 1])
    return f"{base}.{name}" if name and base else base or name


def _texts(constants: tuple[object, ...]) -> Iterator[str]:
    """The strings among `constants`, those inside tuples and sets included."""
    for constant in constants:
        if isinstance(constant, str):
            yield constant
        elif isinstance(constant, (tuple, frozenset)):
            yield from _texts(tuple(constant))


def _spelt(text: str, names: AbstractSet[str]) -> Iterator[str]:
    """The names that `text` spells: `logging.handlers.SysLogHandler` begins with two."""
    if len(text) > _LONGEST_NAME or not _MODULE_NAME.fullmatch(text.partition(":")[0]):
        return
    name = text.partition(":")[0]
    while name:
        if name in names:
            yield name
        name = name.rpartition(".")[0]


def _load(path: str) -> CodeType | None:
    """The code of the module at `path`; None for a source that isn't compiled."""
    try:
        file = open(importlib.util.cache_from_source(path) if path.endswith(".py") else path, "rb")  # noqa: SIM115
    except FileNotFoundError:
        return None
    with file:
        file.seek(HEADER_SIZE)
        code: CodeType = marshal.loads(file.read())  # noqa: S302 - what was compiled a moment ago
    return code


def scan_all(job: dict[str, Any]) -> dict[str, dict[str, object]]:
    """Do a job.

    Args:
        job: As the program takes it.
    """
    names, words = frozenset(job["names"]), frozenset(job["words"])
    found = {}
    for path, name in job["modules"].items():
        code = _load(os.path.join(job["root"], path))
        if code is not None:
            is_package = os.path.basename(path).startswith("__init__.")
            found[path] = scan(code, name, names, words, is_package=is_package)
    return found


if __name__ == "__main__":
    json.dump(scan_all(json.load(sys.stdin)), sys.stdout)
