"""Programs that are run from a shell: what they write comes to the shell; the system's own streams are not theirs."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from codecs import getincrementaldecoder

_READ = 1 << 16
_PAUSE = 0.1
"""Seconds after which an interruption is noticed, which reaches a thread between two calls only."""


def run(command: str) -> int:
    """Run a line of /bin/sh and print what it writes while it runs.

    Args:
        command: The line.

    Returns:
        The exit code; the negative number of the signal that ended it.

    Raises:
        KeyboardInterrupt: When the shell was interrupted; the program was too.
    """
    decoder = getincrementaldecoder("utf-8")("replace")
    # A group of its own: what it starts can be interrupted with it, and ^C in the system's terminal is not for it.
    with subprocess.Popen(
        ["/bin/sh", "-c", command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None  # noqa: S101 - of a pipe
        try:
            while data := _read(process.stdout.fileno()):
                sys.stdout.write(decoder.decode(data))
                sys.stdout.flush()
            return process.wait()
        except BaseException:
            os.killpg(process.pid, signal.SIGINT)
            raise


def _read(file: int) -> bytes:
    """What comes next; nothing at the end."""
    while not select.select([file], [], [], _PAUSE)[0]:
        pass
    return os.read(file, _READ)
