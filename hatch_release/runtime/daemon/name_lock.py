"""The name of a daemon, which one keeper has at a time."""

from __future__ import annotations

import fcntl
import os
import time

from ..errors import ReleaseError
from .places import remove, unwritable

_PRIVATE, _PRIVATE_DIRECTORY = 0o600, 0o700
_PATIENCE = 1.0
"""Seconds that a keeper whose system has ended may take to end itself."""
_PAUSE = 0.02
_STARTED = 19
"""Which field behind the program's name in /proc/PID/stat is the time of its start (proc(5), field 22)."""


class NameLock:
    """A lock file that its keeper holds until it ends, and that tells who that is.

    Args:
        path: The file.
        node: The name, for messages.
    """

    def __init__(self, path: str, node: str) -> None:
        """It is not held yet."""
        self._path = path
        self._node = node
        self.descriptor = -1

    def take(self) -> None:
        """Take the name.

        Raises:
            ReleaseError: When another daemon has it, or the system that a killed keeper left still runs.
        """
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                self.descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _PRIVATE)
            except FileNotFoundError:  # who had it has just removed the directory as well
                os.makedirs(os.path.dirname(self._path), _PRIVATE_DIRECTORY, exist_ok=True)
                continue
            except OSError as error:
                raise unwritable(self._path, error) from error
            try:
                fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if self._system_runs() or time.monotonic() > end:
                    raise self._refused() from error
                time.sleep(_PAUSE)  # the keeper is about to end, or to bring the system back
            else:
                if self._is_there():
                    break
            os.close(self.descriptor)  # who had it has just ended, and removed it
        self._check_leftover()

    def write(self, system: int) -> None:
        """Write down this process, and the process id of the system that it keeps."""
        text = f"{os.getpid()} {system} {_start_of(system)}\n".encode()
        try:
            os.ftruncate(self.descriptor, 0)
            os.pwrite(self.descriptor, text, 0)
        except OSError:
            return  # a full disk: the lock itself holds

    def release(self) -> None:
        """Remove the file and give up the name."""
        try:
            remove(self._path)
        finally:
            os.close(self.descriptor)

    def _is_there(self) -> bool:
        """Whether the file that is locked is the one that others would find."""
        try:
            found = os.stat(self._path)
        except FileNotFoundError:
            return False
        return os.path.samestat(found, os.fstat(self.descriptor))

    def _read(self) -> list[str]:
        return os.pread(self.descriptor, 100, 0).decode("ascii", "replace").split()

    def _refused(self) -> ReleaseError:
        keeper = (*self._read(), "unknown")[0]
        return ReleaseError(
            f"{self._node} is running already (its keeper is process {keeper}): "
            "stop it first, or set RELEASE_NODE to run another beside it"
        )

    def _check_leftover(self) -> None:
        """Refuse when the system of a keeper that was killed has not ended yet."""
        if self._system_runs():
            raise ReleaseError(
                f"{self._node} still runs as process {self._read()[1]} though its keeper is gone: "
                "wait until it has ended, or kill it"
            )

    def _system_runs(self) -> bool:
        """Whether the system that the file names runs."""
        words = self._read()
        if len(words) != len(("keeper", "system", "start")) or not words[1].isdigit():
            return False
        return words[2] != "0" and _start_of(int(words[1])) == words[2]


def _start_of(pid: int) -> str:
    """When a process was started, in ticks since the machine was; 0 when there is none, or it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return "0"
    return "0" if fields[0] in "ZX" else fields[_STARTED]
