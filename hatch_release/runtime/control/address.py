"""Where a node is reached: what RELEASE_DISTRIBUTION and RELEASE_NODE say."""

from __future__ import annotations

import os

from ..errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

SNAME: Final = "sname"
NAME: Final = "name"
NONE: Final = "none"
DISTRIBUTIONS = (SNAME, NAME, NONE)
_LONGEST_NAME = 80
"""Bytes; a socket's path holds it (unix(7): 108 bytes, with the way to it)."""


def distribution() -> str:
    """What RELEASE_DISTRIBUTION says: `sname` unless it is set.

    Raises:
        ReleaseError: When it is none of the three.
    """
    found = os.environ.get("RELEASE_DISTRIBUTION") or SNAME
    if found not in DISTRIBUTIONS:
        raise ReleaseError(f"RELEASE_DISTRIBUTION is '{found}': set it to sname, name or none")
    return found


def node_name(default: str) -> str:
    """What RELEASE_NODE says, else `default`: the name of the files that lead to the node.

    Raises:
        ReleaseError: When no file can have that name.
    """
    found = os.environ.get("RELEASE_NODE") or default
    if len(os.fsencode(found)) > _LONGEST_NAME:
        raise ReleaseError(f"RELEASE_NODE is longer than {_LONGEST_NAME} bytes: set it to a shorter name")
    if found.startswith(".") or any(each in "/\x7f" or each < " " for each in found):
        raise ReleaseError(
            f"RELEASE_NODE is {found!r}: set it to a name without slashes and control characters"
        )
    return found


def tcp(node: str) -> tuple[str, int]:
    """Host and port of a node that is reached over TCP: `NAME@HOST:PORT`.

    Args:
        node: Its name. Without a host it is reached from this machine alone; without a port (0) the kernel chooses one.

    Raises:
        ReleaseError: When the port is none.
    """
    host, colon, port = node.rpartition("@")[2].rpartition(":") if "@" in node else ("127.0.0.1", "", "")
    if not colon or port.endswith("]"):  # an IPv6 address without a port
        host, port = (f"{host}{colon}{port}", "0") if "@" in node else (host, "0")
    if not port.isdecimal() or int(port) >= 1 << 16:
        raise ReleaseError(f"RELEASE_NODE is '{node}', where '{port}' is no port: set it to NAME@HOST:PORT")
    return host.removeprefix("[").removesuffix("]"), int(port)
