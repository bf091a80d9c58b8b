"""Compiling the release: in parallel, by the interpreter that will run it."""

from __future__ import annotations

import json
import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from hatch_release import compile_worker
from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Enough pieces that no core waits long for the slowest, few enough that starting interpreters costs little.
_PIECES_PER_CORE = 3


def compile_tree(
    root: Path, files: Iterable[Path], python: Path, *, keep_source: bool = False
) -> dict[str, str]:
    """Compile Python files of a tree to unchecked hash-based `.pyc` (PEP 552).

    Args:
        root: The release's root; code names its file relative to it.
        files: Python files below `root`.
        python: Executable of the interpreter that will load the result.
        keep_source: Leave the sources in place and put what is compiled into `__pycache__`;
            otherwise `x.py` is replaced by `x.pyc`.

    Returns:
        The files that don't compile, relative to `root`, with the compiler's message; they are left alone.

    Raises:
        ReleaseError: When the interpreter can't be run, or a file can't be written.
    """
    pieces = _pieces(list(files))
    workers = os.cpu_count() or 1
    with ThreadPoolExecutor(workers) as pool:
        jobs = [
            {
                "root": str(root),
                "files": [file.relative_to(root).as_posix() for file in piece],
                "keep_source": keep_source,
            }
            for piece in pieces
        ]
        done = pool.map(lambda job: _run_worker(python, job), jobs)
        failed: dict[str, str] = {}
        for each in done:
            failed.update(each)
    return failed


def _pieces(files: list[Path]) -> list[list[Path]]:
    """The files in pieces of about the same size, the largest files spread first."""
    count = (os.cpu_count() or 1) * _PIECES_PER_CORE
    pieces: list[list[Path]] = [[] for _ in range(count)]
    ordered = sorted(files, key=lambda file: (-file.stat().st_size, file))
    for number, file in enumerate(ordered):
        pieces[number % count].append(file)
    return [piece for piece in pieces if piece]


def _run_worker(python: Path, job: dict[str, object]) -> dict[str, str]:
    """Run one worker on one piece."""
    command = [str(python), "-I", "-S", "-W", "ignore", compile_worker.__file__]
    try:
        done = subprocess.run(command, input=json.dumps(job), capture_output=True, text=True, check=False)
    except OSError as error:
        raise ReleaseError(f"cannot run {python} to compile the release: {error.strerror}") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ReleaseError(f"{python} failed to compile the release: {reason}")
    failed: dict[str, str] = json.loads(done.stdout)
    return failed
