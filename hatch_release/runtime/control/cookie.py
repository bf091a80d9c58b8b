"""The cookie: the secret that a node and its commands share."""

from __future__ import annotations

import os

from ..errors import ReleaseError
from ..layout import COOKIE, RELEASES


class CookieError(ReleaseError):
    """There is no cookie that this user can read."""


def read(root: str) -> bytes:
    """RELEASE_COOKIE, else what is in `releases/COOKIE`.

    Args:
        root: The release's.

    Raises:
        CookieError: When there is none.
    """
    given = os.environ.get("RELEASE_COOKIE")
    if given:
        return os.fsencode(given)
    path = f"{root}/{RELEASES}/{COOKIE}"
    try:
        with open(path, "rb") as file:
            found = file.read().strip()
    except OSError as error:
        raise CookieError(
            f"cannot read {path} ({error.strerror}): let this user read it, or set RELEASE_COOKIE"
        ) from None
    if not found:
        raise CookieError(f"{path} is empty: write a long random cookie into it, or set RELEASE_COOKIE")
    return found
