"""Frames: how the two sides put what they say into a stream of bytes.

```
| size (4 bytes, big-endian) | a JSON object of that many bytes |
```
Sizes are bounded: strictly as long as the peer has not proved who it is.
"""

from __future__ import annotations

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

HEAD = 4
SHAKING = 4096
"""Bytes that a frame may have before both sides have proved that they know the cookie."""
LARGEST = 1 << 24
"""Bytes that a frame may have afterwards."""
CHUNK = 1 << 16
"""Bytes of output or input in one frame."""


class FrameError(Exception):
    """The peer has sent what is no frame."""


def encode(message: dict[str, Any]) -> bytes:
    """The frame of a message.

    Args:
        message: What JSON can hold. Text may hold bytes that are no UTF-8, as `surrogateescape` decodes them.

    Raises:
        FrameError: When it is too large.
    """
    body = json.dumps(message, separators=(",", ":")).encode("ascii")
    if len(body) > LARGEST:
        raise FrameError(f"{len(body)} bytes are more than the {LARGEST} that a frame may have")
    return len(body).to_bytes(HEAD, "big") + body


class Decoder:
    """Puts frames together from what arrives.

    Args:
        limit: How many bytes a frame may have; may be changed.
    """

    def __init__(self, limit: int = SHAKING) -> None:
        """Nothing has arrived."""
        self.limit = limit
        self._data = bytearray()

    def feed(self, data: bytes) -> None:
        """Take what has arrived."""
        self._data += data

    def frames(self) -> Iterator[dict[str, Any]]:
        """The messages that are complete.

        Raises:
            FrameError: When one is too large, or no JSON object.
        """
        while len(self._data) >= HEAD:
            size = int.from_bytes(self._data[:HEAD], "big")
            if size > self.limit:
                raise FrameError(f"a frame of {size} bytes, where {self.limit} are the limit")
            if len(self._data) < HEAD + size:
                return
            body = bytes(self._data[HEAD : HEAD + size])
            del self._data[: HEAD + size]
            yield _decode(body)


def _decode(body: bytes) -> dict[str, Any]:
    try:
        message = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise FrameError(f"a frame that is no JSON ({type(error).__name__})") from None
    if not isinstance(message, dict):
        raise FrameError("a frame that is no JSON object")
    return message
