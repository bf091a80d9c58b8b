"""`daemon`: the system in the background. The command returns when it has started, or tells why it has not."""

from __future__ import annotations

import _signal as signal  # type: ignore[import-not-found]  # `signal` takes long to make enumerations of it
import os
import sys

from ..errors import ReleaseError
from . import detaching
from .console import Console
from .heart import Heart
from .keeper import Keeper
from .life import Start, environment_of_system
from .log_files import LogFiles, LogSettings
from .log_writer import LogWriter
from .name_lock import NameLock
from .notices import Notices
from .places import Places
from .report import Report, await_outcome
from .terminal import Terminal
from .visitors import Visitors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType
    from typing import NoReturn

_INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM)


def daemon(command: list[str]) -> Callable[[], int]:
    """Prepare a daemon, as long as there is somebody to tell what is in its way.

    Args:
        command: The words that start the system.

    Returns:
        What starts it, and gives the exit code of the command.

    Raises:
        ReleaseError: When its files can't be written, its name is in use, or a variable is wrong.
    """
    detaching.open_streams()
    places = Places(os.environ)
    settings = LogSettings.read(os.environ)
    heart = Heart.wanted(os.environ)
    places.make()
    lock = NameLock(places.lock, places.node)
    lock.take()
    try:
        log = LogWriter(LogFiles(places.logs, places.node), settings)
        terminal = Terminal()
        visitors = Visitors(places.attach, terminal)
        notices = Notices(places.notify)
    except ReleaseError:
        lock.release()
        raise
    given, directory, umask = dict(os.environ), current_directory(), os.umask(0)
    os.umask(umask)

    def keep(report: int) -> NoReturn:
        told = Report(report)
        console = Console(terminal, visitors, log, told, umask)
        environment = environment_of_system(
            given, notices.address.for_others(), heart.timeout if heart else None
        )
        start = Start(command, environment, directory, console.prepare)
        try:
            console.note(f"LOGGING STARTED, process {os.getpid()}")
            keeper = Keeper(start, notices, console, heart=heart, lock=lock, report=told)
            keeper.follow_size = given["RELEASE_COMMAND"] != "daemon"
            keeper.run()
            places.tidy()
            told.end()
        except BaseException as error:  # noqa: BLE001 - a mistake of ours: it must be seen somewhere
            console.note(f"the keeper failed: {type(error).__name__}: {error}")
            told.failed(f"its keeper failed ({type(error).__name__}: {error})")
            told.end()
            os._exit(1)
        os._exit(0)

    kept = {lock.descriptor, log.descriptor, terminal.master, terminal.slave, visitors.fileno()}
    kept.update(notices.descriptors())
    return lambda: _launch(keep, kept, places)


def _launch(keep: Callable[[int], NoReturn], kept: set[int], places: Places) -> int:
    """Let a detached process `keep` the system, and wait until that has started; the exit code."""
    read, write = os.pipe()
    received: list[int] = []
    keeper = 0

    def interrupted(number: int, _frame: FrameType | None) -> None:
        received.append(number)
        if keeper:
            os.kill(keeper, signal.SIGTERM)

    for number in _INTERRUPTIONS:
        signal.signal(number, interrupted)
    keeper = detaching.detach({*kept, write})
    if keeper == 0:
        keep(write)
    os.close(write)
    if received:
        os.kill(keeper, signal.SIGTERM)
    outcome = await_outcome(read)
    if outcome.started:
        return 0
    sys.stderr.buffer.write(outcome.output)
    reason = outcome.reason or "its keeper was killed"
    sys.stderr.write(f"ERROR: {places.node} did not start: {reason}; its log is in {places.logs}\n")
    return 128 + received[0] if received else 1


def current_directory() -> str:
    """The current directory; the root of the release when it has been removed."""
    try:
        return os.getcwd()
    except OSError:
        return os.environ["RELEASE_ROOT"]
