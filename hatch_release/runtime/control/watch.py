"""What a thread waits for: descriptors, and what each of them is to somebody (epoll(7)).

It does what `selectors` does, which takes as long to import as all that serves a connection.
"""

from __future__ import annotations

import select

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

READ, WRITE = select.EPOLLIN, select.EPOLLOUT


class Watch:
    """Descriptors that a thread waits for."""

    def __init__(self) -> None:
        """There is none."""
        self._epoll = select.epoll()
        self._watched: dict[int, Any] = {}

    def set(self, file: int, events: int, key: object) -> None:
        """Wait for something.

        Args:
            file: The descriptor.
            events: READ, WRITE or both; nothing of it any more when it is 0.
            key: What `wait` gives.

        Raises:
            OSError: When it isn't open.
        """
        if not events:
            self.discard(file)
        elif file in self._watched:
            self._epoll.modify(file, events)
            self._watched[file] = key
        else:
            self._epoll.register(file, events)
            self._watched[file] = key

    def discard(self, file: int) -> None:
        """Wait for nothing of a descriptor any more, which may be closed."""
        if self._watched.pop(file, None) is None:
            return
        try:
            self._epoll.unregister(file)
        except OSError:
            return  # closing it has done that

    def wait(self, seconds: float | None) -> list[tuple[Any, int]]:
        """The key of each descriptor of which something has come, and what: an error or an end is both READ and WRITE.

        Args:
            seconds: How long at most; as long as it takes without.

        Raises:
            OSError: When somebody has closed what it waits with.
            ValueError: The same.
        """
        found = self._epoll.poll(-1 if seconds is None else seconds, max(len(self._watched), 1))
        return [
            (self._watched[file], (READ if events & ~WRITE else 0) | (WRITE if events & ~READ else 0))
            for file, events in found
            if file in self._watched
        ]

    def close(self) -> None:
        """Wait for nothing any more."""
        self._watched.clear()
        self._epoll.close()
