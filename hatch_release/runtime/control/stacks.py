"""What `stacks` tells: where every thread and every task of a system is, without stopping any."""

from __future__ import annotations

import sys
import threading
import traceback

from . import loops

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any


def text() -> str:
    """Where every thread and every task is, the innermost call last."""
    return "\n".join([*_threads(), *_tasks()])


def _threads() -> Iterator[str]:
    """The threads, but for the one that answers commands; the main one first."""
    names = {each.ident: each for each in threading.enumerate()}
    main, own = threading.main_thread().ident, threading.get_ident()
    frames = sys._current_frames()  # noqa: SLF001 - documented
    for ident in sorted(frames, key=lambda each: (each != main, each)):
        if ident == own:
            continue
        thread = names.get(ident)
        kind = " (daemon)" if thread is not None and thread.daemon else ""
        yield f"Thread {thread.name if thread else ident}{kind}:"
        yield from _lines(traceback.extract_stack(frames[ident]))


def _tasks() -> Iterator[str]:
    """The tasks of every event loop that runs."""
    for loop, tasks in loops.tasks().items():
        for task in sorted(tasks, key=lambda each: each.get_name()):
            yield f"Task {task.get_name()} of {type(loop).__name__}{_state(task)}:"
            frames = [(frame, frame.f_lineno) for frame in _chain(task.get_coro())]
            yield from _lines(traceback.StackSummary.extract(iter(frames)))


def _state(task: asyncio.Task[Any]) -> str:
    """That it runs at this moment is not known; that it is being cancelled is."""
    cancelling = getattr(task, "cancelling", None)  # Python 3.11 and newer
    return ", being cancelled" if cancelling is not None and cancelling() else ""


def _chain(coroutine: Any) -> Iterator[FrameType]:  # noqa: ANN401 - coroutines, generators and what they await
    """The frames of a coroutine and of what it awaits, one in the other."""
    seen = 0
    while coroutine is not None and seen < sys.getrecursionlimit():
        seen += 1
        frame = next(
            filter(None, (getattr(coroutine, f"{kind}_frame", None) for kind in ("cr", "gi", "ag"))), None
        )
        if frame is None:
            return
        yield frame
        inner = (getattr(coroutine, name, None) for name in ("cr_await", "gi_yieldfrom", "ag_await"))
        coroutine = next(filter(None, inner), None)


def _lines(summary: traceback.StackSummary) -> Iterator[str]:
    for line in summary.format() or ["  has not begun, or has no Python code\n"]:
        yield line.rstrip("\n")
