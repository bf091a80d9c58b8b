"""Paths of the building machine inside an interpreter's files, and how they are made unrecognizable.

CPython has the prefix it was configured with compiled in, as C strings and in `_sysconfigdata_*`, and
debugging sections name the directory it was compiled in. Programs find their prefix from where they are,
so that nothing reads these once the release is complete.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_SYSTEM = frozenset({"/", "/usr", "/usr/local", "/install", "/bin", "/lib", "/opt", "/build", "/tmp"})  # noqa: S108 - names no file of ours
"""Directories that every machine has, and what distributors of binaries compile in (uv: `/install`)."""


class BuildPaths:
    """Paths that a release must not show, and what stands in their place.

    Args:
        paths: Absolute directories. Those that belong to the system (`/usr` and below) tell nothing about
            the building machine and are left out.
        substitute: An absolute path that takes their place, such as `/python-3.11.7`.
    """

    def __init__(self, paths: Iterable[str], substitute: str) -> None:
        """Order the paths so that the longest is replaced first."""
        own = {path.rstrip("/") for path in paths if path.startswith("/") and not _of_system(path)}
        self.paths = tuple(sorted(own, key=lambda path: (-len(path), path)))
        self._substitute = substitute.encode()
        # `/opt/py` isn't meant by `/opt/python`, `/opt/py-2` or `/opt/py.old`.
        self._patterns = [
            (raw, re.compile(re.escape(raw) + rb"(?![\w-]|\.\w)")) for raw in map(os.fsencode, self.paths)
        ]

    def hidden(self, data: bytes, *, keep_size: bool) -> bytes:
        """`data` with the substitute for each of the paths.

        With `keep_size`, as a program or library needs it, the substitute is padded with slashes in front,
        or cut when it is too long, so that nothing behind it moves.
        """
        for raw, pattern in self._patterns:
            if raw in data:  # many times faster than the pattern, and mostly the end of it
                new = self._fitted(len(raw)) if keep_size else self._substitute
                data = pattern.sub(new.replace(b"\\", rb"\\"), data)
        return data

    def _fitted(self, size: int) -> bytes:
        """The substitute in exactly `size` bytes."""
        return self._substitute[:size].rjust(size, b"/")


def _of_system(path: str) -> bool:
    """Whether `path` is the same on every machine."""
    normal = os.path.normpath(path)
    return normal in _SYSTEM or normal.startswith("/usr/")
