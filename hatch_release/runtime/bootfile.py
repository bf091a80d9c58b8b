"""The boot file: what `python3 -I -S releases/VSN/start.boot COMMAND ...` runs.

A boot file is a `.pyc` (PEP 552) whose code is `bootstrap.py`, followed by a payload that the
bootstrap reads, and a trailer that says where the payload is:

```
| .pyc header and code | marshalled payload | MAGIC (8 bytes) | offset (8) | size (8) |
```

CPython runs a file that begins with its own magic number as compiled code, whatever the file's name,
and stops reading after the first object. So launcher and boot file agree on nothing but the command
line, and a boot file always finds the payload of its own format. Integers are little-endian, offsets
and sizes in bytes.

The payload is a dictionary as `payload.py` describes it. Marshal is not secured against hostile data: a boot
file is as trusted as the code beside it.
"""

from __future__ import annotations

import marshal
import sys

from .errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .payload import Payload

MAGIC = b"HRBOOT\x00\x02"
"""Names the format; the last byte is its version."""
TRAILER_SIZE = len(MAGIC) + 16
FORMAT = MAGIC[-1]
"""Version of the format."""
STARTED = ("permanent", "transient", "temporary")
"""The modes of applications that are started."""
MODES = (*STARTED, "load", "none")
"""The modes of applications, the most started first."""


def pack(bootstrap: bytes, payload: Payload) -> bytes:
    """The bytes of a boot file.

    Args:
        bootstrap: The `.pyc` of `bootstrap.py`, compiled by the interpreter that boots.
        payload: What the bootstrap reads.
    """
    body = marshal.dumps(dict(payload), 2)
    place = len(bootstrap).to_bytes(8, "little") + len(body).to_bytes(8, "little")
    return bootstrap + body + MAGIC + place


def unpack(data: bytes, where: str) -> Payload:
    """The payload of a boot file's bytes.

    Args:
        data: The whole file.
        where: The file's path, for messages.

    Raises:
        ReleaseError: When the file is damaged or of another format.
    """
    trailer = data[-TRAILER_SIZE:]
    found = trailer[:8]
    if found != MAGIC and found[:-1] == MAGIC[:-1]:
        raise ReleaseError(
            f"{where} has format {found[-1]}, and format {FORMAT} is what is read here: read it with the version of "
            "hatch-release that wrote it, or assemble the release again"
        )
    if found != MAGIC:
        raise ReleaseError(f"{where} is damaged: install the release again from its archive")
    offset, size = int.from_bytes(trailer[8:16], "little"), int.from_bytes(trailer[16:], "little")
    payload: Payload = marshal.loads(data[offset : offset + size])  # noqa: S302 - as trusted as the code beside it
    return payload


def running() -> tuple[str, Payload]:
    """Root and payload of the release that this process runs in.

    Raises:
        ReleaseError: When the process was not started by a release.
    """
    finder: Any = next((each for each in sys.meta_path if hasattr(each, "release_payload")), None)
    if finder is None:
        raise ReleaseError("this process does not run inside a release: start it by the release's bin/NAME")
    return finder.release_root, finder.release_payload
