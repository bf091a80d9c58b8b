"""One life of the system: a process, from its start to its end."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` takes long to make enumerations of it
import os
import sys
import time

from ..supervision import systemd

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import NoReturn

KEEPER = "RELEASE_KEEPER"
"""Tells the system which process keeps it."""
_OF_ANOTHER = ("WATCHDOG_USEC", "WATCHDOG_PID", KEEPER)
"""What an outer supervisor has told this process."""
_MICROSECONDS = 1_000_000
_PR_SET_PDEATHSIG = 1
_NOT_FOUND = 127
_BY_REQUEST = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""What ends a program that does not handle it, and was sent to have it end."""


class Start:
    """How the system is started, each time in the same way.

    Args:
        command: The words to execute.
        environment: What it gets.
        directory: Its current directory.
        prepare: Called in the new process: gives it its session and standard streams.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        directory: str,
        prepare: Callable[[], None],
    ) -> None:
        """Nothing is started."""
        self.command = command
        self.environment = environment
        self.directory = directory
        self.prepare = prepare


def environment_of_system(given: Mapping[str, str], notify: str, seconds: float | None) -> dict[str, str]:
    """The system's environment: that of the command, and how it reaches its keeper.

    Args:
        given: That of the command.
        notify: What NOTIFY_SOCKET is to be.
        seconds: After how many without a sign of life it is taken for hung; None: nobody asks.
    """
    environment = {name: value for name, value in given.items() if name not in _OF_ANOTHER}
    environment["NOTIFY_SOCKET"] = notify
    if seconds is not None:
        environment["WATCHDOG_USEC"] = str(int(seconds * _MICROSECONDS))
    return environment


class Life:
    """The system's process.

    Args:
        start: How it is started.
    """

    def __init__(self, start: Start) -> None:
        """Start it."""
        keeper = os.getpid()
        self.began = time.monotonic()
        self.status: int | None = None
        """The exit code, or the number of the signal that ended it, negative; None as long as it runs."""
        self.pid = os.fork()
        if self.pid == 0:
            _become(start, keeper)

    def signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.status is None:
            os.kill(self.pid, number)  # until it is waited for, its number is nobody else's

    def clear(self) -> None:
        """End what it has left behind in its process group, if it had one of its own."""
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except OSError:
            return

    def ended_by_request(self) -> bool:
        """Whether it ended as programs do that were asked to: with exit code 0, or by the signal that asks."""
        return self.status in (
            0,
            *(-number for number in _BY_REQUEST),
            *(128 + number for number in _BY_REQUEST),
        )

    def in_words(self) -> str:
        """How it ended."""
        status = self.status or 0
        if status < 0:
            from signal import Signals

            try:
                return f"was ended by {Signals(-status).name}"
            except ValueError:
                return f"was ended by signal {-status}"
        return f"ended with exit code {status}"


def _become(start: Start, keeper: int) -> NoReturn:
    """In the new process: become the system."""
    try:
        start.prepare()
        _die_with(keeper)
        environment = {**start.environment, KEEPER: str(keeper)}
        own = str(os.getpid())
        if "WATCHDOG_USEC" in environment:
            environment["WATCHDOG_PID"] = own
        if systemd.listening(keeper):
            environment["LISTEN_PID"] = own
        try:
            os.chdir(start.directory)
        except OSError:
            os.chdir(start.environment.get("RELEASE_ROOT", "/"))
        os.execve(start.command[0], list(start.command), environment)  # noqa: S606 - no shell is wanted
    except BaseException as error:  # noqa: BLE001 - this process must never be a second keeper
        sys.stderr.write(f"ERROR: {start.command[0]} can't be run: {error}\n")
        sys.stderr.flush()
    os._exit(_NOT_FOUND)


def _die_with(keeper: int) -> None:
    """Let the kernel send SIGTERM when the keeper is killed."""
    try:
        import _ctypes  # `ctypes` takes as long to import as the rest of a start by the keeper

        function = _ctypes.dlsym(_ctypes.dlopen(None, 0), "prctl")  # type: ignore[arg-type]
        _ctypes.call_function(function, (_PR_SET_PDEATHSIG, signal.SIGTERM))
    except (ImportError, OSError, AttributeError):
        return  # an interpreter without ctypes: the system outlives a keeper that is killed
    if os.getppid() != keeper:
        os._exit(1)
