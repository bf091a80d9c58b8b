"""HMAC-SHA256 (RFC 2104), by the SHA-256 that CPython itself brings.

`hmac` and `hashlib` would import every other digest with it, and OpenSSL, at each command.
"""

from __future__ import annotations

import sys
from _operator import _compare_digest as is_equal

try:
    if sys.version_info >= (3, 12):
        from _sha2 import sha256  # type: ignore[import-not-found,unused-ignore]
    else:
        from _sha256 import sha256  # type: ignore[import-not-found,unused-ignore]
except ImportError:  # a Python that leaves all digests to OpenSSL, as some distributions of Linux have it
    from hashlib import sha256

__all__ = ["hmac_sha256", "is_equal"]

_BLOCK = 64
"""Bytes that SHA-256 takes at once."""
_INNER = bytes(each ^ 0x36 for each in range(256))
_OUTER = bytes(each ^ 0x5C for each in range(256))


def hmac_sha256(key: bytes, message: bytes) -> bytes:
    """What proves that who sends `message` knows `key`; compared by `is_equal`, whose time tells nothing.

    Args:
        key: The secret, of any length.
        message: Of any length.

    Returns:
        32 bytes.
    """
    block = (sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    inner = sha256(block.translate(_INNER) + message).digest()
    found: bytes = sha256(block.translate(_OUTER) + inner).digest()
    return found
