"""Child processes of a node: how they end, when they are ready, what they get."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from typing import TYPE_CHECKING

from tests.runtime.nodes import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.runtime.nodes import Nodes


def test_a_child_that_fails_is_no_normal_end(nodes: Nodes) -> None:
    node = nodes.start("crashing_child")
    code, err = node.end()
    assert code == 1, err
    assert (
        "crashing_child failed (it ended with exit code 3): its mode is transient, so the system stops" in err
    )
    assert node.said() == ["context up", "child up", "context down"]


def test_a_child_may_end(nodes: Nodes) -> None:
    node = nodes.start("ending_child").until("child up")
    time.sleep(0.6)
    code, err = node.stop()
    assert code == 0, err
    assert "ending_child ended: its mode is transient, so the system goes on" in err
    assert node.said()[-1] == "context down"


def test_a_child_is_ready_when_its_command_answers(nodes: Nodes) -> None:
    node = nodes.start("answering_child").until("mode up")
    assert node.said() == ["child answers", "mode up"]
    assert node.stop()[0] == 0


def test_a_program_that_is_not_there(nodes: Nodes) -> None:
    code, err = nodes.start("missing_program").end()
    assert code == 1
    assert (
        "missing_program failed to start (no-such-program can't be run: No such file or directory): "
        "its mode is permanent, so the system stops" in err
    )
    assert "Traceback" not in err
    assert nodes.started[0].said() == ["context up", "context down"]


def test_a_child_runs_with_the_options_of_the_system(nodes: Nodes, tmp_path: Path) -> None:
    options = tmp_path / "vm args"
    options.write_text("-W error::FutureWarning\n")
    node = nodes.start("child", RELEASE_VM_ARGS=str(options)).until("child up")
    child = node.line("child up")
    assert child["options"] == ["error::FutureWarning"]
    assert child["argv"][1:] == []
    assert node.stop()[0] == 0


def test_a_child_gets_the_listening_sockets(nodes: Nodes) -> None:
    with socket.create_server(("localhost", 0)) as server, as_first_socket(server):
        own = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh"]
        node = nodes.start("listening_child", wrap=own, LISTEN_FDS="1").until("child listens")
        assert (node.line("child listens")["mine"], node.line("child listens")["sockets"]) == (True, "1")
        with socket.create_connection(server.getsockname(), 10) as client:
            assert client.recv(100) == b"hello from the child"
        assert node.stop()[0] == 0


def test_a_socket_outlives_those_that_serve_it(nodes: Nodes) -> None:
    own = ["/bin/sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh"]
    with socket.create_server(("localhost", 0)) as server, as_first_socket(server):
        node = nodes.start("asyncio_server", wrap=own, LISTEN_FDS="1")
        for life, wish in enumerate((b"crash\n", b"restart\n", b"\n"), 1):
            # A visitor that comes while one life ends may still be let in by it.
            wait_for(lambda life=life: node.said().count("asyncio_server up") == life)  # type: ignore[misc]
            with socket.create_connection(server.getsockname(), 20) as client:
                assert client.recv(100) == b"hello"
                client.sendall(wish)
                assert client.recv(100) == b""
        assert node.stop()[0] == 0
    lives = [line for line in node.lines() if line["what"] == "asyncio_server up"]
    assert [(line["mine"], line["sockets"]) for line in lives] == [(True, "1")] * 3


@contextlib.contextmanager
def as_first_socket(server: socket.socket) -> Iterator[None]:
    """Hand `server` to programs started meanwhile as descriptor 3, where they look for it."""
    try:
        saved = os.dup(3)
    except OSError:
        saved = None
    os.dup2(server.fileno(), 3, inheritable=True)
    try:
        yield
    finally:
        if saved is None:
            os.close(3)
        else:
            os.dup2(saved, 3)
            os.close(saved)


def test_restarts_that_lie_further_apart_than_their_limit_go_on(nodes: Nodes) -> None:
    # One restart within 0.1 s is allowed, and each life takes longer than that.
    node = nodes.start("soon_restarted", END="crash")
    wait_for(lambda: node.said().count("mode up") >= 4)
    code, err = node.stop()
    assert code == 0, err
    assert "so the system stops" not in err
