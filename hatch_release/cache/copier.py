"""Copies files in processes beside the build: Python's threads take turns, and a build has enough to do by itself."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from hatch_release.cache import copy_worker

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from typing_extensions import Self

    from hatch_release.cache.copy_worker import Copy, Row

_MOST = 4
"""Processes; a disk is hardly faster for more."""


class _LostError(Exception):
    """The process does not answer as it should."""


class Copier:
    """A context: copies on demand until its end, when nothing of it is left running."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        count = max(1, min(_MOST, (os.cpu_count() or 1) - 1))  # the build itself needs one
        self._workers = [_Worker() for _ in range(count)]
        self._free: queue.LifoQueue[_Worker] = queue.LifoQueue()
        for worker in self._workers:
            self._free.put(worker)

    def __enter__(self) -> Self:
        """Start one process, so that it is ready when it is needed."""
        self._workers[-1].start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        """End them, in the middle of a job too."""
        for worker in self._workers:
            worker.close()

    def copy(
        self, source: str, destination: str, rows: Sequence[Row], beside: str = ""
    ) -> Sequence[Copy | None]:
        """What `copy_worker.copy` does; from any thread, which waits.

        Raises:
            DamagedError: As that does.
            OSError: As that does.
        """
        worker = self._free.get()
        try:
            answer = worker.ask([source, destination, list(rows), beside])
        except _LostError:
            shutil.rmtree(destination, ignore_errors=True)
            return copy_worker.copy(source, destination, rows, beside)
        finally:
            self._free.put(worker)
        if "damaged" in answer:
            raise copy_worker.DamagedError(answer["damaged"])
        if "refused" in answer:
            raise OSError(*answer["refused"])
        copies: list[Copy | None] = answer["copies"]
        return copies


class _Worker:
    """One process, started when it is needed first."""

    def __init__(self) -> None:
        """It does not run."""
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, if that is possible: who asks will see."""
        with contextlib.suppress(OSError):
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", copy_worker.__file__],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                encoding="ascii",
                start_new_session=True,  # Ctrl-C is for the build, which ends it
            )

    def ask(self, job: list[Any]) -> dict[str, Any]:
        """Let it do a job.

        Raises:
            _LostError: When it can't.
        """
        if self._process is None:
            self.start()
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            raise _LostError
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            answer: dict[str, Any] = json.loads(process.stdout.readline())
        except (OSError, ValueError) as error:
            self.close()
            raise _LostError from error
        except BaseException:  # interrupted: its answer would be taken for that to the next job
            self.close()
            raise
        return answer

    def close(self) -> None:
        """End it."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with contextlib.suppress(OSError):  # what it has not read is of no use
                process.communicate()
