"""What the endpoint tells about those who were refused, never so much that it fills a disk."""

from __future__ import annotations

import time

_MOST = 10
"""Lines in `_WITHIN` seconds."""
_WITHIN = 60.0


class Attempts:
    """The log of one endpoint."""

    def __init__(self) -> None:
        """Nothing has been told."""
        self._since = 0.0
        self._told = 0
        self._left_out = 0

    def refused(self, peer: str, reason: str) -> None:
        """Tell that a peer was refused.

        Args:
            peer: Who it was.
            reason: Why, as a clause.
        """
        now = time.monotonic()
        if now - self._since > _WITHIN or not self._since:
            if self._left_out:
                self.tell("%s more connections were refused", self._left_out, event="control_refused")
            self._since, self._told, self._left_out = now, 0, 0
        if self._told >= _MOST:
            self._left_out += 1
            return
        self._told += 1
        try:
            self.tell("refused a control connection of %s: %s", peer, reason, event="control_refused")
        except (ImportError, OSError):  # nothing can be imported for want of descriptors
            self._left_out += 1

    @staticmethod
    def tell(message: str, *arguments: object, event: str, is_error: bool = False) -> None:
        """Log one event of the endpoint."""
        import logging

        from ..supervision import events

        events.prepare(logging.WARNING)
        level = logging.ERROR if is_error else logging.WARNING
        events.tell(message, *arguments, event=event, level=level)
