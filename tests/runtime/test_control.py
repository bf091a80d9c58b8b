"""Commands that reach a running system: `rpc`, `pid`, `stop`, `restart`, and what they say when there is none."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import time

import pytest

from tests.runtime.nodes import wait_for
from tests.runtime.systems import LOOP, SERVER, System


def test_a_system_from_start_to_stop(system: System) -> None:
    system.start(SERVER)
    assert system.run("pid").stdout == f"{system.pid}\n"
    done = system.rpc("print(6 * 7); import sys; print('here', file=sys.stderr)")
    assert (done.returncode, done.stdout, done.stderr) == (0, "42\n", "here\n")
    done = system.run("stop")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert system.end() == 0
    assert (system.output, system.errors) == ("up\ndown\n", "")
    assert not (system.directory / "tmp").exists()
    for command in (["stop"], ["pid"], ["restart"], ["rpc", "1"], ["remote"], ["info"], ["stacks"]):
        begin = time.monotonic()
        done = system.run(*command)
        assert (done.returncode, done.stdout) == (1, ""), command
        assert done.stderr == (
            "ERROR: no system named probe is running: start it, or set RELEASE_NODE to the name of one that is\n"
        )
        assert time.monotonic() - begin < 5


def test_what_code_sees(system: System) -> None:
    system.start(SERVER)
    done = system.rpc(
        "import sys, os; print(sys.argv, __name__, os.environ.get('MINE'), os.getpid())", "a", "b c"
    )
    assert done.stdout == f"['{system.launcher}', 'a', 'b c'] __main__ None {system.pid}\n"
    # The program that runs, not another copy of it.
    assert system.ask("print(program.stop.is_set())") == "False"
    assert system.ask("print(probe.tools.double(4), await probe.sub.deep.soon(5))") == "8 5"
    # Each call begins with nothing.
    assert system.rpc("lasting = 1").returncode == 0
    assert system.rpc("lasting").stderr.endswith("NameError: name 'lasting' is not defined\n")
    assert system.rpc("5").stdout == ""


@pytest.mark.parametrize(
    ("code", "exit_code", "error"),
    [
        ("raise SystemExit", 0, ""),
        ("exit(7)", 7, ""),
        ("raise SystemExit('no')", 1, "no\n"),
        ("import asyncio; await asyncio.sleep(0); exit(6)", 6, ""),
        ("import sys; sys.exit(130)", 130, ""),
    ],
)
@pytest.mark.parametrize("program", [SERVER, LOOP])
def test_exit_codes(one: System, program: str, code: str, exit_code: int, error: str) -> None:
    one.start(program)
    done = one.rpc(code)
    assert (done.returncode, done.stderr) == (exit_code, error)
    assert one.lives()


def test_errors_are_the_caller_s(system: System) -> None:
    system.start(SERVER)
    done = system.rpc("def f():\n    return 1 / 0\nf()")
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout, lines[0]) == (1, "", "Traceback (most recent call last):")
    assert lines[1].endswith(", line 3, in <module>")
    assert lines[2] == "    f()"
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert system.rpc("1 +").stderr.splitlines()[-1] == "SyntaxError: invalid syntax"
    assert system.rpc("import asyncio\nasync def f(): 1 / 0\nawait f()").returncode == 1
    assert system.rpc("").returncode == 0
    done = system.run("rpc")
    assert (done.returncode, done.stderr) == (1, "ERROR: RPC expects an expression as argument\n")
    assert (system.output, system.errors) == ("up\n", "")


def test_awaiting_code_runs_in_the_application_s_loop(system: System) -> None:
    system.start(LOOP)
    code = (
        "import asyncio; print(asyncio.get_running_loop() is program.kept['loop']); await asyncio.sleep(0.01)"
    )
    assert system.ask(code) == "True"
    # Without an await it is in a thread, so that it may wait.
    assert (
        system.ask("import threading; print(threading.current_thread() is threading.main_thread())")
        == "False"
    )
    system.run("stop")
    assert (system.end(), system.output) == (0, "up\ndown\n")


def test_output_streams(one: System) -> None:
    one.start(SERVER)
    with one.popen(
        "rpc",
        "import time\nprint('first')\nwhile not probe.tools.__dict__.get('go'): time.sleep(.01)\nprint('last')",
    ) as call:
        assert call.stdout is not None
        assert call.stdout.readline() == "first\n"
        assert one.rpc("probe.tools.go = 1").returncode == 0
        assert call.communicate(timeout=30) == ("last\n", "")


def test_input_goes_through(system: System) -> None:
    system.start(SERVER)
    done = system.rpc("import sys; print(input(), '|', sys.stdin.read())", stdin="one\ntwo ü\nthree")
    assert (done.returncode, done.stdout, done.stderr) == (0, "one | two ü\nthree\n", "")
    assert system.rpc("input()").stderr.endswith("EOFError: EOF when reading a line\n")


def test_input_is_left_alone_unless_it_is_read(one: System) -> None:
    one.start(SERVER)
    script = f"while read -r line; do {one.launcher} rpc 'print(1)'; echo $line; done"
    done = subprocess.run(
        ["/bin/sh", "-c", script],
        env=one.environment,
        input="a\nb\n",
        text=True,
        capture_output=True,
        check=True,
    )
    assert done.stdout == "1\na\n1\nb\n"


def test_bytes_and_much_of_them(one: System) -> None:
    one.start(SERVER)
    code = "import sys; sys.stdout.buffer.write(bytes(range(256)) * 20000); sys.stdout.buffer.flush(); print('\\udcff')"
    done = subprocess.run([one.launcher, "rpc", code], env=one.environment, capture_output=True, check=True)
    assert done.stdout == bytes(range(256)) * 20000 + b"\xff\n"


def test_interrupted_code(system: System) -> None:
    system.start(LOOP)
    sync = "import time\ntry:\n    print('in', flush=True)\n    while True: time.sleep(.01)\nfinally: print('out')"
    awaiting = "import asyncio\ntry:\n    print('in', flush=True)\n    await asyncio.sleep(100)\nfinally: print('out')"
    reading = "try:\n    print('in', flush=True)\n    input()\nfinally: print('out')"
    for code in (sync, awaiting, reading):
        with system.popen("rpc", code, stdin=subprocess.PIPE) as call:
            assert call.stdout is not None
            assert call.stdout.readline() == "in\n"
            call.send_signal(signal.SIGINT)
            call.wait(30)  # with its input open
            out, err = call.communicate()
        assert (call.returncode, out) == (-signal.SIGINT, "out\n"), err
        assert err.splitlines()[-1] == "KeyboardInterrupt"
    assert system.ask("print(1)") == "1"


@pytest.mark.parametrize("program", [SERVER, LOOP])
def test_a_caller_that_disappears(one: System, program: str) -> None:
    one.start(program)
    for code in ("while True: time.sleep(.01)", "await asyncio.sleep(1000)"):
        body = f"import asyncio, time\ntry:\n    print('in', flush=True)\n    {code}\nfinally: probe.tools.left = 1"
        with one.popen("rpc", body) as call:
            assert call.stdout is not None
            assert call.stdout.readline() == "in\n"
            call.kill()
        wait_for(lambda: one.ask("print(probe.tools.__dict__.pop('left', 0))") == "1")


def test_a_system_that_disappears(one: System) -> None:
    one.start(SERVER)
    done = one.rpc("import os; os._exit(3)")
    assert (done.returncode, done.stderr) == (1, "ERROR: the system probe is gone\n")


def test_concurrent_calls_do_not_mix(system: System) -> None:
    system.start(LOOP)
    code = (
        "import sys, asyncio, time, io, contextlib\n"
        "for number in range(50):\n"
        "    print(sys.argv[1], number)\n"
        "    print(sys.argv[1], file=sys.stderr)\n"
        "    with contextlib.redirect_stdout(io.StringIO()): print('nothing'); time.sleep(.001)\n"
    )
    calls = []
    for number in range(8):
        more = "    await asyncio.sleep(0)\n" if number % 2 else "    time.sleep(0)\n"
        calls.append(system.popen("rpc", code + more, str(number)))
    for number, call in enumerate(calls):
        out, err = call.communicate(timeout=60)
        assert out.splitlines() == [f"{number} {line}" for line in range(50)], err
        assert err.splitlines() == [str(number)] * 50
    assert (system.output, system.errors) == ("up\n", "")


def test_a_program_with_streams_of_its_own(system: System) -> None:
    program = """
        import contextlib, io, signal, sys, threading, time
        stop = threading.Event()
        seen = io.StringIO()
        def main():
            signal.signal(signal.SIGTERM, lambda *_: stop.set())
            print("up", flush=True)
            own = sys.stdout
            sys.stdout = io.TextIOWrapper(open(sys.stdout.fileno(), "wb", closefd=False), "utf-8", line_buffering=True)
            while not stop.wait(0.001):
                with contextlib.redirect_stdout(seen):
                    print("captured")
            print("mine", sys.stdout is own)
    """
    system.start(program)
    for _ in range(5):
        assert (
            system.ask("print('theirs')\nimport time; time.sleep(.05)\nprint('theirs')") == "theirs\ntheirs"
        )
    assert "theirs" not in system.ask("print(program.seen.getvalue())")
    system.run("stop")
    assert (system.end(), system.output) == (0, "up\nmine False\n")
    assert type(os).__name__ == "module"


def test_sys_is_itself_again(one: System) -> None:
    program = SERVER.replace(
        "pass", "seen.add((type(sys).__name__, type(sys.__dict__['stdout']).__name__))"
    ).replace("stop =", "seen = set()\nstop =")
    one.start(program)
    assert one.ask("print(1)") == "1"
    one.ask("program.seen.clear()")
    time.sleep(0.3)
    assert "('module', 'TextIOWrapper')" in one.ask("print(program.seen)")


def test_restart_of_a_script(system: System) -> None:
    system.start(SERVER, "argument", until="up argument\n")
    done = system.run("restart")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    wait_for(lambda: system.output == "up argument\ndown\nup argument\n", lambda: system.output)
    assert system.run("pid").stdout == f"{system.pid}\n"
    assert system.run("stop").returncode == 0
    assert (system.end(), system.output) == (0, "up argument\ndown\nup argument\ndown\n")


def test_restart_of_a_script_without_handlers(system: System) -> None:
    program = """
        import atexit, time
        def main():
            atexit.register(print, "at exit", flush=True)
            print("up", flush=True)
            try:
                time.sleep(1000)
            finally:
                print("unwound", flush=True)
    """
    system.start(program)
    assert system.run("restart").returncode == 0
    wait_for(lambda: system.output == "up\nunwound\nat exit\nup\n", lambda: system.output)
    assert system.run("pid").stdout == f"{system.pid}\n"
    assert system.run("stop").returncode == 0
    assert (system.end(), system.errors) == (0, "")
    assert system.output == "up\nunwound\nat exit\n" * 2


def test_a_restart_that_fails_is_told(one: System) -> None:
    marker = one.directory / "marker"
    program = SERVER.replace(
        "def main():",
        f"def main():\n    import os\n    if os.path.exists({str(marker)!r}): raise SystemExit(4)",
    )
    one.start(program)
    marker.touch()
    done = one.run("restart")
    # It has come back as far as the script's first line: that is what a script's start is.
    assert one.end() == 4
    assert done.returncode in {0, 1}


def test_stop_without_waiting(one: System) -> None:
    one.start(SERVER.replace('print("down"', 'import time; time.sleep(1); print("down"'))
    begin = time.monotonic()
    assert one.run("stop", "--no-wait").returncode == 0
    assert time.monotonic() - begin < 1
    assert one.lives()
    assert one.end() == 0
    done = one.run("stop", "--now")
    assert (done.returncode, done.stderr) == (1, "ERROR: stop takes --no-wait, not '--now'\n")


def test_a_name_in_use(system: System) -> None:
    system.start(SERVER)
    done = system.run("start")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"ERROR: the node name probe is in use by process {system.pid}: stop that system, or set RELEASE_NODE to "
        "another name\n"
    )
    assert system.run("pid").stdout == f"{system.pid}\n"
    other = System(system.launcher, system.directory, {**system.variables, "RELEASE_NODE": "ü other"})
    try:
        other.start(SERVER)
        assert other.run("pid").stdout == f"{other.pid}\n"
        assert system.run("pid").stdout == f"{system.pid}\n"
    finally:
        other.kill()


def test_a_killed_system_leaves_nothing_in_the_way(system: System) -> None:
    system.start(SERVER)
    system.kill()
    assert (system.directory / "tmp" / "control" / "probe.sock").exists()
    assert system.run("pid").returncode == 1
    system.start(SERVER)
    assert system.run("pid").stdout == f"{system.pid}\n"


def test_who_may_see_the_files(one: System) -> None:
    one.start(SERVER)
    control = one.directory / "tmp" / "control"
    modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in [control, *control.iterdir()]}
    assert modes == {"control": 0o700, "probe.sock": 0o600, "probe.lock": 0o600}


@pytest.mark.parametrize("command", ["start", "eval", "version", "rpc", "stop", "daemon"])
def test_a_bad_distribution_stops_every_command(one: System, command: str) -> None:
    one.variables["RELEASE_DISTRIBUTION"] = "snmae"
    done = one.run(command, "print(1)")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "ERROR: RELEASE_DISTRIBUTION is 'snmae': set it to sname, name or none\n"


def test_without_distribution(one: System) -> None:
    one.variables["RELEASE_DISTRIBUTION"] = "none"
    one.start(SERVER)
    assert not (one.directory / "tmp").exists()
    done = one.rpc("1")
    assert (done.returncode, done.stderr) == (
        1,
        (
            "ERROR: rpc needs a control endpoint, and RELEASE_DISTRIBUTION=none has none: set it to sname, for the "
            "system too\n"
        ),
    )


def test_profiling_after_other_calls(system: System) -> None:
    system.start(SERVER)
    profile = "import cProfile; cProfile.run('sum(range(10))')"
    for _ in range(3):
        assert "function calls in" in system.ask(profile)
    # An interruption that has come leaves nothing behind either.
    with system.popen("rpc", "print(1, flush=True)\nwhile True: pass") as call:
        assert call.stdout is not None
        call.stdout.readline()
        call.send_signal(signal.SIGINT)
        call.wait(30)
    assert "function calls in" in system.ask(profile)
