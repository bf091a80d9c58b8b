"""The application's event loop: where code of commands runs that awaits."""

from __future__ import annotations

import gc
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator
    from types import FrameType
    from typing import Any

    from ..supervision.supervisor import Node


def find(node: Node | None) -> asyncio.AbstractEventLoop | None:
    """The event loop that runs: the node's, else that of the main thread, else any.

    Args:
        node: What runs here; None for a console script.
    """
    if node is not None and (of_node := node.host.event_loop()) is not None:
        return of_node
    if "asyncio" not in sys.modules:
        return None
    return next(running(), None)


def running() -> Iterator[asyncio.AbstractEventLoop]:
    """The event loops that run in this process, that of the main thread first."""
    seen: set[int] = set()
    for loop in (*_in_frames(), *_among_objects()):
        if id(loop) not in seen and loop.is_running():
            seen.add(id(loop))
            yield loop


def tasks() -> dict[asyncio.AbstractEventLoop, set[asyncio.Task[Any]]]:
    """The event loops that run, each with its tasks."""
    if "asyncio" not in sys.modules:
        return {}
    import asyncio

    return {loop: asyncio.all_tasks(loop) for loop in running()}


def _in_frames() -> Iterator[asyncio.AbstractEventLoop]:
    """Loops that a thread's own calls lead to, as `asyncio.run` does."""
    main = threading.main_thread().ident
    own = threading.get_ident()
    frames = sorted(sys._current_frames().items(), key=lambda item: item[0] != main)  # noqa: SLF001 - documented
    for thread, frame in frames:
        each: FrameType | None = frame if thread != own else None
        while each is not None:
            for name in ("self", "loop"):
                value: Any = each.f_locals.get(name) if name in each.f_code.co_varnames else None
                if _is_loop(value):
                    yield value
                inner: Any = vars(value).get("_loop") if type(value).__name__ == "Runner" else None
                if _is_loop(inner):
                    yield inner
            each = each.f_back


def _among_objects() -> Iterator[asyncio.AbstractEventLoop]:
    """Loops that compiled code runs."""
    for each in gc.get_objects():
        if _is_loop(each):
            yield each


def _is_loop(value: object) -> bool:
    """Whether it is an event loop; asked of its type, so that no object is touched."""
    import asyncio

    return issubclass(type(value), asyncio.AbstractEventLoop)
