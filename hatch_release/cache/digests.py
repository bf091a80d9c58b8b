"""Checksums of the files of a tree, each taken once: RECORD, the start check and the manifests all want them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from hatch_release.cache.copy_worker import SIZE, state
from hatch_release.runtime import layout, manifest

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from hatch_release.cache.copy_worker import State

_LASTING = (f"{layout.LIB}/", layout.python_directory(""))
"""What is written once. The files below `releases/` are written twice in one moment, too fast for a file's times."""

_WORTH_THREADS = 1 << 24
"""Bytes that take longer to hash than threads take to begin."""
_NOTHING: tuple[State, str] = ((), "")


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

    def of(self, paths: Iterable[str] | Mapping[str, os.stat_result]) -> dict[str, str]:
        """The digests of files, by path.

        Args:
            paths: Relative to the root; with what the system has just said about each, if that is known.

        Raises:
            OSError: When one can't be read.
        """
        found = dict(paths) if isinstance(paths, Mapping) else {path: self._stat(path) for path in paths}
        # From before they are read: of one that changes meanwhile nothing is known then.
        now = {path: state(each) for path, each in found.items()}
        unknown = [path for path, each in now.items() if self._known.get(path, _NOTHING)[0] != each]
        fresh = self._read(unknown, sum(found[path].st_size for path in unknown))
        for path, digest in fresh.items():
            if path.startswith(_LASTING):
                self._known[path] = (now[path], digest)
        return {path: fresh[path] if path in fresh else self._known[path][1] for path in now}

    def _read(self, paths: list[str], size: int) -> dict[str, str]:
        """The digests of files that are not known."""
        if size > _WORTH_THREADS:
            return manifest.digests(self._root, paths)
        return {path: manifest.digest(f"{self._root}/{path}") for path in paths}

    def sizes(self, paths: Iterable[str]) -> dict[str, int]:
        """The sizes of files whose digests have just been taken, in bytes, by path.

        Args:
            paths: Relative to the root.

        Raises:
            OSError: When one isn't there.
        """
        return {
            path: self._known[path][0][SIZE] if path in self._known else self._stat(path).st_size
            for path in paths
        }

    def _stat(self, path: str) -> os.stat_result:
        return os.stat(f"{self._root}/{path}")  # noqa: PTH116 - for thousands of files
