"""Sizes as people read them."""

from __future__ import annotations

MEGABYTE = 1_000_000


def megabytes(size: int) -> str:
    """`size` bytes as megabytes of a million bytes, such as `12.3 MB`."""
    return f"{size / MEGABYTE:.1f} MB"
