"""Compiling the release: in parallel, by the interpreter that will run it."""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING

from hatch_release.errors import ReleaseError
from hatch_release.units import compile_worker

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from pathlib import Path

# Enough pieces that no core waits long for the slowest, few enough that starting interpreters costs little.
_PIECES_PER_CORE = 3
_WORTH_A_WORKER = 20
"""Files that take about as long as starting an interpreter."""
# What `-I` does, but for one setting: before Python 3.11 marshal writes sets in the order of their strings' hashes.
_START = "import sys; del sys.path[0]; exec(compile(open(sys.argv[1], 'rb').read(), sys.argv[1], 'exec'))"
_SETTINGS = {"PYTHONHASHSEED": "0"}
# Of all that can be dropped, what matters to the compiler.
_KINDS = ("source", "docstrings", "asserts")


def compile_tree(
    root: Path,
    files: Iterable[Path],
    python: Path,
    *,
    dropped: Callable[[Path], Iterable[str]] = lambda _file: ("source",),
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """Compile Python files of a tree to unchecked hash-based `.pyc` (PEP 552).

    Args:
        root: The release's root; code names its file relative to it.
        files: Python files below `root`.
        python: Executable of the interpreter that will load the result.
        dropped: The kinds (see `strip_policy`) that a file loses. With `source` among them `x.py` is replaced by
            `x.pyc`, otherwise it stays and what is compiled goes into `__pycache__`; `docstrings` and
            `asserts` are left out of the code.
        progress: Told how many files are done, and how many there are.

    Returns:
        The files that don't compile, relative to `root`, with the compiler's message; they are left alone.

    Raises:
        ReleaseError: When the interpreter can't be run, or a file can't be written.
    """
    groups: defaultdict[tuple[str, ...], list[Path]] = defaultdict(list)
    for file in files:
        groups[tuple(kind for kind in _KINDS if kind in dropped(file))].append(file)
    jobs = [({"dropped": kinds}, piece) for kinds, group in groups.items() for piece in _pieces(group)]
    return _run_workers(root, jobs, python, progress)


def rename_code(root: Path, old: str, new: str, python: Path) -> None:
    """Change the file names that compiled code carries, after its directory has been renamed.

    Args:
        root: The release's root.
        old: What the directory was called, relative to `root`.
        new: What it is called.
        python: Executable of the interpreter that will load the code.

    Raises:
        ReleaseError: When the interpreter can't be run, or a file can't be written.
    """
    pieces = _pieces(list((root / new).rglob("*.pyc")))
    _run_workers(root, [({"old": old, "new": new}, piece) for piece in pieces], python)


def _run_workers(
    root: Path,
    jobs: Sequence[tuple[Mapping[str, object], list[Path]]],
    python: Path,
    progress: Callable[[int, int], None] | None = None,
) -> dict[str, str]:
    """Do jobs, each on its files, in parallel; the files that fail with their messages."""
    done, total = 0, sum(len(files) for _, files in jobs)
    failed: dict[str, str] = {}
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            running = {
                pool.submit(_run_worker, python, {**job, **_names(root, files)}): files for job, files in jobs
            }
            for each in as_completed(running):
                failed.update(each.result())
                done += len(running[each])
                if progress:
                    progress(done, total)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)  # interrupted: what has not begun never does
            raise
    return dict(sorted(failed.items()))


def _names(root: Path, files: list[Path]) -> dict[str, object]:
    """The part of a job that says which files."""
    return {"root": str(root), "files": [file.relative_to(root).as_posix() for file in files]}


def _pieces(files: list[Path]) -> list[list[Path]]:
    """The files in pieces of about the same size, the largest files spread first."""
    count = min((os.cpu_count() or 1) * _PIECES_PER_CORE, 1 + len(files) // _WORTH_A_WORKER)
    pieces: list[list[Path]] = [[] for _ in range(count)]
    ordered = sorted(files, key=lambda file: (-file.stat().st_size, file))
    for number, file in enumerate(ordered):
        pieces[number % count].append(file)
    return [piece for piece in pieces if piece]


def _run_worker(python: Path, job: dict[str, object]) -> dict[str, str]:
    """Run one worker on one piece."""
    command = [str(python), "-s", "-S", "-W", "ignore", "-c", _START, compile_worker.__file__]
    others = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    try:
        done = subprocess.run(
            command,
            input=json.dumps(job),
            env={**others, **_SETTINGS},
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        raise ReleaseError(f"cannot run {python} to compile the release: {error.strerror}") from error
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ReleaseError(f"{python} failed to compile the release: {reason}")
    failed: dict[str, str] = json.loads(done.stdout)
    return failed


def sources(directory: Path) -> list[Path]:
    """The Python files below `directory` that can be compiled: real files, no links."""
    return [path for path in directory.rglob("*.py") if path.is_file() and not path.is_symlink()]
