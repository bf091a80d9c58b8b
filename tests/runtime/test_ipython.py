"""`remote` where the release includes IPython: a better shell, and the live system as it was."""

from __future__ import annotations

import json
import re
import stat
import time
from typing import TYPE_CHECKING

import pytest

from tests.runtime.cells import Cells
from tests.runtime.nodes import wait_for
from tests.runtime.systems import System
from tests.terminals import CTRL_C, CTRL_D, Terminal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


UP = "\x1b[A"


@pytest.fixture
def node(inspected: Path, tmp_path: Path) -> Iterator[System]:
    """That release, started; its home directory is empty."""
    (tmp_path / "home").mkdir()
    variables = {"HOME": str(tmp_path / "home"), "PROMPT_TOOLKIT_NO_CPR": "1"}
    made = System(inspected, tmp_path, variables)
    yield made.start()
    made.kill()


def remote(node: System, **variables: str) -> Cells:
    """`remote` on a terminal, at its first prompt."""
    environment = {**node.environment, **variables}
    return Cells([str(node.launcher), "remote"], node.directory, environment).prompt()


def test_a_shell_in_the_live_system(node: System) -> None:
    with remote(node) as terminal:
        assert re.search(
            r"inspected 3\.0\.0 on Python 3\.\d+\.\d+ with IPython \d+\.\d+\.\d+, process "
            rf"{node.pid} - \^D leaves it running",
            terminal.text,
        )
        terminal.cell("40 + 2", "Out[1]: 42")
        terminal.cell("_ * 2", "Out[2]: 84")
        terminal.cell("inspected.service.orders.customer", "Out[3]: 'Ada'")
        terminal.cell("inspected.service.orders.number > 0", "Out[4]: True")
        # In the application's event loop, with plain code around what awaits.
        terminal.cell("import asyncio, threading")
        terminal.cell(
            "(asyncio.get_running_loop() is inspected.service.orders.loop, await asyncio.sleep(0, 7))",
            "(True, 7)",
        )
        terminal.cell("await inspected.service.orders.take(5) > 5", "True")
        # Several lines: Enter goes on with what isn't complete, indented; an empty line ends it.
        terminal.output = ""
        terminal.send("def double(number):\r")
        terminal.expect("   ...: ")
        terminal.send("'''Twice.'''\rreturn number * 2\r\r")
        terminal.count += 1
        terminal.prompt()
        terminal.cell("double(21)", "42")
        terminal.cell("double?", "Signature: double(number)", "Docstring: Twice.")
        terminal.cell("double??", "return number * 2")
        terminal.cell("inspected.service.Orders.take?", "Take some more orders")
        terminal.cell("1 / 0", "ZeroDivisionError", "1 / 0", "ZeroDivisionError: division by zero")
        terminal.cell("double(None)", "In[8], line 3, in double(number)", "TypeError: unsupported operand")
        terminal.cell("1 +", "SyntaxError: invalid syntax")
        terminal.cell("%who", "asyncio", "double", "threading")
        terminal.cell("%timeit -n 10 -r 2 double(2)", "2 runs, 10 loops each")
        terminal.cell("!echo out of $((40 + 2)); exit 3", "out of 42")
        terminal.cell("_exit_code", "3")
        terminal.cell("%%time\rdouble(4)\r\r", "Wall time: ", ": 8")
        terminal.cell("%history -n 1-2", "1: 40 + 2", "2: _ * 2")
        terminal.output = ""
        terminal.send("x = input('say: ')\r")
        terminal.expect("\nsay: ")
        terminal.send("hello\n")
        terminal.count += 1
        terminal.prompt()
        terminal.cell("x, 5;")
        assert "'hello'" not in terminal.text
        terminal.cell("x", "'hello'")
        terminal.cell("print('x' * 3_000_000 + 'end')", "xend")
        assert terminal.text.count("x") > 3_000_000
        terminal.send("exit\r")
        assert terminal.finish() == 0
    assert node.lives()
    assert (node.output, node.errors) == ("up\n", "")


def test_looking_for_what_is_wrong(node: System) -> None:
    with remote(node) as terminal:
        terminal.cell("double = lambda number: number * 2")
        terminal.output = ""
        terminal.send("double([])('called')\r")
        terminal.expect("TypeError")
        terminal.count += 1
        terminal.prompt()
        terminal.send("%debug\r")
        terminal.expect("ipdb> ")
        terminal.send("p 'Twice.' * 2\n")
        terminal.expect("'Twice.Twice.'")
        terminal.send("q\n")
        terminal.count += 1
        terminal.prompt()
        terminal.cell("%prun -l 1 double(2)", "function calls in")
        terminal.send("exit\r")
        assert terminal.finish() == 0
    assert (node.output, node.errors) == ("up\n", "")


def test_completion(node: System) -> None:
    with remote(node) as terminal:
        terminal.cell("orders = inspected.service.orders; numbers = {'first': 1}")
        for typed, completed in (
            ("orders.cust", "orders.customer"),
            ("inspected.serv", "inspected.service"),
            ("import inspe", "import inspect"),
            ("numbers['fi", "numbers['first"),
            ("%timei", "%timeit"),
        ):
            terminal.output = ""
            terminal.send(typed)
            terminal.send("\t")
            terminal.expect(completed)
            terminal.send(CTRL_C)
            terminal.expect("KeyboardInterrupt")
        # What there are several of is shown in a menu.
        terminal.output = ""
        terminal.send("orders.\t")
        for each in ("customer", "number", "take"):
            terminal.expect(each)


def test_what_was_typed_is_there_again(node: System) -> None:
    with remote(node) as terminal:
        terminal.cell("first_of_all = 'remembered'")
        terminal.cell("for number in range(2):\rprint('line', number)\r", "line 0\nline 1\n")
        terminal.send(CTRL_D)
        assert terminal.finish() == 0
    history = node.directory / "home" / ".inspected_ipython_history"
    assert stat.S_IMODE(history.stat().st_mode) == 0o600
    with remote(node) as terminal:
        terminal.output = ""
        terminal.send(f"{UP}")
        terminal.expect("    print('line', number)")
        terminal.send(CTRL_C)
        terminal.expect("KeyboardInterrupt")
        terminal.output = ""
        terminal.send(f"first{UP}")
        terminal.expect("first_of_all = 'remembered'")
    history.unlink()
    history.mkdir()
    with remote(node) as terminal:
        terminal.cell("'without any'", "Out[1]: 'without any'")


def test_a_long_history_is_cut(node: System) -> None:
    history = node.directory / "home" / ".inspected_ipython_history"
    entries = "".join(f"\n# 2026-01-01 00:00:00.{number:06}\n+entry = {number}\n" for number in range(30000))
    history.write_text(entries)
    with remote(node) as terminal:
        terminal.send(UP)
        terminal.expect("entry = 29999")
    assert history.stat().st_size < len(entries) * 2 / 3
    assert stat.S_IMODE(history.stat().st_mode) == 0o600


def test_interrupting(node: System) -> None:
    with remote(node) as terminal:
        terminal.send("not finished")
        terminal.send(CTRL_C)
        terminal.expect("KeyboardInterrupt")
        for source in (
            "while True: pass\r",
            "import asyncio; await asyncio.sleep(1000)",
            "import asyncio; await asyncio.sleep(0)\rwhile True: pass\r",
            "input()",
            "!sleep 1000",
            "%timeit sum(range(1000000))",
        ):
            terminal.output = ""
            terminal.send(f"{source}\r")
            time.sleep(0.5)  # so that it runs
            terminal.send(CTRL_C)
            terminal.expect("KeyboardInterrupt")
            terminal.count += 1
            terminal.prompt()
        terminal.cell("'still here'", ": 'still here'")
        terminal.send(CTRL_D)
        assert terminal.finish() == 0
    assert node.lives()


@pytest.mark.parametrize(
    ("word", "code"), [("exit()", 0), ("quit", 0), ("exit(3)", 3), ("raise SystemExit(4)", 4)]
)
def test_ways_to_leave(node: System, word: str, code: int) -> None:
    with remote(node) as terminal:
        terminal.send(f"{word}\r")
        assert terminal.finish() == code
    assert node.lives()


STATE = """
import builtins, gc, json, os, signal, sys, threading
# What IPython needs on Python 3.10 has a hook of its own for whoever imports it.
if sys.version_info < (3, 11): import exceptiongroup
state = {
    "displayhook": id(sys.displayhook),
    "excepthook": id(sys.excepthook),
    "thread hook": id(threading.excepthook),
    "main": id(sys.modules["__main__"]),
    "builtins": sorted(vars(builtins)),
    "threads": sorted(each.name for each in threading.enumerate() if "rpc" not in each.name),
    "handlers": [str(signal.getsignal(each)) for each in signal.valid_signals()],
    "sys": sorted(name for name in vars(sys) if name.startswith(("ps", "last_", "tracebacklimit"))),
    "path": sys.path,
    "directory": os.getcwd(),
    "environment": dict(os.environ),
    "home": sorted(os.listdir(os.environ["HOME"])),
    "switch": [sys.gettrace(), sys.getprofile(), sys.getrecursionlimit(), gc.get_threshold(), gc.isenabled()],
}
print(json.dumps(state))
"""


def state(node: System, *, without: str = "") -> dict[str, object]:
    """What a program can see of its process; `without` the threads with something in their names."""
    found: dict[str, object] = json.loads(node.ask(STATE))
    if without:
        found["threads"] = [each for each in found["threads"] if without not in each]  # type: ignore[attr-defined]
    return found


def descriptors(node: System) -> int:
    return len(list((node.directory / f"/proc/{node.pid}/fd").iterdir()))


def test_the_system_is_as_it_was(node: System) -> None:
    before, opened = state(node), descriptors(node)
    with remote(node, HOME=str(node.directory)) as terminal:
        assert state(node, without="remote") == before
        terminal.cell("import threading; go_on = threading.Event(); import program_of_this_test", "Error")
        terminal.cell("%load_ext autoreload")
        terminal.cell("1 / 0", "ZeroDivisionError")
        terminal.cell("%tb", "ZeroDivisionError")
        terminal.cell("%%bash\recho from bash\r\r", "from bash")
        terminal.cell("orders?", "not found")
        terminal.cell("display(3); from IPython import get_ipython; get_ipython().execution_count", "3\n")
        terminal.output = ""
        # In the middle of a cell.
        terminal.send("inspected.service.waiter = threading.Event(); inspected.service.waiter.wait()\r")
        wait_for(lambda: node.ask("print(hasattr(inspected.service, 'waiter'))") == "True")
        now = state(node, without="remote")
        now["threads"] = [each for each in now["threads"] if "asyncio" not in each and "Thread-" not in each]  # type: ignore[attr-defined]
        assert now == before
        # The program's functions see no IPython.
        assert node.ask("import IPython; print(IPython.get_ipython())") == "None"
        node.ask("inspected.service.waiter.set(); del inspected.service.waiter")
        terminal.expect(": True")
        terminal.send(CTRL_D)
        assert terminal.finish() == 0
    wait_for(lambda: state(node) == before)
    wait_for(lambda: descriptors(node) <= opened)
    assert list((node.directory / "home").iterdir()) == []
    assert (node.output, node.errors) == ("up\n", "")


def test_shells_leave_nothing_in_memory(node: System) -> None:
    left = """
    import gc
    gc.collect()
    print(sum(type(each).__name__ in {"Guest", "HistoryManager", "IPCompleter"} for each in gc.get_objects()))
    """
    for _ in range(3):
        with remote(node) as terminal:
            terminal.cell("def f(): return [1] * 1000")
            terminal.cell("f()[0] / 0", "ZeroDivisionError")
            terminal.cell("f?", "Signature")
            terminal.send("exit\r")
            assert terminal.finish() == 0
    wait_for(lambda: node.ask(left) == "0", lambda: node.ask(left))
    assert node.ask("import linecache; print([each for each in linecache.cache if 'remote' in each])") == "[]"


def test_two_at_once(node: System) -> None:
    with remote(node) as first, remote(node) as second:
        first.cell("mine = 'of the first'")
        second.cell("'mine' in globals()", "Out[1]: False")
        second.cell("mine = 'of the second'")
        first.cell("mine", "Out[2]: 'of the first'")
        code = "from IPython import get_ipython; get_ipython().user_ns['mine']"
        first.cell(code, "'of the first'")
        second.cell(code, "'of the second'")
        # At the same time, each its own output.
        loop = "time = __import__('time'); [(print('{}', end=' '), time.sleep(0.05)) for _ in range(20)] and None"
        for each, word in ((first, "one"), (second, "two")):
            each.output = ""
            each.send(f"{loop.format(word)}\r")
            each.count += 1
        for each, own, other in ((first, "one", "two"), (second, "two", "one")):
            each.prompt()
            assert f"{own} " * 20 in each.text
            assert f"{other} " not in each.text
        first.cell("%history", "of the first")
        assert "of the second" not in first.text


def test_what_goes_on_prints_above_the_prompt(node: System) -> None:
    with remote(node) as terminal:
        terminal.cell("async def later(): await asyncio.sleep(1); print('it is later')\r")
        terminal.cell(
            "import asyncio; task = asyncio.create_task(later()); await asyncio.sleep(0, 'begun')", "'begun'"
        )
        terminal.send("half")
        terminal.expect("it is later")
        terminal.send("\x7f\x7f\x7f\x7f1 + 1\r")
        terminal.expect(": 2")


def test_a_terminal_that_disappears(node: System) -> None:
    threads = "import threading; print(sum('remote' in each.name for each in threading.enumerate()))"
    with remote(node) as terminal:
        terminal.send("while True: pass\r\r")
        assert node.ask(threads) == "1"
    wait_for(lambda: node.ask(threads) == "0")
    assert node.lives()


def test_a_system_that_goes(node: System) -> None:
    with remote(node) as terminal:
        terminal.send("half")
        node.kill()
        terminal.expect("ERROR: the system inspected is gone")
        assert terminal.finish() == 1


def test_a_script_instead_of_a_terminal(node: System) -> None:
    done = node.run("remote", stdin="import asyncio\nprint(await asyncio.sleep(0, 'slept'))\n1 + 1\n")
    assert (done.returncode, done.stdout, done.stderr) == (0, "slept\n", "")


def test_a_terminal_that_knows_lines_alone(node: System) -> None:
    command = ["/bin/sh", "-c", 'TERM=dumb exec "$0" remote', str(node.launcher)]
    with Cells(command, node.directory, node.environment).prompt() as terminal:
        terminal.cell("1 + 1", "Out[1]: 2")
        terminal.output = ""
        terminal.send("for number in range(2):\r")
        terminal.expect("   ...: ")
        terminal.send("    print('line', number)\r\r")
        terminal.expect("line 0\nline 1\n")
        terminal.count += 1
        terminal.prompt()
        terminal.cell("%who", "number")
        terminal.cell("inspected.service.orders.cust\t", "'Ada'")
        terminal.cell("1 / 0", "ZeroDivisionError: division by zero")
        assert "\x1b[3" not in terminal.output
        terminal.send(CTRL_D)
        assert terminal.finish() == 0


def test_choosing_python_s_own_shell(node: System) -> None:
    with Terminal(
        [str(node.launcher), "remote"], node.directory, {**node.environment, "RELEASE_REPL": "python"}
    ) as terminal:
        terminal.expect("inspected>>> ")
        assert "IPython" not in terminal.output
        terminal.send("1 + 1\n")
        terminal.expect("\n2\r\n")
    assert node.ask("import sys; print('IPython' in sys.modules)") == "False"
    environment = {**node.environment, "RELEASE_REPL": "ipyhton"}
    for command in ("remote", "start_repl"):
        with Terminal([str(node.launcher), command], node.directory, environment) as terminal:
            assert terminal.finish() == 1
            assert terminal.output == "ERROR: RELEASE_REPL is 'ipyhton': set it to ipython or python\r\n"


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (
            "import IPython; IPython.version_info = (7, 34); IPython.__version__ = '7.34.0'",
            "ImportError: version 7.34.0",
        ),
        ("import sys; sys.modules['IPython.core.completer'] = None", "ModuleNotFoundError: "),
    ],
)
def test_an_ipython_that_does_not_work(node: System, harm: str, reason: str) -> None:
    node.ask(harm)
    with Terminal([str(node.launcher), "remote"], node.directory, node.environment) as terminal:
        terminal.expect("inspected>>> ")
        assert f"IPython can't be used ({reason}" in terminal.output
        assert terminal.output.count("\n") == 2
        terminal.send("1 + 1\n")
        terminal.expect("\n2\r\n")
