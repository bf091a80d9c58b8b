"""How a console script, which knows nothing of releases, is ended or started anew from inside.

It is asked the way that it listens to: by SIGTERM when it handles that, else as ^C does, also where ^C is ignored as in
what a shell starts in the background.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .importer import IndexFinder

_INTERRUPT = 62
"""A signal that nobody uses: interrupts the main thread whatever it waits in, whoever ignores ^C (signal(7))."""
THREADS_SECONDS = 5.0
"""How long threads that are no daemons may go on when everything has been stopped."""

_asked: list[str] = []
"""Why the script ends, when somebody has asked it to."""
_STOP, _RESTART = "stop", "restart"
_running = False
"""Whether the main thread is in the script."""


def stop() -> None:
    """Ask the script to end, from any thread."""
    from .supervision import kept

    _asked.append(_STOP)
    kept.stop_requested()
    _ask()


def restart() -> None:
    """Ask the script to end, and start it anew in the same process, from any thread."""
    _asked.append(_RESTART)
    _ask()


def _ask() -> None:
    import signal
    import threading

    handled = signal.getsignal(signal.SIGTERM) not in (signal.SIG_DFL, signal.SIG_IGN, None)
    # To the main thread, so that what it waits in is interrupted.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGTERM if handled else _INTERRUPT)


def listen() -> None:
    """Let a request to end be kept that comes before `run` is called."""
    # `signal` would make names of numbers, which takes its time.
    import _signal  # type: ignore[import-not-found]

    _signal.signal(_INTERRUPT, _interrupt)


def is_asked() -> bool:
    """Whether somebody has asked for the end."""
    return bool(_asked)


def _interrupt(_number: int, _frame: object) -> None:
    if _running:
        raise KeyboardInterrupt


def run(finder: IndexFinder, script: Callable[[], Any]) -> Any:  # noqa: ANN401 - the script's own result
    """Call the script, unless the end was asked for before; being interrupted is a good end when it has been.

    Args:
        finder: Serves the release.
        script: What to call.
    """
    global _running  # noqa: PLW0603 - a process has one main thread
    listen()
    try:
        _running = True
        return None if _asked else script()
    except KeyboardInterrupt:
        if _asked:
            return None
        raise
    except SystemExit:
        raise
    except BaseException as error:
        if _RESTART not in _asked:
            raise
        from . import leave

        leave.show(error)
        return None
    finally:
        _running = False
        if _RESTART in _asked:
            start_anew(finder)


def start_anew(finder: IndexFinder) -> None:
    """End what the program leaves open, and become the launcher again, in this very process.

    Args:
        finder: Serves the release.
    """
    from . import leave

    leave.limit(THREADS_SECONDS, lambda: _become_launcher(finder))
    leave.complete()
    _become_launcher(finder)


def _become_launcher(finder: IndexFinder) -> None:
    name = os.environ.get("RELEASE_PROG") or finder.release_payload["name"]
    launcher = f"{finder.release_root}/bin/{name}"
    command = os.environ.get("RELEASE_COMMAND") or "start"
    os.execv("/bin/sh", ["/bin/sh", launcher, "_kept", command, *_arguments()])  # noqa: S606 - no shell reads a line


def _arguments() -> list[str]:
    """The arguments of the command, whatever the program has made of `sys.argv`."""
    words = sys.orig_argv
    place = next((number for number, word in enumerate(words) if word.endswith(".boot")), None)
    return sys.argv[1:] if place is None else words[place + 2 :]
