"""The commands of `bin/NAME` that reach a running system."""

from __future__ import annotations

import os
import sys

from ..errors import ReleaseError
from . import client

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..importer import IndexFinder
    from .connection import Connection

_PAUSE = 0.02
"""Seconds between two looks."""
_REFUSED_SECONDS = 5.0
"""How long a system that is started again may refuse who asks it."""
_KEEPER_SECONDS = 5.0
"""How long a keeper may take to end after its system."""


def pid(finder: IndexFinder, arguments: list[str]) -> int:
    """`pid`: print the system's process id."""
    _options(arguments)
    print(_ask(finder, "status")["pid"])  # noqa: T201 - what the command is for
    return 0


def stop(finder: IndexFinder, arguments: list[str]) -> int:
    """`stop [--no-wait]`: stop the system, and wait until it and its keeper are gone."""
    wait = "--no-wait" not in _options(arguments, "--no-wait")
    with client.connect(finder, {"do": "stop"}) as connection:
        process = _watch(connection)
        told = connection.receive()["result"]
        if wait:
            _wait_for_end(connection, process)
            if told["keeper"] and _is_near(connection, told["pid"]):
                _wait_for_keeper(told["keeper"])
    return 0


def restart(finder: IndexFinder, arguments: list[str]) -> int:
    """`restart [--no-wait]`: stop and start the system in the same process, and wait until it has started."""
    wait = "--no-wait" not in _options(arguments, "--no-wait")
    with client.connect(finder, {"do": "restart"}) as connection:
        process = _watch(connection)
        before = connection.receive()["result"]
    if wait:
        _wait_for_return(finder, process, before["begun"])
    return 0


def rpc(finder: IndexFinder, arguments: list[str]) -> int:
    """`rpc CODE [ARGS]`: run code in the system."""
    if not arguments:
        raise ReleaseError("RPC expects an expression as argument")
    program = f"{finder.release_root}/bin/{finder.release_payload['name']}"
    code, argv = os.fsencode(arguments[0]).decode("utf-8", "surrogateescape"), [program, *arguments[1:]]
    with client.connect(finder, {"do": "rpc", "code": code, "argv": argv}) as connection:
        from . import calling

        return calling.call(connection)


def remote(finder: IndexFinder, arguments: list[str]) -> int:
    """`remote`: a shell in the system; without a terminal, standard input is the code to run."""
    _options(arguments)
    if sys.stdin is None or not sys.stdin.isatty():
        code = "" if sys.stdin is None else sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
        return rpc(finder, [code])
    from ..shell import choice, screen
    from . import terminal

    request = {"do": "shell", "repl": choice.wanted(), "colors": screen.shows_colors()}
    with client.connect(finder, request) as connection:
        return terminal.run(connection, finder.release_payload["name"])


def info(finder: IndexFinder, arguments: list[str]) -> int:
    """`info [--json]`: how the system is."""
    as_json = "--json" in _options(arguments, "--json")
    found = _ask(finder, "info")
    if as_json:
        import json

        print(json.dumps(found, indent=2))  # noqa: T201 - what the command is for
    else:
        from . import report

        print(report.text(found))  # noqa: T201 - what the command is for
    return 0


def stacks(finder: IndexFinder, arguments: list[str]) -> int:
    """`stacks`: where every thread and task of the system is."""
    _options(arguments)
    print(_ask(finder, "stacks"))  # noqa: T201 - what the command is for
    return 0


def _ask(finder: IndexFinder, wanted: str) -> Any:  # noqa: ANN401 - as the request has it
    """What the system answers to a request."""
    with client.connect(finder, {"do": wanted}) as connection:
        return connection.receive()["result"]


def _options(arguments: list[str], *known: str) -> list[str]:
    """The arguments of a command that takes no others than these."""
    for each in arguments:
        if each not in known:
            raise ReleaseError(
                f"{os.environ.get('RELEASE_COMMAND')} takes {' and '.join(known) or 'no arguments'}, not '{each}'"
            )
    return arguments


def _watch(connection: Connection) -> int:
    """A descriptor of the system's process (pidfd_open(2)); -1 when it is none of this machine's."""
    try:
        return os.pidfd_open(connection.peer())
    except (OSError, AttributeError):
        return -1


def _is_near(connection: Connection, pid: int) -> bool:
    """Whether the numbers of processes mean the same here as where the system is."""
    try:
        return connection.peer() == pid
    except OSError:
        return False


def _wait_for_keeper(keeper: int) -> None:
    """Wait until the keeper has removed its files, as it does when the system has ended."""
    import select

    try:
        select.select([os.pidfd_open(keeper)], [], [], _KEEPER_SECONDS)
    except (OSError, AttributeError):
        return  # it has ended


def _wait_for_end(connection: Connection, process: int) -> None:
    """Wait until the system is gone."""
    if process >= 0:
        import select

        select.select([process], [], [])
        return
    from .connection import GoneError

    try:
        while True:
            connection.receive()
    except GoneError:
        return


def _wait_for_return(finder: IndexFinder, process: int, before: float) -> None:
    """Wait until the system has stopped and started again."""
    import select
    import time

    from .connection import GoneError

    patience = time.monotonic() + _REFUSED_SECONDS
    while True:
        try:
            now = _ask(finder, "status")
            if now["begun"] != before and now["started"]:
                return
        except (client.NotRunningError, GoneError):
            pass  # between the two
        except (
            ReleaseError
        ):  # a connection that was begun with one life of the system and ended with the next
            if time.monotonic() > patience:
                raise
        if process >= 0 and select.select([process], [], [], 0)[0]:
            raise ReleaseError("the system has stopped and not started again: its output says why")
        time.sleep(_PAUSE)


COMMANDS = {
    "rpc": rpc,
    "remote": remote,
    "restart": restart,
    "stop": stop,
    "pid": pid,
    "info": info,
    "stacks": stacks,
}


def run(finder: IndexFinder, name: str, arguments: list[str]) -> int:
    """Run one of the commands.

    Args:
        finder: Serves the release.
        name: The command's.
        arguments: Its own.

    Returns:
        The exit code.
    """
    finder.close_image()
    try:
        return COMMANDS[name](finder, arguments)
    except ReleaseError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
