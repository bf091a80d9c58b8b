"""What a command has said and its session has not looked at yet: never much of it."""

from __future__ import annotations

import collections
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_TEXTS = ("source", "complete", "check")
_NUMBERS = ("cursor", "id")
MOST = 1 << 20
"""Characters or bytes that may wait; a command that says more is not listened to until less does."""
_EACH = 1 << 10
"""What a request counts for beyond its text."""


class Requests:
    """Requests of one command, from the thread that listens to the one that sees to them.

    Args:
        resume: Called when there is room again.
    """

    def __init__(self, resume: Callable[[], None]) -> None:
        """Nothing has been said."""
        self._resume = resume
        self._waiting: collections.deque[tuple[int, dict[str, Any] | None]] = collections.deque()
        self._size = 0
        self._changed = threading.Condition()

    def put(self, message: dict[str, Any]) -> None:
        """Take what belongs to a request of a message, and nothing else that may be in it."""
        request: dict[str, Any] = {name: str(message[name]) for name in _TEXTS if name in message}
        request |= {name: message[name] for name in _NUMBERS if type(message.get(name)) is int}
        request["whole"] = message.get("whole") is True
        self._add(_EACH + sum(len(request.get(name, "")) for name in _TEXTS), request)

    def close(self) -> None:
        """Nothing more comes, and what waits is of no use to anybody."""
        with self._changed:
            self._waiting.clear()
            self._size = 0
        self._add(0, None)

    def _add(self, size: int, request: dict[str, Any] | None) -> None:
        with self._changed:
            self._waiting.append((size, request))
            self._size += size
            self._changed.notify()

    def get(self) -> dict[str, Any] | None:
        """The next one; waits for it. None when nothing more comes."""
        with self._changed:
            while not self._waiting:
                self._changed.wait()
            was_full = self.is_full()
            size, request = self._waiting.popleft()
            self._size -= size
            has_room = was_full and not self.is_full()
        if has_room:
            self._resume()
        return request

    def is_full(self) -> bool:
        """Whether more must not come."""
        return self._size > MOST
