"""The files of a log: `NAME.log.1` to `NAME.log.N`, used in turn.

The file after the newest one is always missing, which shows where the newest and the oldest are. Source: run_erl of
Erlang/OTP, whose variables are understood as well.
"""

from __future__ import annotations

import os

from .settings import number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_MAXSIZE, _SIZES = 100_000, (1000, 2**30)
_GENERATIONS, _NUMBERS = 5, (2, 1000)
_ALIVE_MINUTES, _MINUTES = 15, (0, 2**20)
"""Defaults and limits, as those of run_erl."""


class LogSettings:
    """How a log is kept.

    Args:
        maxsize: Bytes after which the next file is begun, at the end of a line.
        generations: How many names are used in turn; one of the files is always missing.
        alive: Seconds without output after which a line says that the keeper is alive; 0: never.
    """

    def __init__(
        self,
        maxsize: int = _MAXSIZE,
        generations: int = _GENERATIONS,
        alive: float = _ALIVE_MINUTES * 60.0,
    ) -> None:
        """The defaults are those of run_erl."""
        self.maxsize = maxsize
        self.generations = generations
        self.alive = alive

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> LogSettings:
        """What the variables say.

        Args:
            environment: RELEASE_LOG_MAXSIZE (bytes), RELEASE_LOG_GENERATIONS, RELEASE_LOG_ALIVE_MINUTES, and
                the same as RUN_ERL_LOG_..., which count when the others are not set.

        Raises:
            ReleaseError: When one is out of range.
        """

        def read(name: str, default: float, limits: tuple[float, float], unit: str) -> float:
            return number(environment, (f"RELEASE_LOG_{name}", f"RUN_ERL_LOG_{name}"), default, limits, unit)

        return cls(
            int(read("MAXSIZE", _MAXSIZE, _SIZES, "bytes")),
            int(read("GENERATIONS", _GENERATIONS, _NUMBERS, "files")),
            read("ALIVE_MINUTES", _ALIVE_MINUTES, _MINUTES, "minutes") * 60,
        )


class LogFiles:
    """The files of one log.

    Args:
        directory: Where they are.
        node: What they are named after.
    """

    def __init__(self, directory: str, node: str) -> None:
        """They need not be there."""
        self.directory = directory
        self.node = node

    def path(self, index: int) -> str:
        """The file of a number, from 1."""
        return os.path.join(self.directory, f"{self.node}.log.{index}")

    def existing(self) -> list[int]:
        """The numbers of the files that are there, the oldest first."""
        prefix = f"{self.node}.log."
        try:
            names = os.listdir(self.directory)
        except OSError:
            return []
        found = [name[len(prefix) :] for name in names if name.startswith(prefix)]
        numbers = sorted(int(each) for each in found if each.isdecimal() and each[0] != "0")
        # The hole is behind the newest: what follows it is older.
        hole = next((place for place, each in enumerate(numbers) if each != place + 1), len(numbers))
        return numbers[hole:] + numbers[:hole]
