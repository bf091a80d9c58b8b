"""`eval`: code from the command line, inside the release."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from tests.projects import run
from tests.runtime.probe import Probe, call, seen

if TYPE_CHECKING:
    from pathlib import Path

SILENT = [
    "1 + 1",
    "x = 5",
    "",
    "  \n",
    "# a comment",
    "None",
    "'text'",
    "import probe",
    "pass;",
    "x: int = 1",
]


@pytest.mark.parametrize("code", SILENT)
def test_nothing_is_printed_unless_the_code_prints(probe: Probe, code: str) -> None:
    assert seen(probe.eval(code)) == (0, "", "")


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("print(1)", "1\n"),
        ("for n in range(3):\n    print(n)", "0\n1\n2\n"),
        ("import sys\nsys.stdout.write('no end')", "no end"),
        ("x = 1; y = 2; print(x + y)", "3\n"),
        ("def f(): return g()\ndef g(): return 'globals'\nprint(f())", "globals\n"),
        ("print([n for n in range(3) if n in {1, 2}])", "[1, 2]\n"),
        (
            "from __future__ import annotations\ndef f(a: nothing): pass\nprint(f.__annotations__)",
            "{'a': 'nothing'}\n",
        ),
        ("print(__name__)", "__main__\n"),
        ("print('ä ü', '\\u20ac')", "ä ü €\n"),
        ("print(sorted(name for name in globals() if name[0] != '_'))", "[]\n"),
        ("import sys; print(sys.argv[0].rpartition('/')[2])", "probe\n"),
    ],
)
def test_statements(probe: Probe, code: str, output: str) -> None:
    assert seen(probe.eval(code)) == (0, output, "")


@pytest.mark.parametrize(
    ("code", "output"),
    [
        ("print(probe.tools.double(4))", "8\n"),
        ("print(probe.sub.deep.HERE)", "deep\n"),
        ("print(probe_space.inside.HERE)", "in a namespace package\n"),
        ("print(json.dumps([1]), os.path.basename('/a/b'))", "[1] b\n"),
        ("print(concurrent.futures.thread.__name__)", "concurrent.futures.thread\n"),
        ("print(xml.etree.ElementTree.__name__, xml.sax.__name__)", "xml.etree.ElementTree xml.sax\n"),
        ("import xml.dom\nprint(xml.etree.__name__)", None),
        ("def f(): return probe.tools.double(2)\nprint(f())", "4\n"),
        ("print((lambda n: probe.tools.double(n))(3))", "6\n"),
        ("print([probe.tools.double(n) for n in (1, 2)])", "[2, 4]\n"),
        ("class A:\n    x = probe.tools.double(2)\nprint(A.x)", "4\n"),
        ("print(f'{probe.tools.double(2)}')", "4\n"),
        ("probe.tools.extra = 5\nprint(probe.tools.extra)", "5\n"),
        ("print(str.join('-', 'ab'))", "a-b\n"),
        (
            "print(f(json=3), json.dumps(1)) if False else print((lambda json: json)(2), json.dumps(1))",
            "2 1\n",
        ),
    ],
)
def test_dotted_names_are_imported(each_probe: Probe, code: str, output: str | None) -> None:
    done = each_probe.eval(code)
    if output is None:
        assert "AttributeError" in done.stderr or "NameError" in done.stderr
    else:
        assert seen(done) == (0, output, "")


BINDINGS = {
    "parameter": "def f(probe): return probe.real\nf(1)",
    "default and rest": "def f(*probe, **other): return probe.count(1)\nf(1)",
    "keyword only": "def f(*, probe=1): return probe.real\nf()",
    "lambda": "(lambda probe: probe.real)(1)",
    "comprehension": "[probe.real for probe in (1, 2)]",
    "generator": "list(probe.real for probe in (1, 2))",
    "loop": "for probe in (1, 2): probe.real",
    "with": "import io\nwith io.StringIO() as probe: probe.getvalue()",
    "except": "try: 1 / 0\nexcept ZeroDivisionError as probe: probe.args",
    "walrus": "(probe := 1).real; probe.real",
    "import": "import json as probe\nprobe.dumps(1)",
    "function": "def probe(): pass\nprobe.__name__.upper()",
    "class": "class probe: x = 1\nprobe.x.real",
    "match capture": "match [1, 2]:\n    case [probe, *rest]: probe.real",
    "match star": "match [1, 2]:\n    case [_, *probe]: probe.count(1)",
    "match rest": "match {}:\n    case {**probe}: probe.keys()",
    "match as": "match 1:\n    case int() as probe: probe.real",
    "global": "def f():\n    global probe\n    probe = 1\nf()\nprobe.real",
    "nonlocal": """
        def f():
            probe = 1
            def g():
                nonlocal probe
                return probe.real
            g()
        f()
    """,
    "unpacking": "probe, (other, *more) = 1, (2, 3)\nprobe.real",
    "augmented": "probe = 1\nprobe += 1\nprobe.real",
    "star import": "from os import *\npath.join('a')",
}


@pytest.mark.parametrize("name", BINDINGS)
def test_names_that_the_code_binds_are_not_imported(each_probe: Probe, name: str) -> None:
    code = textwrap.dedent(BINDINGS[name])
    done = each_probe.eval(f"{code}\nimport sys\nprint([each for each in sys.modules if each == 'probe'])")
    assert seen(done) == (0, "[]\n", "")


def test_unknown_names_are_python_s_business(probe: Probe) -> None:
    done = probe.eval("no_such_package.module.call()")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("NameError: name 'no_such_package' is not defined")
    assert (
        "AttributeError: module 'probe' has no attribute 'nothing'"
        in probe.eval("probe.nothing.at_all()").stderr
    )


def test_module_that_is_broken_inside_is_shown(each_probe: Probe) -> None:
    done = each_probe.eval("probe.broken.call()")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        "Traceback (most recent call last):",
        '  File "lib/probe-1.2.0/probe/broken.py", line 1, in <module>',
        "ModuleNotFoundError: No module named 'no_such_thing'",
    ]


@pytest.mark.parametrize(
    "code",
    [
        "import probe.sub.deep\nprint(await probe.sub.deep.soon(7))",
        "print(await probe.sub.deep.soon(7))",
        "import asyncio\nprint(sum([await asyncio.sleep(0, n) for n in (3, 4)]))",
        """
        import contextlib
        @contextlib.asynccontextmanager
        async def seven(): yield 7
        async with seven() as n: print(n)
        """,
        """
        async def numbers():
            yield 3
            yield 4
        total = 0
        async for n in numbers(): total += n
        print(total)
        """,
        """
        async def numbers(): yield 7
        print([n async for n in numbers()][0])
        """,
    ],
)
def test_top_level_await(each_probe: Probe, code: str) -> None:
    assert seen(each_probe.eval(code)) == (0, "7\n", "")


@pytest.mark.parametrize(
    ("code", "exit_code", "errors"),
    [
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("exit(4)", 4, ""),
        ("import sys; sys.exit('text')", 1, "text\n"),
        ("import asyncio; await asyncio.sleep(0); raise SystemExit(5)", 5, ""),
    ],
)
def test_system_exit_keeps_its_code(each_probe: Probe, code: str, exit_code: int, errors: str) -> None:
    assert seen(each_probe.eval(code)) == (exit_code, "", errors.strip())


def test_traceback_shows_the_code(each_probe: Probe) -> None:
    done = each_probe.eval("def f():\n    raise ValueError('bad')\nf()")
    assert done.returncode == 1
    shown = [line for line in done.stderr.splitlines() if set(line) - set(" ^~")]
    assert shown == [
        "Traceback (most recent call last):",
        '  File "<eval>", line 3, in <module>',
        "    f()",
        '  File "<eval>", line 2, in f',
        "    raise ValueError('bad')",
        "ValueError: bad",
    ]


def test_traceback_of_awaited_code_begins_with_it(each_probe: Probe) -> None:
    done = each_probe.eval("import asyncio\nawait asyncio.sleep(0)\n1 / 0")
    assert done.stderr.splitlines()[1:3] == ['  File "<eval>", line 3, in <module>', "    1 / 0"]


def test_syntax_error_is_shown_alone(each_probe: Probe) -> None:
    done = each_probe.eval("print('a'\nx = = 1")
    assert done.returncode == 1
    assert done.stderr.splitlines()[0].startswith('  File "<eval>", line ')
    assert "SyntaxError" in done.stderr.splitlines()[-1]
    assert "evaluate" not in done.stderr


def test_indentation_and_null_are_syntax_errors(probe: Probe) -> None:
    assert "IndentationError" in probe.eval("x = 1\n  y = 2").stderr
    assert "SyntaxError" in probe.eval("return 1").stderr


def test_code_is_missing(probe: Probe) -> None:
    done = call([probe.launcher, "eval"])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ERROR: EVAL expects an expression as argument\n"


def test_standard_input_is_not_read(probe: Probe, tmp_path: Path) -> None:
    text = tmp_path / "input"
    text.write_text("line\n")
    script = f"{{ '{probe.launcher}' eval 'print(1)'; cat; }}"
    with text.open() as stream:
        assert call(["/bin/sh", "-c", script], stdin=stream).stdout == "1\nline\n"


def test_standard_input_is_the_code_s(probe: Probe, tmp_path: Path) -> None:
    text = tmp_path / "input"
    text.write_text("line\n")
    with text.open() as stream:
        assert call([probe.launcher, "eval", "print(input())"], stdin=stream).stdout == "line\n"


def test_arguments_and_working_directory(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "probe.py").write_text("raise SystemExit('the working directory must not be on the path')")
    code = "import sys, os, probe; print(sys.argv[1:], os.getcwd(), '' in sys.path)"
    done = probe.eval(code, "a", "", "b c", "--", "-c", "*", cwd=tmp_path)
    assert seen(done) == (0, f"['a', '', 'b c', '--', '-c', '*'] {tmp_path} False\n", "")


def test_what_is_defined_belongs_to_main(each_probe: Probe) -> None:
    code = """
        import dataclasses, pickle, enum, typing, __main__
        @dataclasses.dataclass
        class Point:
            x: int
            y: typing.Optional["Point"] = None
        class Color(enum.Enum):
            RED = 1
        print(pickle.loads(pickle.dumps(Point(1, Point(2)))), pickle.loads(pickle.dumps(Color.RED)))
        print(typing.get_type_hints(Point)['x'], __main__.Point is Point, Point.__module__)
        print(type(__builtins__).__name__, hasattr(__main__, '__file__'))
    """
    expected = "Point(x=1, y=Point(x=2, y=None)) Color.RED\n<class 'int'> True __main__\nmodule False\n"
    assert seen(each_probe.eval(code)) == (0, expected, "")


def test_application_is_not_imported(probe: Probe) -> None:
    assert probe.eval("import sys; print('probe.__main__' in sys.modules)").stdout == "False\n"


def test_warnings_as_errors_change_nothing(each_probe: Probe, tmp_path: Path) -> None:
    options = tmp_path / "vm.args"
    options.write_text("-W error\n-X dev\n")
    done = each_probe.eval("import asyncio\nprint(await asyncio.sleep(0, 1))", RELEASE_VM_ARGS=str(options))
    assert seen(done) == (0, "1\n", "")


@pytest.mark.parametrize(("arguments", "output"), [([], "[]"), (["a", "b c"], "['a', 'b c']")])
def test_run_calls_a_console_script(probe: Probe, arguments: list[str], output: str) -> None:
    done = run(probe.launcher, "run", "probe-report", *arguments)
    program = probe.root / "bin" / "probe-report"
    assert (done.returncode, done.stderr) == (len(arguments), "")
    assert done.stdout == f"[{str(program)!r}{', ' if arguments else ''}{output[1:]}\n"


def test_run_calls_an_attribute_of_an_attribute(probe: Probe) -> None:
    assert run(probe.launcher, "run", "probe-nested").stdout == "nested\n"


ALL = "probe, probe-missing, probe-nested, probe-report"


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (
            ["probe-reprot"],
            f"no console script 'probe-reprot' in this release, did you mean 'probe-report'? It has {ALL}",
        ),
        (["zzz"], f"no console script 'zzz' in this release: it has {ALL}"),
        ([], f"RUN expects the name of a console script: this release has {ALL}"),
    ],
)
def test_run_names_the_console_scripts(probe: Probe, arguments: list[str], error: str) -> None:
    done = run(probe.launcher, "run", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"ERROR: {error}\n")


def test_nothing_is_imported_that_a_command_does_not_need(each_probe: Probe) -> None:
    heavy = "'typing', 'inspect', 'ast', 'dis', 'json', 'asyncio', 'threading', 'logging'"
    done = each_probe.eval(f"import sys; print([name for name in ({heavy}) if name in sys.modules])")
    assert seen(done) == (0, "[]\n", "")
