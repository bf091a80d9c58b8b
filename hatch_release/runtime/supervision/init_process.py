"""The first process of a container: reaps orphans and forwards signals to the system, which is its child.

The kernel gives process 1 no default actions for signals, and every orphan. So the system runs in a child, as under any
other init, and this process does nothing else.
"""

from __future__ import annotations

import os
import signal
import sys

_FORWARDED = {
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGUSR1,
    signal.SIGUSR2,
    signal.SIGCONT,
    signal.SIGWINCH,
}


def become() -> None:
    """When this is process 1, go on in a child, and stay behind as init; otherwise do nothing."""
    if os.getpid() != 1:
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED | {signal.SIGCHLD})
    child = os.fork()
    if child:
        _serve(child)
    _take_terminal()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    for name in ("LISTEN_PID", "WATCHDOG_PID"):
        if os.environ.get(name) == "1":
            os.environ[name] = str(os.getpid())


def _take_terminal() -> None:
    """Become the foreground process group, so that ^C comes once."""
    os.setpgid(0, 0)
    if os.isatty(0):
        before = signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        try:
            os.tcsetpgrp(0, os.getpgrp())
        except OSError:
            pass  # somebody else's terminal
        finally:
            signal.signal(signal.SIGTTOU, before)


def _serve(child: int) -> None:
    """Forward signals and reap children until the system has ended; end as it did."""
    while True:
        number = signal.sigwait(_FORWARDED | {signal.SIGCHLD})
        if number != signal.SIGCHLD:
            try:
                os.kill(child, number)
            except ProcessLookupError:
                continue
        status = _reap(child)
        if status is not None:
            sys.stdout.flush()
            os._exit(status if status >= 0 else 128 - status)


def _reap(child: int) -> int | None:
    """Collect all children that have ended; the exit status of `child` once it is among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            found = os.waitstatus_to_exitcode(status)
