"""What does not end as it should: calls that wait, a held up event loop, a task that ends the process."""

from __future__ import annotations

import signal
import time

import pytest

from tests.runtime.nodes import Nodes, wait_for


def test_a_signal_while_starting_stops_what_was_started(nodes: Nodes) -> None:
    node = nodes.start("slow_start").until("slow_start begins")
    code, err = node.stop()
    assert code == 0, err
    assert node.said()[-1] == "context down"
    assert "started: " not in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_call_that_waits_while_starting_is_interrupted(nodes: Nodes, number: int) -> None:
    node = nodes.start("slow_enter").until("slow_enter begins")
    begin = time.monotonic()
    code, err = node.signal(number).end()
    assert code == 0, err
    assert time.monotonic() - begin < 5
    assert node.said()[2:] == ["slow_enter down", "async_context down"]
    assert "given up" not in err


def test_a_call_that_waits_while_stopping_is_interrupted_after_its_time(nodes: Nodes) -> None:
    node = nodes.start("slow_exit").until("slow_exit up")
    wait_for(lambda: len(node.said()) == 2)
    time.sleep(0.2)
    begin = time.monotonic()
    code, err = node.stop()
    assert code == 0, err
    assert 0.3 <= time.monotonic() - begin < 5
    assert node.said()[2:] == ["slow_exit interrupted", "async_context down"]
    assert "given up" not in err


def test_a_thread_that_waits_in_a_call_is_given_up(nodes: Nodes) -> None:
    node = nodes.start("two_sleepers").until("sleeper up", "function up")
    time.sleep(0.5)  # from these words to the call that waits
    code, err = node.stop()
    assert code == 0, err
    assert "sleeper goes on after 0.3 s: it is given up" in err
    assert node.said()[-2:] == ["function down", "context down"]


def test_a_held_up_event_loop_is_given_up(nodes: Nodes) -> None:
    node = nodes.start("hard").until("blocking up")
    begin = time.monotonic()
    code, err = node.stop()
    assert code == 0, err
    assert time.monotonic() - begin < 10
    assert "blocking goes on after 0.3 s: it is given up" in err
    assert "sleeper stopped" in err
    assert node.said()[-1] == "context down"


def test_an_event_loop_in_the_main_thread_is_given_up_too(nodes: Nodes) -> None:
    node = nodes.start("long_blocking").until("blocking up")
    begin = time.monotonic()
    code, err = node.stop()
    assert code == 0, err
    assert time.monotonic() - begin < 20  # it would go on for a minute
    assert "long_blocking goes on after 2.5 s: it is given up" in err


def test_a_system_whose_event_loop_is_held_up_starts_anew(nodes: Nodes) -> None:
    node = nodes.start("long_blocking", WISH="restart")
    wait_for(lambda: node.said().count("blocking up") == 2)
    code, err = node.stop()
    assert code == 0, err
    assert err.count("long_blocking goes on after 2.5 s: it is given up") == 2


def test_a_task_that_exits_stops_the_others_in_order(nodes: Nodes) -> None:
    node = nodes.start("task_exit")
    code, err = node.end()
    assert code == 5, err
    assert node.said() == ["async_context up", "task_exit up", "async_context down"]
    assert err.index("task_exit stopped") < err.index("async_context stopped")


@pytest.mark.parametrize("server", ["uvicorn_like", "asyncio_like"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_servers_stop_as_they_would_alone(nodes: Nodes, server: str, number: int) -> None:
    node = nodes.start(server).until(f"{server} up")
    code, err = node.signal(number).end()
    assert code == 0, err
    more = ["uvicorn_like raised"] if server == "uvicorn_like" else []
    assert node.said()[2:] == [f"{server} down", *more, "context down"]
    # It is the one signal that has come, however often the program hands it on.
    assert err.count("received") == 1


@pytest.mark.parametrize(
    ("number", "error"), [(signal.SIGTERM, "SystemExit"), (signal.SIGINT, "KeyboardInterrupt")]
)
def test_a_function_is_interrupted_as_by_the_signal(nodes: Nodes, number: int, error: str) -> None:
    node = nodes.start("shapes").until("function up")
    assert node.signal(number).end()[0] == 0
    assert node.line("function down")["error"] == error


def test_a_function_with_an_event_loop_of_its_own(nodes: Nodes) -> None:
    node = nodes.start("runner").until("runner up")
    code, err = node.stop()
    assert code == 0, err
    assert node.said()[2:] == ["runner down", "context down"]


def test_a_second_signal_is_only_logged(nodes: Nodes) -> None:
    node = nodes.start("hard").until("blocking up").signal(signal.SIGTERM)
    time.sleep(0.3)
    code, err = node.signal(signal.SIGINT).end()
    assert code == 0, err
    assert "SIGINT received again" in err
    assert node.said()[-1] == "context down"


def test_signals_far_from_each_other_are_patient(nodes: Nodes) -> None:
    node = nodes.start("long_blocking").until("blocking up").signal(signal.SIGTERM)
    for _ in range(2):
        time.sleep(0.7)
        node.signal(signal.SIGTERM)
    code, err = node.end()
    assert code == 0, err
    assert err.count("SIGTERM received again") == 2


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "generator",
            (
                "'applications.looking:generator' is a generator function, which can't be started: decorate it with "
                "contextlib.contextmanager"
            ),
        ),
        (
            "number",
            (
                "'applications.looking:number' is an int, which can't be started: name a function, "
                "a coroutine function, or what gives a context manager"
            ),
        ),
    ],
)
def test_what_is_no_application(nodes: Nodes, script: str, message: str) -> None:
    node = nodes.start(script)
    assert node.end() == (1, f"ERROR: {message}\n")
    assert node.said() == []
