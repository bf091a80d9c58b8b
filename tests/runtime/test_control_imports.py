"""What commands import, and the system that answers them: that is most of the time that a command takes."""

from __future__ import annotations

import contextlib
import hmac
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.projects import ROOT
from tests.runtime.nodes import wait_for

if TYPE_CHECKING:
    from tests.runtime.systems import System

NEVER = {
    "typing",
    "inspect",
    "ast",
    "dis",
    "json",
    "asyncio",
    "logging",
    "socket",
    "selectors",
    "hashlib",
    "hmac",
}
"""Nobody needs them."""
NOT_IN_A_COMMAND = NEVER | {
    "re",
    "enum",
    "collections",
    "functools",
    "contextlib",
    "signal",
    "threading",
    "_ast",
}
IDLE = "import time\ndef main():\n    print('up', flush=True)\n    while True: time.sleep(0.01)"


def imported(errors: str) -> set[str]:
    """The modules that `-X importtime` has written down."""
    lines = [line for line in errors.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip() for line in lines} - {"imported package"}


@pytest.fixture
def telling(system: System) -> System:
    """A system to start that tells what it imports, whose commands do too."""
    options = system.directory / "vm.args"
    options.write_text("-X importtime\n")
    system.variables |= {"RELEASE_VM_ARGS": str(options), "RELEASE_REMOTE_VM_ARGS": str(options)}
    return system.start(IDLE)


@pytest.mark.parametrize("words", [["rpc", "print('hello')"], ["rpc", "import os; print(os.sep)"], ["pid"]])
def test_what_a_command_imports(telling: System, words: list[str]) -> None:
    done = telling.run(*words)
    assert done.returncode == 0
    found = imported(done.stderr)
    assert "hatch_release.runtime.control.connection" in found
    assert found.isdisjoint(NOT_IN_A_COMMAND), found & NOT_IN_A_COMMAND


def test_what_a_system_imports_for_its_first_call(telling: System) -> None:
    before = imported(telling.errors)
    assert before.isdisjoint(NEVER | {"re"}), before & (NEVER | {"re"})
    assert telling.run("rpc", "print('hello')").stdout == "hello\n"
    found = imported(telling.errors) - before
    assert "hatch_release.runtime.control.calls" in found
    # `linecache`, which tracebacks take the lines of a call from, needs the two.
    assert found.isdisjoint(NEVER | {"_ast"}), found & (NEVER | {"_ast"})


@pytest.mark.parametrize("minor", interpreters.available())
@pytest.mark.parametrize("module", ["daemon.command", "daemon.foreground"])
def test_what_a_keeper_imports(minor: str, module: str, tmp_path: Path) -> None:
    (tmp_path / "runtime").symlink_to(ROOT / "hatch_release" / "runtime")
    program = f"import sys; sys.path.append({str(tmp_path)!r}); import runtime.{module}"
    command = [str(interpreters.find(minor)), "-I", "-S", "-X", "importtime", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = imported(done.stderr)
    assert "runtime.daemon.keeper" in found
    assert found.isdisjoint(NOT_IN_A_COMMAND), found & NOT_IN_A_COMMAND


PROOFS = """
import os, sys
from hatch_release.runtime.control.digest import hmac_sha256, is_equal
for line in sys.stdin:
    key, message, proof = map(bytes.fromhex, line.split(","))
    found = hmac_sha256(key, message)
    assert is_equal(found, proof), line
    assert not is_equal(found[:-1], proof) and not is_equal(b"\\0" * 32, proof)
print("hashlib" in sys.modules)
"""


@pytest.mark.parametrize("minor", interpreters.available())
@pytest.mark.parametrize("has_own", [True, False])
def test_proofs_are_those_of_every_other_implementation(minor: str, has_own: bool) -> None:  # noqa: FBT001 - a case
    program = PROOFS
    if not has_own:  # as where a distribution leaves all digests to OpenSSL
        program = "import sys; sys.modules.update(_sha2=None, _sha256=None)\n" + program
        program = program.replace("import os, sys", "import os", 1)
    lines = []
    for size in (*range(70), 127, 128, 129, 1000):
        key, message = os.urandom(size), os.urandom(2 * size)
        lines.append(",".join(each.hex() for each in (key, message, hmac.digest(key, message, "sha256"))))
    # RFC 4231, test cases 2 and 6.
    for key, data, proof in (
        (
            b"Jefe",
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (
            b"\xaa" * 131,
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
    ):
        lines.append(f"{key.hex()},{data.hex()},{proof}")
    done = subprocess.run(
        [str(interpreters.find(minor)), "-c", program],
        input="\n".join(lines),
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{not has_own}\n", "")


EXHAUSTED = """
import errno, os, resource, signal, time

resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []

def take(*_anything):
    try:
        while True: taken.append(os.open(os.devnull, os.O_RDONLY))
    except OSError as error:
        assert error.errno == errno.EMFILE

def free(*_anything):
    while taken: os.close(taken.pop())

def main():
    signal.signal(signal.SIGUSR1, free)
    signal.signal(signal.SIGUSR2, take)
    take()
    print("up", flush=True)
    while True:
        print(len(taken), flush=True)
        time.sleep(0.01)
"""


@pytest.mark.parametrize("served", [False, True])
def test_a_system_without_descriptors_is_reached_when_it_has_some(one: System, served: bool) -> None:  # noqa: FBT001 - a case
    one.start(EXHAUSTED)

    def last() -> str:
        return one.output.splitlines()[-1]

    def send(number: int) -> None:
        assert one.process is not None
        before = len(one.output.splitlines())
        one.process.send_signal(number)
        wait_for(lambda: len(one.output.splitlines()) > before + 1)

    if served:
        send(signal.SIGUSR1)
        assert one.run("pid").stdout == f"{one.pid}\n"
        send(signal.SIGUSR2)
    assert last() != "0"
    with one.popen("rpc", "print(1)") as call:
        wait_for(lambda: has_socket(call.pid), lambda: f"{call.poll()}")
        send(signal.SIGUSR1)
        out, err = call.communicate(timeout=30)
    assert (call.returncode, out, err) == (0, "1\n", "")
    assert one.ask("print(2)") == "2"


def has_socket(pid: int) -> bool:
    """Whether a process has a socket."""
    with contextlib.suppress(OSError):  # one that it has just closed
        return any(file.is_socket() for file in Path(f"/proc/{pid}/fd").iterdir())
    return False
