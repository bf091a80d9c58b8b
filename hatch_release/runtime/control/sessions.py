"""What commands ask of a system, and who sees to it."""

from __future__ import annotations

import os

from .. import api

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol

    from .endpoint import Endpoint
    from .peer import Peer

    class Session(Protocol):
        """What goes on between a command and the system."""

        def received(self, message: dict[str, Any]) -> None:
            """The command has said something more. Must not wait."""

        def is_full(self) -> bool:
            """Whether more was said than was looked at: nothing else must come until `Peer.resume` is called."""

        def gone(self) -> None:
            """The command is gone. Must not wait."""


def begin(endpoint: Endpoint, peer: Peer, message: dict[str, Any]) -> Session | None:
    """See to what a command asks for: at once, or in a session.

    Args:
        endpoint: What the command has reached.
        peer: The command.
        message: Its request.
    """
    wanted = str(message.get("do"))
    if wanted in _LONG:
        return _LONG[wanted](endpoint, peer, message)
    if wanted in _SHORT:
        answer = {"result": _SHORT[wanted](endpoint)}
    else:
        answer = {"error": f"the running system knows no request '{wanted}': it may be of another version"}
    peer.send(answer, wait=False)
    peer.finish()
    _AFTER.get(wanted, _nothing)()
    return None


def _status(endpoint: Endpoint) -> dict[str, Any]:
    """Which process it is, which one keeps it (`daemon/`), when it booted, and whether it has started."""
    from ..supervision import kept

    system = endpoint.system
    keeper = os.getppid() if kept.is_kept() else 0
    return {"pid": os.getpid(), "keeper": keeper, "begun": system.begun, "started": system.started}


def _nothing() -> None:
    """Nothing is to be done after the answer."""


def _info(endpoint: Endpoint) -> dict[str, Any]:
    from . import inspection

    return inspection.info(endpoint)


def _stacks(_endpoint: Endpoint) -> str:
    from . import stacks

    return stacks.text()


def _call(endpoint: Endpoint, peer: Peer, message: dict[str, Any]) -> Session:
    from .calls import Call

    call = Call(endpoint.system, peer, message)
    call.begin()
    return call


def _shell(endpoint: Endpoint, peer: Peer, message: dict[str, Any]) -> Session:
    from .shells import Shell

    shell = Shell(endpoint.system, peer, message)
    shell.begin()
    return shell


_SHORT: dict[str, Callable[[Endpoint], Any]] = {
    "status": _status,
    "stop": _status,
    "restart": _status,
    "info": _info,
    "stacks": _stacks,
}
"""Requests that are answered at once."""
_AFTER: dict[str, Callable[[], None]] = {"stop": api.stop, "restart": api.restart}
"""What is done when the answer is sent."""
_LONG: dict[str, Callable[[Endpoint, Peer, dict[str, Any]], Session]] = {"rpc": _call, "shell": _shell}
"""Requests that go on."""
