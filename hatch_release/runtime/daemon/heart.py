"""Heart: whether, and when, a system that crashed or hangs is started again."""

from __future__ import annotations

import time

from .settings import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_TIMEOUT, _TIMEOUTS = 60.0, (1.0, 65535.0)
_RESTARTS, _NUMBERS = 10, (0, 1_000_000)
_STABLE, _TIMES = 60.0, (0.0, 65535.0)
_DELAY, _DELAYS = 0.1, (0.0, 60.0)
_OFF = ("", "0", "false", "no")
"""What the launcher takes for no as well."""


class Heart:
    """Counts restarts, and signs of life.

    Args:
        environment: The variables that set it up.

    Raises:
        ReleaseError: When one of them is out of range.
    """

    @classmethod
    def wanted(cls, environment: Mapping[str, str]) -> Heart | None:
        """Heart as the variables set it up; None when RELEASE_HEART does not ask for it."""
        return cls(environment) if environment.get("RELEASE_HEART", "") not in _OFF else None

    def __init__(self, environment: Mapping[str, str]) -> None:
        """Nothing has happened yet."""
        names = ("RELEASE_HEART_TIMEOUT", "HEART_BEAT_TIMEOUT")
        self.timeout = number(environment, names, _TIMEOUT, _TIMEOUTS, "seconds")
        """Seconds without a sign of life after which the system is taken for hung."""
        self.limit = int(number(environment, ("RELEASE_HEART_RESTARTS",), _RESTARTS, _NUMBERS, "restarts"))
        """How many restarts in a row there may be."""
        self._stable = number(environment, ("RELEASE_HEART_STABLE",), _STABLE, _TIMES, "seconds")
        self._delay = number(environment, ("RELEASE_HEART_DELAY",), _DELAY, _DELAYS, "seconds")
        self.count = 0
        """Restarts in a row so far."""
        self._due: float | None = None

    def beat(self) -> None:
        """The system lives."""
        self._due = time.monotonic() + self.timeout

    def rest(self) -> None:
        """No signs of life are expected for now."""
        self._due = None

    def left(self) -> float | None:
        """Seconds until the system is taken for hung."""
        return None if self._due is None else self._due - time.monotonic()

    def next(self, lived: float) -> float | None:
        """Seconds to wait before the next start, twice as long each time; None: it is given up.

        Args:
            lived: How many seconds the system ran; one that ran long enough begins anew.
        """
        if lived >= self._stable:
            self.count = 0
        if self.count >= self.limit:
            return None
        self.count += 1
        return min(self._delay * 2.0 ** min(self.count - 1, 30), _DELAYS[1])
