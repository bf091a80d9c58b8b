"""`start`: the application in the main thread, with arguments, streams, signals and exit code untouched."""

from __future__ import annotations

import signal
import subprocess
import textwrap
from typing import IO, TYPE_CHECKING

import pytest

from tests.projects import clean_environment
from tests.runtime.probe import Probe, call, seen

if TYPE_CHECKING:
    from pathlib import Path

ARGUMENTS = ["", " ", "two words", "*", "$HOME", "-c", "--", "-", "'", '"', "\\", "ä", "a\nb", "--help", "#x"]

# Each is run in the release and in a plain environment, and must look the same.
PROGRAMS = {
    "returns none": "def main(): pass",
    "returns 0": "def main(): return 0",
    "returns 3": "def main(): return 3",
    "returns 256": "def main(): return 256",
    "returns 259": "def main(): return 259",
    "returns -1": "def main(): return -1",
    "returns true": "def main(): return True",
    "returns text": "def main(): return 'went wrong'",
    "returns a tuple": "def main(): return (1, 2)",
    "exits": "import sys\ndef main(): sys.exit()",
    "exits with 7": "import sys\ndef main(): sys.exit(7)",
    "exits with text": "import sys\ndef main():\n  print('out')\n  sys.exit('text ä')",
    "exits through a subclass": "class Left(SystemExit): pass\ndef main(): raise Left(4)",
    "raises": "def inner(): raise ValueError('bad')\ndef main():\n  print('before')\n  inner()",
    "raises without text": "def main(): raise KeyError",
    "raises one from another": """
        def main():
            try:
                1 / 0
            except ZeroDivisionError as error:
                raise RuntimeError('second') from error
    """,
    "raises while another is handled": "def main():\n  try: 1 / 0\n  except ZeroDivisionError: {}['key']",
    "syntax error of its own": "def main(): compile('a b', '<text>', 'exec')",
    "assertion": "def main(): assert 1 == 2, 'no'",
    "recursion": "def main(): return main()",
    "a kind of KeyboardInterrupt": "class Stop(KeyboardInterrupt): pass\ndef main(): raise Stop('x')",
    "missing module": "def main(): import no_such_module",
    "module that is broken inside": "def main(): import probe.broken",
    "arguments": "import sys\ndef main(): print(sys.argv[1:])",
    "what a main module has": """
        import __main__, builtins
        def main(): print(__main__.__name__, hasattr(__main__, '__file__'), __main__.__builtins__ is builtins)
    """,
    "built-in names": """
        import builtins
        def main():
            print([hasattr(builtins, name) for name in ('exit', 'quit', 'help', 'copyright', 'credits', 'license')])
            print(exit, quit, help, copyright, sep='; ')
            help(len)
            exit(5)
    """,
    "collector": """
        import gc
        def main(): print(gc.isenabled(), gc.get_threshold(), gc.get_debug())
    """,
    "threads": """
        import threading
        def main(): print(threading.current_thread() is threading.main_thread(), threading.active_count())
    """,
    "standard streams": """
        import sys
        def main():
            for stream in (sys.stdin, sys.stdout, sys.stderr):
                print(stream.name, stream.mode, stream.encoding, stream.errors, stream.line_buffering)
    """,
    "hook of its own": """
        import sys
        def main():
            sys.excepthook = lambda *error: print('hook', error[0].__name__, error[1], error[2] is not None)
            1 / 0
    """,
    "hook that leaves": """
        import sys
        def main():
            sys.excepthook = lambda *error: sys.exit(9)
            1 / 0
    """,
    "hook that fails": """
        import sys
        def hook(*error): raise RuntimeError('in the hook')
        def main():
            sys.excepthook = hook
            1 / 0
    """,
    "hook that is gone": """
        import sys
        def main():
            del sys.excepthook
            1 / 0
    """,
    # But for the one by which a script is interrupted from inside.
    "signals": """
        import signal
        def main(): print([signal.getsignal(each) for each in sorted(signal.valid_signals() - {62})
                           if signal.getsignal(each) is not signal.SIG_DFL])
    """,
    # But for the endpoint's socket and lock.
    "descriptors": """
        import os, re
        def main():
            names = [os.path.realpath(f'/proc/self/fd/{each}') for each in os.listdir('/proc/self/fd')]
            print(len([name for name in names if not re.search('control/.*lock|socket:', name)]))
    """,
    "environment": """
        import os
        def main():
            ours = {'_', 'PWD', 'OLDPWD', 'SHLVL'}
            print(sorted(item for item in os.environ.items()
                         if not item[0].startswith('RELEASE_') and item[0] not in ours))
    """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_as_in_a_plain_environment(each_probe: Probe, name: str) -> None:
    program = PROGRAMS[name]
    assert seen(each_probe.start(program, *ARGUMENTS)) == seen(each_probe.untouched(program, *ARGUMENTS))


@pytest.mark.parametrize(
    "program",
    [
        "def main(): return 2 ** 70",
        "class Silent:\n  def __str__(self): raise ValueError\ndef main(): return Silent()",
    ],
)
def test_odd_exit_codes(each_probe: Probe, program: str) -> None:
    # Some versions of Python complain about the error that they themselves left behind.
    assert each_probe.start(program).returncode == each_probe.untouched(program).returncode


@pytest.mark.parametrize("name", ["PYTHON", "LINE", "BOOT", "VERSIONS", "each", "WORD", "PYTHON_VSN", "IFS"])
def test_callers_variables_are_left_alone(probe: Probe, name: str) -> None:
    program = f"import os\ndef main(): print(os.environ.get({name!r}))"
    assert probe.start(program, **{name: "mine"}).stdout == ("None\n" if name == "IFS" else "mine\n")


def test_notes_and_groups(each_probe: Probe) -> None:
    if each_probe.minor == "3.10":
        pytest.skip("exception groups came with 3.11")
    program = """
        def main():
            error = ExceptionGroup('some', [ValueError(1), KeyError('two')])
            error.add_note('a note')
            raise error
    """
    assert seen(each_probe.start(program)) == seen(each_probe.untouched(program))


def test_arguments_arrive_as_given(each_probe: Probe) -> None:
    done = each_probe.start("import sys\ndef main(): print(sys.argv)", *ARGUMENTS)
    assert done.stdout == f"{[str(each_probe.launcher), *ARGUMENTS]}\n"


def test_bytes_that_are_no_text_arrive(probe: Probe) -> None:
    program = "import sys, os\ndef main(): print([os.fsencode(each) for each in sys.argv[1:]])"
    command = [bytes(probe.launcher), b"start", b"\xff\xfe", b"a\\b"]
    environment = clean_environment(PROGRAM=program)
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.stdout == b"[b'\\xff\\xfe', b'a\\\\b']\n"


def test_thousands_of_arguments_are_no_trouble(probe: Probe, tmp_path: Path) -> None:
    options = tmp_path / "vm.args"
    options.write_text("-X dev\n")
    many = [str(number) for number in range(20_000)]
    done = probe.start("import sys\ndef main(): print(len(sys.argv))", *many, RELEASE_VM_ARGS=str(options))
    assert (done.stdout, done.stderr) == ("20001\n", "")


def test_traceback_begins_in_the_program(probe: Probe) -> None:
    done = probe.start("def main(): raise ValueError('bad')")
    assert done.returncode == 1
    frames = [line.strip() for line in done.stderr.splitlines() if line.startswith("  File")]
    assert frames == [
        'File "lib/probe-1.2.0/probe/__main__.py", line 13, in main',
        'File "<program>", line 1, in main',
    ]


def test_standard_input_is_the_programs(probe: Probe, tmp_path: Path) -> None:
    text = tmp_path / "input"
    text.write_text("one\ntwo\n")
    with text.open() as stream:
        done = call(
            [probe.launcher, "start"], "import sys\ndef main(): print(sys.stdin.readlines())", stdin=stream
        )
    assert done.stdout == "['one\\n', 'two\\n']\n"


WAITING = """
    import signal, time
    {setup}
    def main():
        print('waiting', flush=True)
        while True: time.sleep(0.05)
"""


def _started(command: list[str], program: str) -> subprocess.Popen[str]:
    """A process that has printed its first line."""
    process = subprocess.Popen(
        command,
        env=clean_environment(PROGRAM=program),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert _stream(process.stdout).readline() == "waiting\n"
    return process


def _stream(stream: IO[str] | None) -> IO[str]:
    assert stream is not None
    return stream


@pytest.mark.parametrize(
    ("number", "setup"),
    [
        (signal.SIGTERM, ""),
        (signal.SIGINT, ""),
        (signal.SIGHUP, ""),
        (signal.SIGTERM, "signal.signal(signal.SIGTERM, lambda *_: exit(5))"),
        (signal.SIGINT, "signal.signal(signal.SIGINT, lambda *_: exit(6))"),
        (signal.SIGINT, "import atexit; atexit.register(print, 'handler ran')"),
    ],
)
def test_signals(each_probe: Probe, number: signal.Signals, setup: str) -> None:
    program = textwrap.dedent(WAITING).format(setup=setup)
    results = []
    for command in ([str(each_probe.launcher), "start"], [str(each_probe.plain)]):
        process = _started(command, program)
        process.send_signal(number)
        output, errors = process.communicate(timeout=20)
        results.append((process.returncode, output, errors.splitlines()[-1:]))
    assert results[0] == results[1]


def test_process_keeps_its_id(probe: Probe) -> None:
    program = "import os\ndef main(): print('waiting', flush=True); print(os.getpid(), flush=True)"
    process = _started([str(probe.launcher), "start"], program)
    assert process.stdout is not None
    # What was read ahead with the first line is in the stream's buffer, out of communicate's sight.
    assert process.stdout.read() == f"{process.pid}\n"
    process.communicate(timeout=20)
    assert process.returncode == 0


def test_ignored_signals_stay_ignored(probe: Probe) -> None:
    program = "import signal\ndef main(): print(signal.getsignal(signal.SIGHUP) is signal.SIG_IGN)"
    assert call(["/bin/sh", "-c", f"trap '' HUP; exec '{probe.launcher}' start"], program).stdout == "True\n"


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-", ">/dev/full", "2>/dev/full"])
def test_closed_and_full_streams(each_probe: Probe, closed: str) -> None:
    program = "import sys\ndef main():\n  print('out')\n  print('err', file=sys.stderr)\n  return 3"
    ways = [
        call(["/bin/sh", "-c", f'"$0" "$@" {closed}', *command], program)
        for command in ([each_probe.launcher, "start"], [each_probe.plain])
    ]
    assert seen(ways[0]) == seen(ways[1])


def test_reader_that_went_away(each_probe: Probe) -> None:
    program = "import sys\ndef main():\n  for number in range(100_000): print(number)"
    script = '{ "$0" "$@"; echo "left with $?" >&2; } | head -n 1'
    ways = [
        call(["/bin/sh", "-c", script, *command], program)
        for command in ([each_probe.launcher, "start"], [each_probe.plain])
    ]
    assert seen(ways[0]) == seen(ways[1])


def test_working_directory_and_mask_are_kept(probe: Probe, tmp_path: Path) -> None:
    program = "import os\ndef main(): print(os.getcwd(), oct(os.umask(0)))"
    done = call(["/bin/sh", "-c", f"umask 027; exec '{probe.launcher}' start"], program, cwd=tmp_path)
    assert done.stdout == f"{tmp_path} 0o27\n"


@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", ""])
def test_locales(each_probe: Probe, locale: str) -> None:
    program = (
        "import sys, os\ndef main(): print(sys.argv[1], sys.stdout.encoding, os.environ.get('LC_CTYPE'))"
    )
    variables = {"LC_ALL": locale, "LANG": "", "LC_CTYPE": ""}
    ways = [
        call([*command, "ä ü"], program, variables=variables)
        for command in ([each_probe.launcher, "start"], [each_probe.plain])
    ]
    assert seen(ways[0]) == seen(ways[1])
    assert ways[0].stdout.startswith("ä ü utf-8")


def test_children_of_multiprocessing(each_probe: Probe) -> None:
    program = """
        import multiprocessing, sys
        from probe.tools import double
        def main():
            for way in ('spawn', 'fork', 'forkserver'):
                with multiprocessing.get_context(way).Pool(2) as pool:
                    print(way, pool.map(double, [1, 2, 3]))
                    print(pool.apply(eval, ("__import__('sys').path == " + repr(sys.path),)))
                    print(pool.apply(eval, ("type(__import__('sys').meta_path[0]).__name__",)))
                    pool.close()
                    pool.join()
    """
    done = each_probe.start(program)
    each = "[2, 4, 6]\nTrue\nIndexFinder\n"
    assert (done.stdout, done.stderr) == (f"spawn {each}fork {each}forkserver {each}", "")


def test_missing_attribute_is_explained(probe: Probe) -> None:
    done = call([probe.launcher, "run", "probe-missing"])
    assert done.returncode == 1
    assert done.stderr == "AttributeError: module 'probe.tools' has no attribute 'nothing'\n"
