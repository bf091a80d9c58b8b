"""Frames: how the two sides put what they say into a stream of bytes.

```
| size (4 bytes, big-endian) | a JSON object of that many bytes |
```
Sizes are bounded: strictly as long as the peer has not proved who it is.

JSON is read and written by what `json` does both with, in C (`_json`): that module itself brings regular expressions
along, which take longer to import than most calls take.
"""

from __future__ import annotations

from _json import encode_basestring_ascii, make_encoder, make_scanner

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


_WHITESPACE = " \t\n\r"
_ENCODER = make_encoder(None, None, encode_basestring_ascii, None, ":", ",", False, False, True)  # type: ignore[arg-type]  # noqa: FBT003 - as `json.encoder` calls it
"""Its arguments: markers, default, how text is written, indent, separators, sorted keys, skipped keys, NaN."""


class FrameError(Exception):
    """The peer has sent what is no frame."""


class _AsJson:
    """What `json.loads` makes of JSON; read by `_json.make_scanner`."""

    strict = True
    object_hook = object_pairs_hook = None
    parse_int = int
    parse_float = parse_constant = float


def encode(message: dict[str, Any]) -> bytes:
    """The frame of a message.

    Args:
        message: What JSON can hold. Text may hold bytes that are no UTF-8, as `surrogateescape` decodes them.

    Raises:
        FrameError: When it is too large.
    """
    body = "".join(_ENCODER(message, 0)).encode("ascii")
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
        self._scan = make_scanner(_AsJson)  # type: ignore[arg-type]

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
            yield self._decode(body)

    def _decode(self, body: bytes) -> dict[str, Any]:
        try:
            text = body.decode("utf-8").strip(_WHITESPACE)
            message, end = self._scan(text, 0)
        except (ValueError, RecursionError, StopIteration, ImportError, OSError) as error:
            # The last two: `json.decoder` has the error's class, and can't be read without a free descriptor.
            raise FrameError(f"a frame that is no JSON ({type(error).__name__})") from None
        if end < len(text) or not isinstance(message, dict):
            raise FrameError("a frame that is no JSON object")
        return message
