"""What becomes of a node when one of its applications has ended: restarts first, then the application's mode."""

from __future__ import annotations

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..payload import ApplicationSpec

RESTART = "restart"
STOP = "stop"
LIVE = "live"


class Policy:
    """The decisions of one node; remembers when what was restarted."""

    def __init__(self) -> None:
        """Nothing has ended."""
        self._restarts: dict[str, list[float]] = {}
        self.counts: dict[str, int] = {}
        """How often each application was started again."""

    def decide(self, spec: ApplicationSpec, *, failed: bool) -> str:
        """RESTART, STOP (the whole node) or LIVE (without the application).

        Args:
            spec: The application that has ended, or could not be started.
            failed: Whether by an error. Only a permanent application may not end otherwise either.
        """
        mode = spec["mode"]
        if not failed and mode != "permanent":
            return LIVE
        now = time.monotonic()
        recent = [each for each in self._restarts.get(spec["name"], []) if now - each <= spec["within"]]
        if len(recent) < spec["restarts"]:
            self._restarts[spec["name"]] = [*recent, now]
            self.counts[spec["name"]] = self.counts.get(spec["name"], 0) + 1
            return RESTART
        return LIVE if mode == "temporary" else STOP
