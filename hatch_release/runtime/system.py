"""`start`: everything that the boot script starts, until it ends.

A console script is the whole program: signals, arguments and exit codes are its own. Declared applications run in a
node (`supervisor.py`). Either can be reached through the control endpoint.
"""

from __future__ import annotations

import os
import sys
import time

from . import ending, leave, preload
from .bootfile import STARTED
from .console_script import Importing
from .console_script import load as load_script
from .control import endpoint
from .errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .importer import IndexFinder
    from .payload import ApplicationSpec
    from .supervision.supervisor import Node


class System:
    """What runs in this process, as the control endpoint sees it.

    Args:
        finder: Serves the release's modules.
        started: The applications that the boot script starts.
    """

    def __init__(self, finder: IndexFinder, started: list[ApplicationSpec]) -> None:
        """Nothing is imported yet."""
        self.finder = finder
        self.specs = started
        self.begun = time.time()
        self.directory = os.getcwd()
        self.node: Node | None = None
        self.endpoint: endpoint.Endpoint | None = None
        self._script_runs = False

    @property
    def started(self) -> bool:
        """Whether all that is to be started has been."""
        return self._script_runs if self.node is None else self.node.started

    def answer(self) -> None:
        """Answer commands from now on."""
        opened, self.endpoint = self.endpoint, None
        if opened is not None:
            opened.wait()

    def is_script(self) -> bool:
        """Whether it is a console script alone."""
        return [each["kind"] for each in self.specs] == ["script"]

    def script(
        self, program: str, arguments: list[str], early: tuple[str, ...], ready: Callable[[], None] | None
    ) -> Callable[[], Any]:
        """What runs the console script."""

        def imported() -> None:
            if ready is not None:
                ready()
            self._script_runs = True

        call = load_script(self.finder, self.specs[0]["start"], program, arguments, imported)

        def run() -> Any:  # noqa: ANN401 - the script's own
            self.answer()
            return _preloaded(early, call) if early else call()

        return lambda: ending.run(self.finder, run)

    def run_node(self, early: tuple[str, ...], ready: Callable[[], None] | None) -> int:
        """Run applications in a node, until the end; the exit code."""
        from . import api
        from .supervision.supervisor import Node

        node = Node(self.finder.release_payload["applications"], self.finder)
        self.node = node
        api.attach(node)
        self.answer()
        if ending.is_asked():  # while it was configured
            ending.run(self.finder, _nothing)
            return 0
        try:
            with Importing(self.finder):
                preload.preload(early)
                order = node.prepare([each["name"] for each in self.specs])
        except ReleaseError as error:
            return _refused(error)
        if early:
            preload.settle()
        if ready is not None:
            ready()
        code = node.run(order)
        if node.restarting:
            ending.start_anew(self.finder)
        leave.limit(ending.THREADS_SECONDS, lambda: leave.abandon(code))
        return code


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
        ReleaseError: When the boot script starts nothing, settings are wrong, or the node's name is in use.
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
    system = System(finder, started)
    system.endpoint = endpoint.open_for(system)
    plan = payload["config"]
    if plan is not None and plan["distribution"]:
        ending.listen()
        system.answer()
    finder.read_ahead()
    rest = _beat()
    if system.is_script():
        return system.script(program, arguments, early, _told_keeper(ready))
    sys.argv = [program, *arguments]
    return lambda: system.run_node(early, _both(ready, rest))


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


def _nothing() -> None:
    """Nothing is left to be run."""


def _refused(error: ReleaseError) -> int:
    """Tell why nothing is started."""
    if error.__cause__ is not None:
        leave.show(error.__cause__)
    sys.stderr.write(f"ERROR: {error}\n")
    return 1
