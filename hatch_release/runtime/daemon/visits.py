"""What `attach` and a keeper say to each other over a Unix socket.

The keeper sends what the terminal shows, as it is. A visitor sends messages: a letter, the length of what follows, and
that. `d` is what was typed; `w` the size of the visitor's terminal, rows and columns. Numbers have two bytes,
big-endian.
"""

from __future__ import annotations

import struct

TYPED, SIZE = b"d", b"w"
LONGEST = 4096
"""Bytes of one message, without its head."""
_HEAD = struct.Struct(">cH")
_DIMENSIONS = struct.Struct(">HH")


def typed(data: bytes) -> bytes:
    """The messages that hand on what was typed."""
    pieces = [data[place : place + LONGEST] for place in range(0, len(data), LONGEST)]
    return b"".join(_HEAD.pack(TYPED, len(piece)) + piece for piece in pieces)


def size(rows: int, columns: int) -> bytes:
    """The message that tells the size of a terminal."""
    return _HEAD.pack(SIZE, _DIMENSIONS.size) + _DIMENSIONS.pack(rows, columns)


def split(data: bytes) -> tuple[list[tuple[bytes, bytes]], bytes]:
    """The whole messages at the beginning of some bytes, and the rest.

    Raises:
        ValueError: When they are no such messages.
    """
    messages = []
    while len(data) >= _HEAD.size:
        kind, length = _HEAD.unpack_from(data)
        if kind not in (TYPED, SIZE) or length > LONGEST or (kind == SIZE and length != _DIMENSIONS.size):
            raise ValueError("no message of attach")
        if len(data) < _HEAD.size + length:
            break
        messages.append((kind, data[_HEAD.size : _HEAD.size + length]))
        data = data[_HEAD.size + length :]
    return messages, data


def dimensions(message: bytes) -> tuple[int, int]:
    """Rows and columns of a message of the kind SIZE."""
    rows, columns = _DIMENSIONS.unpack(message)
    return rows, columns
