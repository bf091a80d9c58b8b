"""Small file systems, to fill and to make read-only."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Disk:
    """A mounted file system.

    Args:
        path: Where it is mounted.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / "filler"

    def fill(self) -> None:
        """Leave no room."""
        with contextlib.suppress(OSError), self._filler.open("wb", buffering=0) as file:
            while file.write(b"x" * 512):
                pass

    def make_room(self) -> None:
        """The opposite."""
        self._filler.unlink()

    def remount(self, option: str) -> None:
        """Make it read-only (`ro`), which works when nobody has a file of it open for writing, or writable (`rw`)."""
        _run("/bin/mount", "-o", f"remount,{option}", str(self.path))


@contextlib.contextmanager
def mounted(path: Path, size: str) -> Iterator[Disk]:
    """A file system in memory of a size such as `64k`; skips the test where nothing can be mounted."""
    path.mkdir()
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    try:
        _run("/bin/mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(path))
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("file systems can't be mounted here")
    try:
        yield Disk(path)
    finally:
        _run("/bin/umount", "-l", str(path))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True)
