"""`logs`: print a daemon's log from the oldest line to the newest, and follow it across its files."""

from __future__ import annotations

import os
import sys
import time
from collections import deque

from ..errors import ReleaseError
from .log_files import LogFiles
from .places import Places

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from io import FileIO

_CHUNK = 1 << 16
_PAUSE = 0.1
"""Seconds between two looks for more."""
_FOLLOW = ("-f", "--follow")
_LINES = ("-n", "--lines")
_INTERRUPTED = 130


def logs(arguments: list[str]) -> Callable[[], int]:
    """What prints the log.

    Args:
        arguments: `-f` to follow it, `-n NUMBER` for the last lines alone.

    Raises:
        ReleaseError: When there is no log, or an argument is not understood.
    """
    follow, lines = _read(arguments)
    places = Places(os.environ)
    files = LogFiles(places.logs, places.node)
    if not files.existing() and not follow:
        raise ReleaseError(
            f"there is no log of {places.node} in {places.logs}: `daemon` writes one "
            "(RELEASE_NODE and RELEASE_TMP have to be what they were then)"
        )
    return lambda: _print(files, lines, follow=follow)


def _read(arguments: list[str]) -> tuple[bool, int | None]:
    follow, lines = False, None
    words = iter(arguments)
    for word in words:
        if word in _FOLLOW:
            follow = True
        elif word in _LINES:
            text = next(words, "")
            if not text.isdecimal():
                raise ReleaseError(f"LOGS {word} expects a number of lines, got {text!r}")
            lines = int(text)
        else:
            raise ReleaseError(
                f"LOGS does not understand {word!r}: it takes -f to follow, -n NUMBER for the last lines"
            )
    return follow, lines


def _print(files: LogFiles, lines: int | None, *, follow: bool) -> int:
    """Print the log; the exit code."""
    output = sys.stdout.buffer
    chunks = read(files, follow=follow)
    try:
        if lines is not None:
            output.write(_last(chunks, lines))
        for chunk in chunks:
            output.write(chunk)
            if not chunk:
                output.flush()
        output.flush()
    except BrokenPipeError:  # `logs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 0


def _last(chunks: Iterator[bytes], lines: int) -> bytes:
    """The last lines of what is there now."""
    kept: deque[bytes] = deque(maxlen=lines)
    rest = b""
    for chunk in chunks:
        *whole, rest = (rest + chunk).split(b"\n")
        kept += [line + b"\n" for line in whole]
        if not chunk:
            break
    if rest:
        kept.append(rest)
    return b"".join(kept)


def read(files: LogFiles, *, follow: bool) -> Iterator[bytes]:
    """The bytes of a log from its oldest file to its newest, piece by piece.

    Args:
        files: The log.
        follow: Whether to wait for more, forever. An empty piece says that there is no more for now.
    """
    last: tuple[int, os.stat_result] | None = None
    while True:
        index = _next(files, last)
        try:
            file = open(files.path(index), "rb", buffering=0) if index else None  # noqa: SIM115 - closed below
        except FileNotFoundError:
            continue  # it was the oldest, and has just been removed
        if file is None:
            if not follow:
                return
            yield b""
            time.sleep(_PAUSE)
            continue
        with file:
            last = (index, os.fstat(file.fileno()))
            yield from _read_one(files, file, last, follow=follow)


def _read_one(
    files: LogFiles, file: FileIO, which: tuple[int, os.stat_result], *, follow: bool
) -> Iterator[bytes]:
    """One file, until another follows it."""
    while True:
        over = (
            _next(files, which) != 0
        )  # asked first: what is written before the next file is begun is read below
        while chunk := file.read(_CHUNK):
            yield chunk
        if over or not follow:
            return
        yield b""
        time.sleep(_PAUSE)


def _next(files: LogFiles, last: tuple[int, os.stat_result] | None) -> int:
    """The number of the file that follows the last one that was read, or the oldest; 0 when there is none."""
    order = files.existing()
    place = 0
    if last and last[0] in order:
        try:
            same = os.path.samestat(os.stat(files.path(last[0])), last[1])
        except FileNotFoundError:
            same = False
        place = order.index(last[0]) + 1 if same else 0
    return order[place] if place < len(order) else 0
