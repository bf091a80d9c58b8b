"""Both sides prove to each other that they know the cookie, without sending it.

```
command  ->  {"hello": VERSION, "nonce": C}
node     ->  {"nonce": N, "proof": HMAC-SHA256(cookie, "node" C N binding)}
command  ->  {"proof": HMAC-SHA256(cookie, "command" C N binding)}
```
C and N are fresh random numbers of each side, so nothing that was said once is of use again; the two proofs differ by
the side that they are for, so neither can be handed back. `binding` ties them to the channel: over TLS it is what both
ends have of one session alone, so that nobody can stand in between.
"""

from __future__ import annotations

import os

from .digest import hmac_sha256, is_equal
from .frames import FrameError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 1
NONCE = 32
"""Bytes of a nonce."""
_LABEL = b"hatch-release control 1"
LOCAL = b"unix"
"""The binding of a connection within this machine, whose ends the kernel knows."""


class WrongCookieError(Exception):
    """The other side does not know the cookie."""


class Handshake:
    """One side's part of one handshake.

    Args:
        cookie: The shared secret.
        binding: What ties the proofs to the channel.
    """

    def __init__(self, cookie: bytes, binding: bytes = LOCAL) -> None:
        """Choose a nonce."""
        self._cookie = cookie
        self._binding = binding
        self._nonce = os.urandom(NONCE)

    def hello(self) -> dict[str, Any]:
        """The command's first message."""
        return {"hello": VERSION, "nonce": self._nonce.hex()}

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """The node's answer to the command's `hello`.

        Raises:
            FrameError: When that was none.
        """
        if message.get("hello") != VERSION:
            raise FrameError("a greeting of another version")
        self._commands, self._nodes = _bytes_of(message, "nonce"), self._nonce
        return {"nonce": self._nonce.hex(), "proof": self._proof(b"node").hex()}

    def prove(self, message: dict[str, Any]) -> dict[str, Any]:
        """The command's proof, after the node's answer.

        Raises:
            FrameError: When that was none.
            WrongCookieError: When the node does not know the cookie.
        """
        self._commands, self._nodes = self._nonce, _bytes_of(message, "nonce")
        self._check(b"node", message)
        return {"proof": self._proof(b"command").hex()}

    def check(self, message: dict[str, Any]) -> None:
        """Check the command's proof.

        Raises:
            FrameError: When it is none.
            WrongCookieError: When the command does not know the cookie.
        """
        self._check(b"command", message)

    def _check(self, side: bytes, message: dict[str, Any]) -> None:
        if not is_equal(self._proof(side), _bytes_of(message, "proof")):
            raise WrongCookieError

    def _proof(self, side: bytes) -> bytes:
        parts = (_LABEL, side, self._commands, self._nodes, self._binding)
        return hmac_sha256(self._cookie, b"\0".join(parts))


def _bytes_of(message: dict[str, Any], name: str) -> bytes:
    """A nonce or a proof, which both have 32 bytes."""
    value = message.get(name)
    try:
        found = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        found = b""
    if len(found) != NONCE:
        raise FrameError(f"a greeting without {name}")
    return found
