"""Where a node is reached: what RELEASE_DISTRIBUTION and RELEASE_NODE say."""

from __future__ import annotations

import os
import re

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
    if found.startswith(".") or re.search(r"[/\x00-\x1f\x7f]", found):
        raise ReleaseError(
            f"RELEASE_NODE is {found!r}: set it to a name without slashes and control characters"
        )
    return found
