"""Applications that run: shapes, order, modes, and the end, each shown on a node of its own."""

from __future__ import annotations

import os
import re
import signal
import time

import pytest

from tests.runtime.nodes import Nodes, alive, wait_for


def test_all_shapes_start_in_order_and_stop_in_the_opposite_one(nodes: Nodes) -> None:
    node = nodes.start("shapes", "a b", "ü").until("function up")
    assert node.said() == ["context up", "async_context up", "instance up", "coroutine up", "function up"]
    assert node.line("context up")["argv"] == ["a b", "ü"]
    assert node.line("function up")["main"]
    assert {node.line(f"{name} up")["thread"] for name in ("async_context", "coroutine")} == {"event loop"}
    assert node.line("context up")["thread"] == "MainThread"
    code, err = node.stop()
    assert code == 0, err
    assert node.said()[5:] == [
        "function down",
        "coroutine down",
        "instance down",
        "async_context down",
        "context down",
    ]
    assert node.line("function down")["error"] == "SystemExit"
    events = [line.split(" ", 3)[3] for line in err.splitlines()]
    assert events[5:7] == [
        "started: context, async_context, instance, coroutine, function",
        "SIGTERM received, stopping",
    ]
    assert events[-1] == "stopped"


def test_only_async_ones_have_the_main_thread(nodes: Nodes) -> None:
    node = nodes.start("all_async").until("coroutine up")
    assert {line["thread"] for line in node.lines()} == {"MainThread"}
    assert node.stop()[0] == 0
    assert node.said()[2:] == ["coroutine down", "async_context down"]


def test_two_functions_have_threads_of_their_own(nodes: Nodes) -> None:
    node = nodes.start("two_functions")
    wait_for(lambda: node.said() == ["function up"] * 2)
    assert [line["main"] for line in node.lines()] == [False, False]
    assert node.stop()[0] == 0
    assert node.said()[2:] == ["function down"] * 2


def test_what_a_function_gives_is_entered_or_awaited(nodes: Nodes) -> None:
    node = nodes.start("adopted").until("context up", "coroutine up")
    assert node.stop()[0] == 0
    assert sorted(node.said()[2:]) == ["context down", "coroutine down"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_keeps_its_own_handlers(nodes: Nodes, number: int) -> None:
    node = nodes.start("server").until("server up")
    assert node.line("server up")["handler"] == "ask"
    assert node.signal(number).end()[0] == 0
    assert node.said()[2:] == ["server asked", "server down", "context down"]
    assert node.line("server asked")["signal"] == number


ENDS = {
    ("permanent", "crash"): 1,
    ("permanent", "normal"): 1,
    ("permanent", "start"): 1,
    ("transient", "crash"): 1,
    ("transient", "normal"): None,
    ("transient", "start"): 1,
    ("temporary", "crash"): None,
    ("temporary", "normal"): None,
    ("temporary", "start"): None,
    ("permanent", "exit"): 7,
}
"""Exit codes by mode and end; None: the node lives."""


@pytest.mark.parametrize(("mode", "end"), ENDS)
def test_modes(nodes: Nodes, mode: str, end: str) -> None:
    node = nodes.start(mode, END=end).until("mode up")
    expected = ENDS[mode, end]
    if expected is None:
        time.sleep(0.6)
        assert node.process.poll() is None
        code, err = node.stop()
        assert code == 0
    else:
        code, err = node.end()
        assert code == expected, err
    # The others' stop callbacks run in any case.
    assert node.said()[-1] == "context down"
    if end in {"crash", "start"}:
        assert f"{mode} failed" in err
        assert "ValueError" in err


def test_restarts_come_before_the_mode(nodes: Nodes) -> None:
    node = nodes.start("restarted", END="crash")
    code, err = node.end()
    assert code == 1
    assert node.said() == ["context up", *["mode up", "mode down"] * 3, "context down"]
    assert err.count("it is started again (2 times within 60 s at most)") == 2


def test_what_is_restarted_keeps_its_place(nodes: Nodes) -> None:
    node = nodes.start("restarted_first", END="once")
    wait_for(lambda: node.said().count("mode up") == 2 and "runner up" in node.said())
    assert node.stop()[0] == 0
    assert node.said()[-2:] == ["runner down", "mode down"]


def test_many_restarts_of_what_can_not_start(nodes: Nodes) -> None:
    code, err = nodes.start("often_restarted", END="start").end()
    assert code == 1
    assert err.count("it is started again") == 1500
    assert 'ValueError: ("it can\'t start", 1501)' in err
    assert "RecursionError" not in err


def test_a_failure_while_starting_stops_what_was_started(nodes: Nodes) -> None:
    code, err = nodes.start("never_ready").end()
    assert code == 1
    assert re.search(r"never_ready failed to start \(port \d+ did not answer within 0.5 seconds\)", err)
    assert nodes.started[0].said()[-1] == "context down"
    wait_for(lambda: not alive(nodes.started[0].line("child up")["pid"]))


def test_what_hangs_is_given_up(nodes: Nodes) -> None:
    node = nodes.start("stuck").until("stuck_context up", "stuck_async up", "stuck_coroutine up")
    begin = time.monotonic()
    code, err = node.stop()
    assert code == 0, err
    assert time.monotonic() - begin < 20
    assert err.count("it is given up") == 3
    assert node.said()[-1] == "context down"


def test_a_function_that_hangs_is_given_up(nodes: Nodes) -> None:
    node = nodes.start("stuck_function").until("stuck_function up")
    code, err = node.stop()
    assert code == 0
    assert "stuck_function goes on after 0.3 s: it is given up" in err


def test_a_stop_while_something_starts(nodes: Nodes) -> None:
    node = nodes.start("slow_start").until("slow_start begins")
    code, err = node.stop()
    assert code == 0, err
    assert node.said()[-1] == "context down"


def test_a_child_process(nodes: Nodes) -> None:
    node = nodes.start("child").until("child up")
    child = node.line("child up")
    assert child["parent"] == node.process.pid
    code, err = node.stop()
    assert code == 0, err
    wait_for(lambda: not alive(child["pid"]) and not alive(child["grandchild"]))
    assert node.said()[-1] == "context down"


def test_a_child_that_does_not_listen_is_killed(nodes: Nodes) -> None:
    node = nodes.start("stubborn_child").until("child up")
    child = node.line("child up")
    assert node.stop()[0] == 0
    wait_for(lambda: not alive(child["pid"]) and not alive(child["grandchild"]))


def test_a_child_is_ready_when_its_port_answers(nodes: Nodes) -> None:
    node = nodes.start("serving_child").until("mode up")
    assert node.said() == ["child up", "child serves", "mode up"]
    assert node.stop()[0] == 0


def test_a_child_that_dies_stops_the_node(nodes: Nodes) -> None:
    node = nodes.start("child").until("child up")
    os.kill(node.line("child up")["pid"], signal.SIGKILL)
    code, err = node.end()
    assert code == 1
    assert "child failed (it was ended by SIGKILL): its mode is permanent, so the system stops" in err
    assert node.said()[-1] == "context down"


def test_children_do_not_outlive_a_killed_node(nodes: Nodes) -> None:
    node = nodes.start("child").until("child up")
    node.signal(signal.SIGKILL)
    wait_for(lambda: not alive(node.line("child up")["pid"]))
    os.kill(node.line("child up")["grandchild"], signal.SIGKILL)


def test_hangup(nodes: Nodes) -> None:
    node = nodes.start("all_async").until("coroutine up")
    assert node.signal(signal.SIGHUP).end()[0] == 129
    assert node.said()[-1] == "async_context down"


def test_a_second_signal_is_logged_and_a_third_ends_at_once(nodes: Nodes) -> None:
    node = nodes.start("stuck_function").until("stuck_function up")
    sent = 0
    while node.process.poll() is None and sent < 10:  # on a busy machine two that are pending become one
        node.signal(signal.SIGTERM)
        sent += 1
        time.sleep(0.1)
    code, err = node.end()
    assert sent >= 3
    assert err.count("SIGTERM received") <= 2  # the third that arrives is the last one
    assert code == 128 + signal.SIGTERM
    assert "SIGTERM received, stopping" in err
