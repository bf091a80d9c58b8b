"""Many calls, and programs that fork, start threads, or start themselves anew: nothing grows, nothing leaks."""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.runtime.nodes import alive, wait_for
from tests.runtime.systems import LOOP, SERVER, System

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.probe import Probe


def numbers(system: System) -> tuple[int, int, int]:
    """Memory in bytes, threads, descriptors."""
    found = json.loads(system.run("info", "--json").stdout)
    return found["memory"]["resident"], found["threads"], found["descriptors"]["open"]


def many(system: System, warm_up: int, calls: int) -> None:
    """Call again and again from within one process of its own; compare before and after."""
    loop = 'i=0; while [ $i -lt "$1" ]; do "$2" rpc "print($i)" || exit 1; i=$((i + 1)); done'

    def run(count: int) -> None:
        command = ["/bin/sh", "-c", loop, "sh", str(count), str(system.launcher)]
        done = subprocess.run(command, env=system.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert done.stdout == "".join(f"{number}\n" for number in range(count))

    run(warm_up)
    memory, threads, descriptors = numbers(system)
    run(calls)
    wait_for(lambda: numbers(system)[1:] == (threads, descriptors), lambda: str(numbers(system)))
    assert numbers(system)[0] < memory + 3_000_000


@pytest.mark.parametrize("program", [SERVER, LOOP])
def test_calls_in_a_row(one: System, program: str) -> None:
    many(one.start(program), 30, 150)


@pytest.mark.long
def test_ten_thousand_calls_in_a_row(one: System) -> None:
    many(one.start(LOOP), 200, 10_000)


@pytest.mark.parametrize("calls", [40, pytest.param(200, marks=pytest.mark.long)])
def test_concurrent_calls(one: System, calls: int) -> None:
    one.start(LOOP)
    before = numbers(one)

    def call(number: int) -> str:
        wait = "import asyncio; await asyncio.sleep(.3)" if number % 2 else "import time; time.sleep(.3)"
        return one.rpc(f"{wait}\nprint({number})").stdout

    with ThreadPoolExecutor(calls) as pool:
        assert list(pool.map(call, range(calls))) == [f"{number}\n" for number in range(calls)]
    wait_for(lambda: numbers(one)[1:] == before[1:], lambda: f"{before} {numbers(one)}")


FORKING = """
import os, signal, sys, threading, time

def main():
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    child = os.fork()
    if child == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(.2)
        print(sorted(os.path.realpath(f"/proc/self/fd/{name}") for name in os.listdir("/proc/self/fd")), flush=True)
        time.sleep(1000)
    print("child", child, flush=True)
    time.sleep(.3)
    print("up", flush=True)
    stop.wait()
"""


def test_a_program_that_forks(system: System) -> None:
    system.start(FORKING)
    child = int(system.output.partition("child ")[2].split()[0])
    try:
        wait_for(lambda: "/proc" in system.output)
        assert "control" not in system.output
        assert "socket:" not in system.output
        # Nor do children that are forked while calls run have any part of them.
        code = (
            "import os, sys, time\nprint('before', flush=True)\npid = os.fork()\n"
            "if pid == 0:\n    print('in the child', flush=True); os._exit(0)\nos.waitpid(pid, 0); print('after')"
        )
        done = system.rpc(code)
        assert (done.returncode, done.stdout) == (0, "before\nafter\n"), done.stderr
        assert "in the child" in system.output
        assert system.run("stop").returncode == 0
        assert system.end() == 0
        # The child lives on; the name is free all the same.
        assert alive(child)
        assert system.run("pid").returncode == 1
        system.start(SERVER)
        assert system.run("pid").stdout == f"{system.pid}\n"
    finally:
        os.kill(child, 9)


def test_a_program_that_starts_itself_anew_beside_itself(system: System) -> None:
    program = """
        import os, signal, subprocess, sys, threading
        stop = threading.Event()
        def main():
            signal.signal(signal.SIGTERM, lambda *_: stop.set())
            if "SECOND" not in os.environ:
                child = subprocess.Popen([sys.executable, *sys.argv], env={**os.environ, "SECOND": "1"})
                print("second", child.pid, flush=True)
            print("up", flush=True)
            stop.wait()
    """
    system.start(program)
    second = int(system.output.partition("second ")[2].split()[0])
    wait_for(lambda: system.output.count("up") == 2, lambda: system.output + system.errors)
    try:
        assert system.run("pid").stdout == f"{system.pid}\n"
        assert system.run("stop").returncode == 0
        system.end()
        wait_for(lambda: system.run("pid").stdout == f"{second}\n", lambda: system.run("pid").stderr)
        assert system.ask("import os; print(os.environ['SECOND'])") == "1"
        assert system.run("stop").returncode == 0
        wait_for(lambda: not alive(second))
    finally:
        if alive(second):
            os.kill(second, 9)


def test_a_program_that_closes_what_is_not_its_own(one: System) -> None:
    program = """
        import os, signal, socket, threading
        stop = threading.Event()
        def main():
            signal.signal(signal.SIGTERM, lambda *_: stop.set())
            os.closerange(3, 100)
            kept = [socket.create_server(("127.0.0.1", 0)) for _ in range(20)]
            print("up", flush=True)
            stop.wait()
    """
    one.start(program)
    done = one.run("pid")
    assert done.returncode == 1 or done.stdout == f"{one.pid}\n"
    assert one.lives()
    os.kill(one.pid, 15)
    assert one.end() == 0


def test_deep_paths(probe: Probe, tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["a directory with a long name"] * 6)
    deep.mkdir(parents=True)
    system = System(probe.launcher, deep).start(SERVER)
    try:
        assert len(str(deep)) > 150
        assert system.run("pid").stdout == f"{system.pid}\n"
        assert system.run("stop").returncode == 0
    finally:
        system.kill()


def test_a_release_that_cannot_be_written(probe: Probe, tmp_path: Path) -> None:
    clone = probe.clone(tmp_path / "root")
    # A file in the place of the directory: root writes into everything else.
    (clone.root / "tmp").write_text("")
    system = System(clone.launcher, tmp_path)
    system.variables["RELEASE_TMP"] = ""
    try:
        system.start(SERVER)
        assert system.errors == ""
        assert system.run("pid").stdout == f"{system.pid}\n"
        assert system.run("stop").returncode == 0
        assert system.end() == 0
    finally:
        system.kill()
    system.variables["RELEASE_TMP"] = str(clone.root / "tmp" / "below a file")
    done = system.run("start")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        f"ERROR: cannot write {clone.root / 'tmp' / 'below a file'} (Not a directory): "
    )
    assert done.stderr.count("\n") == 1
