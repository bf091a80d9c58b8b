"""`start`: everything that the boot script starts, until it ends.

A console script is the whole program: signals, arguments and exit codes are its own. Declared applications run in a
node (`supervisor.py`).
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

from . import leave, preload
from .bootfile import STARTED
from .console_script import Importing
from .console_script import load as load_script
from .errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .importer import IndexFinder

_THREADS_SECONDS = 5.0
"""How long threads that are no daemons may go on when everything has been stopped."""


def load(
    finder: IndexFinder, program: str, arguments: list[str], ready: Callable[[], None] | None
) -> Callable[[], Any]:
    """Give what runs the system, ready to be called.

    Args:
        finder: Serves the release's modules.
        program: Becomes `sys.argv[0]`.
        arguments: Become the rest of `sys.argv`.
        ready: Called when everything is imported, before anything is started.

    Raises:
        ReleaseError: When the boot script starts nothing, or RELEASE_MODE is wrong.
    """
    payload = finder.release_payload
    started = [each for each in payload["applications"] if each["mode"] in STARTED]
    if not started:
        script = os.environ.get("RELEASE_BOOT_SCRIPT")
        raise ReleaseError(
            f"the boot script {script} starts no application: set RELEASE_BOOT_SCRIPT to one that does"
        )
    mode = preload.mode(payload["mode"])
    early = payload["preload"] if mode == preload.EMBEDDED else ()
    finder.read_ahead()
    rest = _beat()
    if [each["kind"] for each in started] == ["script"]:
        ready = _told_keeper(ready)
        call = load_script(finder, started[0]["start"], program, arguments, ready)
        return (lambda: _preloaded(early, call)) if early else call
    sys.argv = [program, *arguments]
    return lambda: _run_node(finder, [each["name"] for each in started], early, _both(ready, rest))


def _told_keeper(ready: Callable[[], None] | None) -> Callable[[], None] | None:
    """What is called before a console script: a keeper, when there is one, learns that it has come so far."""
    if "RELEASE_KEEPER" not in os.environ:
        return ready
    from .supervision import kept

    return _both(ready, kept.called)


def _beat() -> Callable[[], None] | None:
    """Give a keeper signs of life, if it wants them; what ends that once somebody else gives them."""
    if "RELEASE_KEEPER" not in os.environ:
        return None
    from .supervision import kept

    return kept.beat()


def _both(first: Callable[[], None] | None, second: Callable[[], None] | None) -> Callable[[], None] | None:
    """One call after the other, of those that there are."""
    if first is None or second is None:
        return first or second

    def both() -> None:
        first()
        second()

    return both


def _preloaded(modules: tuple[str, ...], script: Callable[[], Any]) -> Any:  # noqa: ANN401 - the script's own
    """Run a console script in embedded mode."""
    try:
        preload.preload(modules)
    except ReleaseError as error:
        return _refused(error)
    preload.settle()
    return script()


def _run_node(
    finder: IndexFinder, names: list[str], early: tuple[str, ...], ready: Callable[[], None] | None
) -> int:
    """Run applications in a node, until the end; the exit code."""
    from . import api
    from .supervision.supervisor import Node

    node = Node(finder.release_payload["applications"], finder)
    api.attach(node)
    try:
        with Importing(finder):
            preload.preload(early)
            order = node.prepare(names)
    except ReleaseError as error:
        return _refused(error)
    if early:
        preload.settle()
    if ready is not None:
        ready()
    code = node.run(order)
    if node.restarting:
        _start_anew(finder)
    leave.limit(_THREADS_SECONDS, code)
    return code


def _refused(error: ReleaseError) -> int:
    """Tell why nothing is started."""
    if error.__cause__ is not None:
        leave.show(error.__cause__)
    sys.stderr.write(f"ERROR: {error}\n")
    return 1


def _start_anew(finder: IndexFinder) -> None:
    """Become the launcher again, in this very process."""
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    name = os.environ.get("RELEASE_PROG") or finder.release_payload["name"]
    launcher = f"{finder.release_root}/bin/{name}"
    command = os.environ.get("RELEASE_COMMAND") or "start"
    os.execv("/bin/sh", ["/bin/sh", launcher, "_kept", command, *sys.argv[1:]])  # noqa: S606 - no shell reads a line
