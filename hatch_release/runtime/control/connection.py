"""A connection to a running system, seen from the command."""

from __future__ import annotations

import _socket
import sys

from ..errors import ReleaseError
from . import frames
from .handshake import LOCAL, Handshake, WrongCookieError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SECONDS = 10.0
"""How long the system may take for its part of the handshake."""
_READ = 1 << 16


class GoneError(ReleaseError):
    """The system has gone while it was asked."""


class Connection:
    """A connection to a system; a context in which it is open.

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

    def __enter__(self) -> Connection:  # noqa: PYI034 - `Self` came with Python 3.11
        """It is closed at the end."""
        return self

    def __exit__(self, *_error: object) -> None:
        """Close it."""
        self.channel.close()

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
