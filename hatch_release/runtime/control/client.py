"""Connecting to a running system, as commands do.

What talks to it is imported when it has been reached: it imports what answers meanwhile.
"""

from __future__ import annotations

import _socket
import os

from ..errors import ReleaseError
from . import address, cookie, directory

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..importer import IndexFinder
    from .connection import Connection
    from .place import Place

_SECONDS = 10.0
"""How long a connection over TCP may take."""
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here
"""Where a node is reached on its own machine that listens everywhere."""


class NotRunningError(ReleaseError):
    """There is no system of that name."""


def connect(finder: IndexFinder, request: dict[str, Any]) -> Connection:
    """Connect to the running system, and ask it for something.

    Args:
        finder: Serves the release.
        request: What to ask.

    Raises:
        NotRunningError: When it doesn't run.
        ReleaseError: When it can't be reached.
    """
    root = finder.release_root
    distribution = address.distribution()
    name = address.node_name(finder.release_payload["name"])
    if distribution == address.NONE:
        raise ReleaseError(
            f"{os.environ.get('RELEASE_COMMAND')} needs a control endpoint, and RELEASE_DISTRIBUTION=none has none: "
            "set it to sname, for the system too"
        )
    secret = cookie.read(root)
    if distribution == address.NAME:
        connection = _connect_over_tcp(root, name, secret)
    else:
        channel = _connect_locally(root, name)
        from .connection import Connection

        connection = Connection(channel, name)
    connection.shake(secret, request)
    return connection


def _connect_over_tcp(root: str, name: str, secret: bytes) -> Connection:
    """Connect to a node at its address, and secure the connection."""
    import socket

    from .connection import Connection, GoneError
    from .tls import Tls

    host, port = address.tcp(name)
    if not port:
        place = _find(root, name, "port")
        try:
            port = int(place.read(f"{name}.port"))
        except (OSError, ValueError):
            raise _not_running(name) from None
        finally:
            place.close()
    tls = Tls(secret, server=False)
    try:
        plain = socket.create_connection((_ANY.get(host, host), port), _SECONDS)
    except ConnectionRefusedError:
        raise _not_running(name) from None
    except OSError as error:
        raise ReleaseError(f"cannot connect to {host}, port {port}: {error.strerror or error}") from None
    channel = tls.wrap(plain)
    try:
        channel.do_handshake()
        return Connection(channel, name, tls.binding(channel))
    except OSError as error:
        channel.close()
        reason = getattr(error, "reason", None) or error.strerror or str(error) or type(error).__name__
        # A reset or an end may mean that the system ends, or begins anew, and nobody takes what waits at its port.
        gone = isinstance(error, ConnectionResetError) or reason == "UNEXPECTED_EOF_WHILE_READING"
        kind = GoneError if gone else ReleaseError
        raise kind(
            f"TLS with the system {name} was not agreed on ({reason}): it has to have the same cookie, or certificates "
            "that this command trusts and that trust it"
        ) from None


def _find(root: str, name: str, way: str) -> Place:
    """The directory with what leads to a node."""
    try:
        found = directory.find(root, f"{name}.{way}")
    except PermissionError as error:
        raise ReleaseError(
            f"cannot look into {error.filename}: run the command as the user that the system runs as"
        ) from None
    if found is None:
        raise _not_running(name)
    return found


def _connect_locally(root: str, name: str) -> _socket.socket:
    """Connect to the socket of a node."""
    found = _find(root, name, "sock")
    channel = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM | _socket.SOCK_CLOEXEC)
    try:
        channel.connect(found.through(f"{name}.sock"))
    except (ConnectionRefusedError, FileNotFoundError):
        raise _not_running(name) from None
    except OSError as error:
        raise ReleaseError(f"cannot connect to {found.path}/{name}.sock: {error.strerror}") from None
    finally:
        found.close()
    return channel


def _not_running(name: str) -> NotRunningError:
    return NotRunningError(
        f"no system named {name} is running: start it, or set RELEASE_NODE to the name of one that is"
    )
