"""Checksums of the files of a tree, each taken once: RECORD, the start check and the manifests all want them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from hatch_release.cache.copy_worker import state
from hatch_release.runtime import layout, manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hatch_release.cache.copy_worker import State

_LASTING = (f"{layout.LIB}/", layout.python_directory(""))
"""What is written once. The files below `releases/` are written twice in one moment, too fast for a file's times."""


class Digests:
    """The SHA-256 of files below one root, by path; a file that changed since is read again.

    Args:
        root: What paths are relative to.
    """

    def __init__(self, root: Path) -> None:
        """Nothing is read yet."""
        self._root = os.fspath(root)
        self._known: dict[str, tuple[State, str]] = {}

    def remember(self, path: str, found: Sequence[int], digest: str) -> None:
        """Take `digest` as that of a file.

        Args:
            path: Relative to the root.
            found: Its `state`, as it was before it was read, or after it was written.
            digest: In hexadecimal digits.
        """
        if path.startswith(_LASTING):
            self._known[path] = (tuple(found), digest)

    def of(self, paths: Iterable[str]) -> dict[str, str]:
        """The digests of files, by path.

        Args:
            paths: Relative to the root.

        Raises:
            OSError: When one can't be read.
        """
        wanted = list(paths)
        # Before they are read: of one that changes meanwhile nothing is known then.
        unknown = {path: self._state(path) for path in wanted if not self._is_known(path)}
        fresh = manifest.digests(self._root, unknown) if unknown else {}
        for path, digest in fresh.items():
            if path.startswith(_LASTING):
                self._known[path] = (unknown[path], digest)
        return {path: fresh[path] if path in fresh else self._known[path][1] for path in wanted}

    def _is_known(self, path: str) -> bool:
        known = self._known.get(path)
        return known is not None and known[0] == self._state(path)

    def _state(self, path: str) -> State:
        return state(os.stat(f"{self._root}/{path}"))  # noqa: PTH116 - for thousands of files
