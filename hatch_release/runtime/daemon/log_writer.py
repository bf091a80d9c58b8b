"""Writing a log: lines are kept whole, files follow each other, and nothing that goes wrong stops the system."""

from __future__ import annotations

import os
import time

from .places import remove, unwritable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .log_files import LogFiles, LogSettings

_PRIVATE = 0o600
_PRIVATE_DIRECTORY = 0o700
_APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW


class LogWriter:
    """Appends to the newest file of a log.

    Args:
        files: The log.
        settings: How it is kept.

    Raises:
        ReleaseError: When it can't be written.
    """

    def __init__(self, files: LogFiles, settings: LogSettings) -> None:
        """Go on with the newest file, or begin the first."""
        self._files = files
        self._settings = settings
        for index in files.existing():
            if index > settings.generations:  # there were more of them before
                remove(files.path(index))
        self._index = (files.existing() or [1])[-1]
        self._lost = 0
        self._reason = ""
        self._whole = True
        """Whether the last line is complete."""
        self._written = time.monotonic()
        try:
            self.descriptor = -1
            self._open()
        except OSError as error:
            raise unwritable(files.path(self._index), error) from error

    def _open(self) -> None:
        """Open the current file, and see to it that the next one is missing."""
        remove(self._files.path(self._after(self._index)))
        self.descriptor = os.open(self._files.path(self._index), _APPEND, _PRIVATE)
        self._size = os.fstat(self.descriptor).st_size

    def _after(self, index: int) -> int:
        return index % self._settings.generations + 1

    def note(self, text: str) -> None:
        """Write a line of the keeper's own, with the time."""
        line = f"===== {time.strftime('%a %b %d %H:%M:%S %Z %Y')} {text}\n"
        self.write(("" if self._whole else "\n").encode() + line.encode("utf-8", "surrogateescape"))

    def write(self, data: bytes) -> None:
        """Append, in as many files as it takes. What can't be written is counted, and told later."""
        self._written = time.monotonic()
        try:
            self._reopen()
            if self._lost:
                self._tell_lost()
            while data:
                data = data[self._put(data) :]
        except OSError as error:
            self._lost += len(data)
            self._reason = error.strerror or "unknown error"

    def left(self) -> float | None:
        """Seconds until a line is due that says that the keeper is alive; it is written when it is."""
        if not self._settings.alive:
            return None
        left = self._written + self._settings.alive - time.monotonic()
        if left <= 0:
            self.note("ALIVE")
            return self._settings.alive
        return left

    def _put(self, data: bytes) -> int:
        """Write as much as belongs into the current file, and begin the next when it is full; how much that was."""
        end = self._end(data)
        done = self._write_all(data[:end])
        if done == end < len(data):
            os.close(self.descriptor)
            self.descriptor = -1
            self._index = self._after(self._index)
            self._open()
        return done

    def _end(self, data: bytes) -> int:
        """How much of `data` belongs into the current file: whole lines, unless one is longer than a file."""
        room = self._settings.maxsize - self._size
        if len(data) <= room:
            return len(data)
        end = data.rfind(b"\n", 0, max(room, 0)) + 1
        line = data.find(b"\n") + 1 or len(data)
        if end or (self._whole and self._size and line <= self._settings.maxsize):
            return end
        return min(line, max(room + self._settings.maxsize, 0))

    def _write_all(self, data: bytes) -> int:
        """Write to the current file, as far as that works; how much that was, at least a byte."""
        done = 0
        while done < len(data):
            try:
                count = os.write(self.descriptor, data[done:])
            except OSError:
                if done:
                    break
                raise
            done += count
            self._size += count
            self._whole = data[done - 1 : done] == b"\n"
        return done

    def _reopen(self) -> None:
        """Open the file again when it could not be opened, or somebody has removed it."""
        if self.descriptor >= 0 and os.fstat(self.descriptor).st_nlink:
            return
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1
        os.makedirs(self._files.directory, _PRIVATE_DIRECTORY, exist_ok=True)
        self._open()

    def _tell_lost(self) -> None:
        """Say how much is missing; the count starts anew only when that is written."""
        text = f"\n===== {self._lost} bytes could not be written here: {self._reason}\n".encode()
        self._put(text)
        self._lost = 0
