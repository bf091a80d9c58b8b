"""Who must not get in, and what the endpoint endures: on a real system, by real sockets."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hatch_release.runtime.control import frames
from hatch_release.runtime.control.handshake import Handshake, WrongCookieError
from tests.runtime.nodes import wait_for
from tests.runtime.systems import SERVER, System

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.runtime.probe import Probe

SOCKET = "tmp/control/probe.sock"


@pytest.fixture(scope="module")
def attacked(probe: Probe, tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """One system that endures all of it."""
    made = System(probe.launcher, tmp_path_factory.mktemp("attacked")).start(SERVER)
    yield made
    assert made.lives(), made.errors
    made.kill()


def connect(system: System) -> socket.socket:
    """A connection to its socket."""
    channel = socket.socket(socket.AF_UNIX)
    channel.connect(str(system.directory / SOCKET))  # waits while too many others do
    channel.settimeout(30)
    return channel


def cookie_of(system: System) -> bytes:
    return (system.launcher.parents[1] / "releases" / "COOKIE").read_bytes()


def take(channel: socket.socket) -> dict[str, Any]:
    """The next message."""
    decoder = frames.Decoder(frames.LARGEST)
    while True:
        data = channel.recv(1)
        if not data:
            raise EOFError
        decoder.feed(data)
        for message in decoder.frames():
            return message


def authenticated(system: System) -> socket.socket:
    """A connection that has proved that it knows the cookie."""
    channel = connect(system)
    handshake = Handshake(cookie_of(system))
    channel.sendall(frames.encode(handshake.hello()))
    channel.sendall(frames.encode(handshake.prove(take(channel))))
    return channel


def is_refused(channel: socket.socket) -> bool:
    """Whether the other side closes without a word."""
    with channel:
        try:
            return not channel.recv(100)
        except ConnectionError:
            return True


def answers(system: System) -> bool:
    return system.run("pid").stdout == f"{system.pid}\n"


def test_a_wrong_cookie(one: System) -> None:
    one.start(SERVER)
    done = one.run("rpc", "print(1)", variables={"RELEASE_COOKIE": "wrong"})
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "ERROR: the system probe has another cookie: set RELEASE_COOKIE to the one that it was started with\n"
    )
    wait_for(lambda: "refused a control connection of process " in one.errors, lambda: one.errors)
    assert "cookie" in one.errors
    assert answers(one)


def test_a_command_that_knows_nothing(attacked: System) -> None:
    for cookie in (b"", b"guess"):
        channel = connect(attacked)
        handshake = Handshake(cookie)
        channel.sendall(frames.encode(handshake.hello()))
        reply = take(channel)
        with pytest.raises(WrongCookieError):
            handshake.prove(reply)
        channel.sendall(frames.encode({"proof": "00" * 32}) + frames.encode({"do": "stop"}))
        assert is_refused(channel)
    # Without any proof.
    channel = connect(attacked)
    channel.sendall(frames.encode({"do": "stop"}))
    assert is_refused(channel)
    assert answers(attacked)


def test_nothing_that_was_said_is_of_use_again(attacked: System) -> None:
    channel = connect(attacked)
    handshake = Handshake(cookie_of(attacked))
    hello = frames.encode(handshake.hello())
    channel.sendall(hello)
    first = take(channel)
    proof = frames.encode(handshake.prove(first))
    request = frames.encode({"do": "status"})
    channel.sendall(proof + request)
    assert take(channel)["result"]["pid"] == attacked.pid
    channel.close()
    # All of it once more; the node's own proof handed back to it; and its nonce, as if it were ours.
    replay = connect(attacked)
    replay.sendall(hello)
    second = take(replay)
    assert second["nonce"] != first["nonce"]
    replay.sendall(proof + request)
    assert is_refused(replay)
    reflection = connect(attacked)
    reflection.sendall(hello)
    reflection.sendall(frames.encode({"proof": take(reflection)["proof"]}) + request)
    assert is_refused(reflection)
    assert answers(attacked)


def test_a_node_that_is_none(one: System) -> None:
    control = one.directory / "tmp" / "control"
    control.mkdir(parents=True, mode=0o700)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(control / "probe.sock"))
        listener.listen()
        call = one.popen("rpc", "print('secret')")
        fake, _ = listener.accept()
        with fake:
            hello = take(fake)
            fake.sendall(frames.encode({"nonce": hello["nonce"], "proof": hello["nonce"]}))
            # It says no more to who doesn't know the cookie.
            assert fake.recv(1000) == b""
        out, err = call.communicate(timeout=60)
    assert (call.returncode, out, err.count("\n")) == (1, "", 1)
    assert "has another cookie" in err


@pytest.mark.parametrize("size", [0, 1, 100, frames.SHAKING + 1, 2**31, 2**32 - 1])
def test_odd_frames(attacked: System, size: int) -> None:
    channel = connect(attacked)
    with contextlib.suppress(ConnectionError):
        channel.sendall(size.to_bytes(4, "big") + b"[" * min(size, frames.SHAKING))
    assert is_refused(channel)
    assert answers(attacked)


def test_oversized_frames_after_the_handshake(attacked: System) -> None:
    channel = authenticated(attacked)
    channel.sendall((frames.LARGEST + 1).to_bytes(4, "big") + b"x" * 1000)
    assert is_refused(channel)
    assert answers(attacked)


@pytest.mark.parametrize(
    "request_", [{}, {"do": None}, {"do": "eval"}, {"do": ["rpc"]}, {"do": {"a": 1}}], ids=str
)
def test_requests_that_are_none(attacked: System, request_: dict[str, Any]) -> None:
    channel = authenticated(attacked)
    channel.sendall(frames.encode(request_))
    assert take(channel)["error"].startswith("the running system knows no request ")
    assert is_refused(channel)


def test_calls_with_nonsense_in_them(attacked: System) -> None:
    for request in (
        {"do": "rpc"},
        {"do": "rpc", "code": 1, "argv": 2},
        {"do": "rpc", "code": "1", "argv": [1, None]},
    ):
        channel = authenticated(attacked)
        channel.sendall(
            frames.encode(request) + frames.encode({"input": 5}) + frames.encode({"interrupt": []})
        )
        with channel:
            while "end" not in take(channel):  # it may be interrupted, and say so
                pass
    assert answers(attacked)


def test_slow_and_endless_senders(attacked: System) -> None:
    slow, endless, silent = connect(attacked), connect(attacked), connect(attacked)
    begin = time.monotonic()
    slow.sendall(b"\x00\x00\x0f\xff")
    hello = frames.encode(Handshake(b"").hello())
    with contextlib.suppress(OSError):
        while time.monotonic() - begin < 20:
            slow.sendall(b" ")
            endless.sendall(hello)
            time.sleep(0.2)
            assert answers(attacked)
    assert time.monotonic() - begin < 20
    for channel in (slow, silent):
        assert is_refused(channel)
    # The first greeting was answered; nothing after that.
    with endless, contextlib.suppress(ConnectionError):
        assert take(endless).keys() == {"nonce", "proof"}
        assert not endless.recv(100)


def memory(system: System) -> int:
    """Bytes of memory that it holds."""
    pages = Path(f"/proc/{system.pid}/statm").read_text("utf-8").split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


@pytest.mark.parametrize(
    ("asked", "busy", "more"),
    [
        ({"do": "shell"}, {"source": "while True: pass\n"}, {"source": "x = '" + "y" * 100_000 + "'"}),
        ({"do": "shell"}, {"source": "while True: pass\n"}, {"complete": "z" * 50, "other": [1] * 1000}),
        ({"do": "rpc", "code": "while True: pass"}, {}, {"input": "i" * 100_000}),
    ],
)
def test_one_that_is_known_sends_without_end(
    one: System, asked: dict[str, Any], busy: dict[str, Any], more: dict[str, Any]
) -> None:
    one.start(SERVER)
    assert answers(one)
    before = memory(one)
    threads = "import threading; print(sum('<' in each.name for each in threading.enumerate()))"
    with authenticated(one) as endless:
        endless.sendall(frames.encode(asked))
        if busy:
            assert "banner" in take(endless)
            endless.sendall(frames.encode(busy))
        data = frames.encode(more) * 10
        endless.settimeout(1)
        with contextlib.suppress(TimeoutError):  # nobody listens any more
            for _ in range(500):
                endless.sendall(data)
            pytest.fail("all of it was taken")
        assert answers(one)
        assert one.ask(threads) == "2"  # the busy one and this one
        assert memory(one) - before < 50_000_000
    # It is gone, though much of what it said was never heard.
    wait_for(lambda: one.ask(threads) == "1")
    assert answers(one)


def test_more_than_is_looked_at_is_heard_in_the_end(one: System) -> None:
    one.start(SERVER)
    count = 2000
    with authenticated(one) as typing:
        typing.sendall(frames.encode({"do": "shell"}))
        assert "banner" in take(typing)
        source = "import time; time.sleep(1); kept = []"
        typing.sendall(frames.encode({"source": source}))
        pause = " " * 2000
        for number in range(count):
            typing.sendall(frames.encode({"source": f"kept.append({number}){pause}", "id": number}))
        typing.sendall(frames.encode({"source": f"print(kept == list(range({count})))"}))
        said = ""
        while "True" not in said and "False" not in said:
            said = str(take(typing).get("out", ""))
        assert said == "True\n"
        # Input as well.
    done = one.rpc(
        "import sys, time; time.sleep(0.5); print(len(sys.stdin.read()))", stdin="12345678" * 1_000_000
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "8000000\n", "")


def test_many_connections(attacked: System) -> None:
    flood(attacked, 500)


@pytest.mark.long
def test_ten_thousand_connections(attacked: System) -> None:
    flood(attacked, 10_000)


def flood(system: System, number: int) -> None:
    """Open connections and leave them open: others are served meanwhile, and nothing grows."""
    before = numbers(system)
    opened = []
    try:
        for count in range(number):
            opened.append(connect(system))
            if len(opened) >= 400:
                opened.pop(0).close()
            if count % (number // 5) == 0:
                assert answers(system)
        during = numbers(system)
        assert during["descriptors"] < before["descriptors"] + 100
        assert during["threads"] <= before["threads"] + 2
    finally:
        for channel in opened:
            channel.close()
    wait_for(
        lambda: numbers(system)["descriptors"] <= before["descriptors"] + 2, lambda: str(numbers(system))
    )
    # The log tells of them, but not of each.
    assert 1 <= system.errors.count("refused a control connection") <= 50


def numbers(system: System) -> dict[str, int]:
    found = json.loads(system.run("info", "--json").stdout)
    return {
        "descriptors": found["descriptors"]["open"],
        "threads": found["threads"],
        "memory": found["memory"]["resident"],
    }


def test_another_user(probe: Probe, tmp_path: Path) -> None:
    setpriv = shutil.which("setpriv")
    if os.geteuid() or not setpriv:
        pytest.skip("takes root, and setpriv")
    system = System(probe.launcher, tmp_path).start(SERVER)
    try:
        as_other = [setpriv, "--reuid=65534", "--regid=65534", "--clear-groups"]
        # Even with every permission on the way there, and the cookie.
        for path in (tmp_path, *tmp_path.parents):
            if path.stat().st_uid == 0 and path != path.parent:
                path.chmod(path.stat().st_mode | 0o055)
        for path in (tmp_path / "tmp", tmp_path / "tmp" / "control"):
            path.chmod(0o777)
        (tmp_path / SOCKET).chmod(0o777)
        code = (
            "import socket, sys; s = socket.socket(socket.AF_UNIX); s.settimeout(30); s.connect(sys.argv[1])\n"
            "try: print(s.recv(100))\nexcept ConnectionError: print(b'')"
        )
        interpreter = next(probe.root.glob("python-*/bin/python3"))
        command = [*as_other, str(interpreter), "-I", "-S", "-c", code, str(tmp_path / SOCKET)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        if "Permission denied" in done.stderr:
            pytest.skip("the directory of the tests is closed to other users")
        assert done.stdout == "b''\n", done.stderr
        wait_for(lambda: "of user 65534: it is another user's" in system.errors, lambda: system.errors)
        assert answers(system)
    finally:
        system.kill()


@pytest.mark.parametrize("what", ["symlink", "file", "directory", "socket of another"])
def test_something_in_the_place_of_the_socket(one: System, what: str) -> None:
    place = one.directory / SOCKET
    place.parent.mkdir(parents=True, mode=0o700)
    elsewhere = one.directory / "elsewhere"
    if what == "symlink":
        elsewhere.write_text("precious")
        place.symlink_to(elsewhere)
    elif what == "file":
        place.write_text("")
    elif what == "directory":
        place.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(str(place))
    if what == "directory":
        done = one.run("start")
        assert (done.returncode, done.stderr) == (1, f"ERROR: {place} is a directory: remove it\n")
        return
    assert one.run("pid").returncode == 1
    one.start(SERVER)
    assert answers(one)
    if what == "symlink":
        assert elsewhere.read_text() == "precious"


def test_a_directory_that_was_planted(one: System) -> None:
    target = one.directory / "target"
    target.mkdir()
    (one.directory / "tmp").mkdir()
    control = one.directory / "tmp" / "control"
    control.symlink_to(target)
    done = one.run("start")
    assert (done.returncode, done.stderr) == (1, f"ERROR: {control} is no directory: remove it\n")
    assert not list(target.iterdir())
    control.unlink()
    control.mkdir(mode=0o777)
    control.chmod(0o777)
    one.start(SERVER)
    assert control.stat().st_mode & 0o777 == 0o700
    one.run("stop")
    one.end()
    if os.geteuid() == 0:
        control.mkdir(exist_ok=True)
        os.chown(control, 65534, 65534)
        done = one.run("start")
        assert done.returncode == 1
        assert done.stderr.startswith(f"ERROR: {control} belongs to the user with the number 65534: ")


def test_the_cookie_is_nowhere_to_be_seen(one: System) -> None:
    cookie = "a-very-secret-cookie-of-this-test"
    one.variables["RELEASE_COOKIE"] = cookie
    one.start(SERVER)
    with one.popen("rpc", "import time\nprint(1, flush=True)\nwhile True: time.sleep(.01)") as call:
        assert call.stdout is not None
        call.stdout.readline()
        for pid in (one.pid, call.pid):
            assert cookie not in Path(f"/proc/{pid}/cmdline").read_text("utf-8")
        call.kill()
    one.run("pid", variables={"RELEASE_COOKIE": "wrong"})
    one.rpc("raise ValueError")
    for path in one.directory.rglob("*"):
        if path.is_file():
            assert cookie not in path.read_text("utf-8", "replace")


MESSAGES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda each: st.lists(each, max_size=4) | st.dictionaries(st.text(), each, max_size=4),
    max_leaves=10,
)
FUZZ = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@FUZZ
@given(st.lists(st.binary(max_size=200) | MESSAGES, max_size=4))
def test_anything_before_the_handshake(attacked: System, parts: list[Any]) -> None:
    with connect(attacked) as channel, contextlib.suppress(OSError):
        for part in parts:
            channel.sendall(part if isinstance(part, bytes) else framed(part))
    assert attacked.lives()


KEYS = st.sampled_from(["do", "code", "argv", "input", "interrupt", "source", "complete", "end"])
VALUES = MESSAGES | st.sampled_from(["status", "info", "stacks", "shell", "rpc", "1", "print(1)", "input()"])


@FUZZ
@given(st.lists(st.dictionaries(KEYS, VALUES, max_size=3) | st.binary(max_size=100), max_size=5))
def test_anything_after_the_handshake(attacked: System, parts: list[Any]) -> None:
    with authenticated(attacked) as channel, contextlib.suppress(OSError):
        for part in parts:
            if isinstance(part, dict) and part.get("do") in ("stop", "restart"):
                continue
            channel.sendall(part if isinstance(part, bytes) else framed(part))
    assert attacked.lives()


def test_what_was_attacked_still_answers(attacked: System) -> None:
    assert answers(attacked)
    # And nothing of all that is left in it.
    names = "import threading; print([each.name for each in threading.enumerate() if each.name[:1] == '<'])"
    wait_for(lambda: attacked.ask(names).count("<") == 1, lambda: attacked.ask(names))
    assert "Traceback" not in attacked.errors


@given(st.lists(st.dictionaries(st.text(), MESSAGES, max_size=3), max_size=5), st.integers(1, 50))
def test_frames_come_whole_however_they_are_cut(messages: list[dict[str, Any]], step: int) -> None:
    data = b"".join(map(frames.encode, messages))
    decoder = frames.Decoder()
    found = []
    for begin in range(0, len(data), step):
        decoder.feed(data[begin : begin + step])
        found += list(decoder.frames())
    assert found == messages


def framed(value: Any) -> bytes:  # noqa: ANN401 - what JSON can hold
    """A frame of anything, also of what is no object."""
    body = json.dumps(value).encode()
    return len(body).to_bytes(4, "big") + body
