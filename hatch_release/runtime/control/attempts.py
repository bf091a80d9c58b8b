"""What the endpoint tells about those who were refused, never so much that it fills a disk."""

from __future__ import annotations

import logging
import time

from ..supervision import events

_MOST = 10
"""Lines in `_WITHIN` seconds."""
_WITHIN = 60.0


class Attempts:
    """The log of one endpoint."""

    def __init__(self) -> None:
        """Nothing has been told."""
        events.prepare(logging.WARNING)
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
        self.tell("refused a control connection of %s: %s", peer, reason, event="control_refused")

    @staticmethod
    def tell(message: str, *arguments: object, event: str, level: int = logging.WARNING) -> None:
        """Log one event of the endpoint."""
        events.tell(message, *arguments, event=event, level=level)
