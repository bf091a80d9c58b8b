"""The command's side of a connection."""

from __future__ import annotations

import _socket
import os
import sys

from ..errors import ReleaseError
from . import address, cookie, directory, frames
from .handshake import LOCAL, Handshake, WrongCookieError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..importer import IndexFinder
    from .place import Place

_SECONDS = 10.0
"""How long the system may take for its part of the handshake."""
_READ = 1 << 16
_ANY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - nothing is bound here
"""Where a node is reached on its own machine that listens everywhere."""


class NotRunningError(ReleaseError):
    """There is no system of that name."""


class GoneError(ReleaseError):
    """The system has gone while it was asked."""


class Connection:
    """A connection to a running system, which has proved that it knows the cookie.

    Args:
        channel: Connected.
        name: The node's, for messages.
        binding: What ties proofs to the connection.
    """

    def __init__(self, channel: Any, name: str, binding: bytes = LOCAL) -> None:  # noqa: ANN401 - a socket, of several kinds
        """Nothing has been said."""
        self._binding = binding
        self.channel = channel
        self._name = name
        self._decoder = frames.Decoder(frames.LARGEST)

    def shake(self, secret: bytes, request: dict[str, Any]) -> None:
        """Prove to each other that both know the cookie, and ask.

        Args:
            secret: The cookie.
            request: Sent with the proof.

        Raises:
            ReleaseError: When the system doesn't, or is none.
        """
        self.channel.settimeout(_SECONDS)
        handshake = Handshake(secret, self._binding)
        try:
            self.send(handshake.hello())
            proof = handshake.prove(self.receive())
            self.channel.sendall(frames.encode(proof) + frames.encode(request))
        except WrongCookieError:
            raise ReleaseError(
                f"the system {self._name} has another cookie: set RELEASE_COOKIE to the one that it was started with"
            ) from None
        except (frames.FrameError, TimeoutError):
            raise ReleaseError(
                f"what answers as the system {self._name} is none: stop it, or try again"
            ) from None
        except (OSError, GoneError):
            raise GoneError(f"the system {self._name} has closed the connection: its log says why") from None
        self.channel.settimeout(None)

    def send(self, message: dict[str, Any]) -> None:
        """Send a message.

        Raises:
            GoneError: When the system is gone.
        """
        try:
            self.channel.sendall(frames.encode(message))
        except ConnectionError:
            raise self._gone() from None

    def receive(self) -> dict[str, Any]:
        """The next message.

        Raises:
            GoneError: When the system is gone.
            ReleaseError: When it says that something is wrong.
        """
        while True:
            message = self.take()
            if message is not None:
                return message
            self.read()

    def take(self) -> dict[str, Any] | None:
        """A message that has arrived already.

        Raises:
            ReleaseError: When it says that something is wrong.
        """
        for message in self._decoder.frames():
            if "error" in message:
                raise ReleaseError(str(message["error"]))
            return message
        return None

    def read(self) -> None:
        """Take what arrives.

        Raises:
            GoneError: When the system is gone.
        """
        try:
            data = self.channel.recv(_READ)
        except ConnectionError:
            data = b""
        if not data:
            raise self._gone()
        self._decoder.feed(data)

    def _gone(self) -> GoneError:
        return GoneError(f"the system {self._name} is gone")

    def peer(self) -> int:
        """The system's process id, as the kernel knows it."""
        found = self.channel.getsockopt(_socket.SOL_SOCKET, _socket.SO_PEERCRED, 12)
        return int.from_bytes(found[:4], sys.byteorder)


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
        connection = Connection(_connect_locally(root, name), name)
    connection.shake(secret, request)
    return connection


def _connect_over_tcp(root: str, name: str, secret: bytes) -> Connection:
    """Connect to a node at its address, and secure the connection."""
    import socket

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
