"""What a program asks and tells the system that it is part of: `from hatch_release.runtime import ...`.

Inside a release the answers are the release's. In development there is none: then applications are those that the
installed distributions declare, and nothing is started unless it is asked for.
"""

from __future__ import annotations

import atexit
import os
import re
import sys
import threading

from .errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from .importer import IndexFinder
    from .payload import ApplicationSpec
    from .supervision.supervisor import Node

_current: Node | None = None
_lock = threading.Lock()


def attach(node: Node) -> None:
    """Make `node` the one of this process."""
    global _current  # noqa: PLW0603 - a process has one
    _current = node


def current() -> Node | None:
    """The node of this process; None when it runs a console script."""
    return _current


def node() -> str:
    """The node's name: RELEASE_NODE, or `nonode` outside of a release."""
    return os.environ.get("RELEASE_NODE") or "nonode"


def mode() -> str:
    """How code is loaded: `embedded` or `interactive`."""
    return os.environ.get("RELEASE_MODE") or "interactive"


def started_applications() -> list[str]:
    """The names of the applications that are started, in the order of starting."""
    return list(_current.running) if _current is not None else []


def app_dir(name: str) -> str:
    """The directory that a distribution is in.

    Args:
        name: Of the distribution, in any spelling, or of an application.

    Raises:
        ReleaseError: When there is none of that name.
    """
    wanted = _normalized(name)
    finder = _finder()
    if finder is not None:
        directories = finder.release_payload["directories_of"]
        owners = {spec["name"]: spec["distribution"] for spec in finder.release_payload["applications"]}
        wanted = wanted if wanted in directories else owners.get(name, wanted)
        if wanted not in directories:
            raise ReleaseError(_unknown("distribution", name, directories))
        return f"{finder.release_root}/{directories[wanted]}"
    from importlib import metadata

    try:
        return os.path.abspath(str(metadata.distribution(name).locate_file("")))
    except metadata.PackageNotFoundError as error:
        raise ReleaseError(f"no distribution '{name}' is installed") from error


def load(name: str) -> None:
    """Import the module that an application is started from, without starting it.

    Args:
        name: Of the application, or of a distribution: then all of its applications.

    Raises:
        ReleaseError: When there is no such application, or it can't be imported.
    """
    from .supervision.loading import make

    specs = _specs()
    home = _home(specs)
    for each in _named(name, specs):
        make(home.host, each)


def ensure_all_started(name: str) -> list[str]:
    """Start an application, and before it those that it needs.

    Args:
        name: Of the application, or of a distribution: then all of its applications.

    Returns:
        The names of those that were not started before, in order.

    Raises:
        ReleaseError: When there is no such application, or it can't be imported.
        BaseException: What an application raises when it is started; those started before it stay.
    """
    from .supervision.loading import make

    specs = _specs()
    home = _home(specs)
    if home.host.is_loop():
        raise ReleaseError(
            "ensure_all_started can't wait in the event loop: await asyncio.to_thread(ensure_all_started, ...)"
        )
    names: dict[str, None] = {}
    for spec in _named(name, specs):
        names.update(dict.fromkeys((*spec["needs"], spec["name"])))
    for each in names:
        make(home.host, home.specs[each])
    main = home.host.main
    busy, main.busy = main.busy, main.busy or _is_main()
    try:
        return home.start_more(list(names)).result()
    finally:
        main.busy = busy


def stop(code: int = 0) -> None:
    """Stop the system: its applications in the opposite order, then the process. Comes back at once.

    In `eval` and in development, what `ensure_all_started` has started is stopped, and the program goes on.

    Args:
        code: The exit code of the process.
    """
    if _current is not None:
        _current.stop(code)
        if _supervisor is not None:
            _finish()
    elif _in_script():
        from . import ending

        ending.stop()


def restart() -> None:
    """Stop the system and start it anew in the same process, with the same version. Comes back at once.

    Raises:
        ReleaseError: Where no system runs: in `eval`, and in development.
    """
    if _current is not None and _supervisor is None:
        _current.restart()
    elif _current is None and _in_script():
        from . import ending

        ending.restart()
    else:
        raise ReleaseError("nothing can be restarted here: only a system that `start` has started can be")


def _in_script() -> bool:
    """Whether the process is a console script that `start` runs."""
    return _finder() is not None and os.environ.get("RELEASE_COMMAND", "").startswith(("start", "daemon"))


_supervisor: threading.Thread | None = None
"""The supervisor's thread, of a node beside a program."""


def _home(specs: Iterable[ApplicationSpec]) -> Node:
    """The node of this process; made when there is none."""
    global _current, _supervisor  # noqa: PLW0603 - a process has one
    with _lock:
        if _current is None:
            from .supervision.supervisor import Node

            _current = Node(list(specs), _finder())
            _supervisor = _current.serve()
            atexit.register(_finish)
        return _current


def _finish() -> None:
    """Stop what was started beside a program."""
    global _current, _supervisor
    with _lock:
        home, supervisor, _current, _supervisor = _current, _supervisor, None, None
    if home is not None and supervisor is not None:
        home.stop()
        supervisor.join()


def _specs() -> Iterable[ApplicationSpec]:
    """All applications that there are."""
    if _current is not None:
        return list(_current.specs.values())
    finder = _finder()
    if finder is not None:
        return finder.release_payload["applications"]
    from .development import specs

    return specs()


def _named(name: str, specs: Iterable[ApplicationSpec]) -> list[ApplicationSpec]:
    """The applications of a name."""
    every = list(specs)
    found = [each for each in every if each["name"] == name]
    found = found or [each for each in every if each["distribution"] == _normalized(name)]
    if not found:
        raise ReleaseError(_unknown("application", name, [each["name"] for each in every]))
    return found


def _unknown(kind: str, name: str, known: Iterable[str]) -> str:
    import difflib

    names = sorted(known)
    near = difflib.get_close_matches(name, names, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"there is {', '.join(names) or 'none'}"
    return f"unknown {kind} '{name}': {hint}"


def _normalized(name: str) -> str:
    """A name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _is_main() -> bool:
    return threading.current_thread() is threading.main_thread()


def _finder() -> IndexFinder | None:
    """What serves the release's modules; None outside of a release."""
    found: Any = next((each for each in sys.meta_path if hasattr(each, "release_payload")), None)
    return found  # type: ignore[no-any-return]
