"""What a boot file hands over to: `main` runs one command of `bin/NAME`.

The launcher has read `start.data`, sourced `env.sh` and set the RELEASE_* variables; it calls the boot
file with the command and its arguments. Every command ends in `leave.leave`.
"""

from __future__ import annotations

import builtins
import os
import sys

from . import leave, site_builtins
from .errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType
    from typing import Any

    from .importer import IndexFinder

Call = tuple["Callable[..., Any]", "tuple[Any, ...]"]
"""A function of the user's and its arguments: what a command runs once everything is prepared."""


def main(finder: IndexFinder, arguments: list[str]) -> None:
    """Run a command and end the process.

    Args:
        finder: Serves the release's modules.
        arguments: The command's name and its own arguments.
    """
    site_builtins.add()
    _clean_main()
    try:
        loads = _is_configured(finder, arguments[0]) and _has_configuration(finder)
        if loads:
            from .config import boot as configuration

            configuration.prepare(finder, arguments)
        command = COMMANDS.get(arguments[0])
        function, parameters = command(finder, arguments[1:]) if command else _added(finder, *arguments)
        os.environ.setdefault("RELEASE_MODE", "interactive")
        if loads:
            function, parameters = configuration.configured, (finder, arguments, function, parameters)
    except ReleaseError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        leave.leave(1)
    leave.run(function, *parameters)


def _is_configured(finder: IndexFinder, command: str) -> bool:
    """Whether a command loads the configuration before anything else."""
    return command in CONFIGURED or command in finder.release_payload["commands"]


def _has_configuration(finder: IndexFinder) -> bool:
    """Whether there is anything to load: known from assembling, unless another file is named."""
    default = f"{finder.release_root}/releases/{finder.release_payload['version']}/sys"
    return (
        finder.release_payload["config"] is not None
        or os.environ.get("RELEASE_SYS_CONFIG", default) != default
    )


def _clean_main() -> ModuleType:
    """Give the program a `__main__` of its own, with nothing of the boot file in it."""
    main_module = type(sys)("__main__")
    main_module.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = main_module
    return main_module


def _name_main() -> None:
    """Give `__main__` a file, as a console script's has: a child of `multiprocessing` runs it (`bootstrap.py`).

    It is the boot file, which the interpreter was given as the script to run.
    """
    vars(sys.modules["__main__"])["__file__"] = sys.argv[0]


def _start(finder: IndexFinder, arguments: list[str], ready: Callable[[], None] | None = None) -> Call:
    """`start [ARGS]`: run the applications."""
    from . import system

    if os.getpid() == 1:
        from .supervision import init_process

        init_process.become()
    _name_main()
    return system.load(finder, _program(finder), arguments, ready), ()


def _start_repl(finder: IndexFinder, arguments: list[str]) -> Call:
    """`start_repl [ARGS]`: the same, with a REPL on the terminal beside it."""
    from . import repl
    from .shell import choice

    which = choice.wanted()
    return _start(finder, arguments, lambda: repl.start(which))


def _run(finder: IndexFinder, arguments: list[str]) -> Call:
    """`run SCRIPT [ARGS]`: run a console script of any distribution of the release."""
    from . import console_script

    name = arguments[0] if arguments else ""
    reference = console_script.find(finder.release_payload["scripts"], name)
    program = os.path.join(finder.release_root, "bin", name)
    _name_main()
    return console_script.load(finder, reference, program, arguments[1:]), ()


def _added(finder: IndexFinder, name: str, *arguments: str) -> Call:
    """Any other command: one that the release adds to the launcher's own, called as a console script is."""
    from . import console_script

    commands = finder.release_payload["commands"]
    if name not in commands:
        known = f"it has {', '.join(sorted(commands))}" if commands else "it has none"
        version = finder.release_payload["version"]
        raise ReleaseError(f"version {version} has no command {name} of its own ({known})")
    _name_main()
    return console_script.load(finder, commands[name], _program(finder), list(arguments)), ()


def _eval(finder: IndexFinder, arguments: list[str]) -> Call:
    """`eval CODE [ARGS]`: run code in the release, without its applications."""
    from . import evaluate

    finder.close_image()
    if not arguments:
        raise ReleaseError("EVAL expects an expression as argument")
    sys.argv = [_program(finder), *arguments[1:]]
    return evaluate.evaluate, (arguments[0],)


def _daemon(finder: IndexFinder, arguments: list[str]) -> Call:
    """`daemon`, with the words that start the system: keep it in the background."""
    from .daemon import command

    finder.close_image()
    return command.daemon(arguments), ()


def _keep(finder: IndexFinder, arguments: list[str]) -> Call:
    """What `start` becomes with RELEASE_HEART: keep the system in the foreground."""
    from .daemon import foreground

    finder.close_image()
    return foreground.keep(arguments), ()


def _attach(finder: IndexFinder, arguments: list[str]) -> Call:  # noqa: ARG001 - it takes none
    """`attach`: become the terminal of a daemon."""
    from .daemon import attach

    return attach.attach(), ()


def _logs(finder: IndexFinder, arguments: list[str]) -> Call:  # noqa: ARG001 - the files are named by variables
    """`logs [-f]`: print the log of a daemon."""
    from .daemon import log_reader

    return log_reader.logs(arguments), ()


def _config(finder: IndexFinder, arguments: list[str]) -> Call:  # noqa: ARG001 - it asks the configuration alone
    """`config [APP [KEY]]`: print the effective configuration."""
    from .config import listing

    return listing.show, (arguments,)


def _verify(finder: IndexFinder, arguments: list[str]) -> Call:  # noqa: ARG001 - it takes none
    """`verify`: compare every file of this version with the manifest."""
    from . import verify

    payload = finder.release_payload
    return verify.verify, (finder.release_root, payload["name"], payload["version"])


def _trace(finder: IndexFinder, arguments: list[str]) -> Call:
    """The assembler's own: import what `start` would import, and write down what that loaded."""
    from . import trace

    return trace.trace, (finder, arguments[0])


def _measure(finder: IndexFinder, arguments: list[str]) -> Call:  # noqa: ARG001 - it takes none
    """The inspector's own: do what `start` does before it calls anything, and tell how long that takes."""
    from . import phases

    return phases.measure, (finder,)


def _configure(finder: IndexFinder, arguments: list[str]) -> Call:  # noqa: ARG001 - it needs none of the release
    """The assembler's own: run the build-time configuration, and `init` of the providers."""
    from .config import assembling

    return assembling.assemble, (arguments[0], arguments[1])


def _ask(name: str) -> Callable[[IndexFinder, list[str]], Call]:
    """The command `name`, which reaches the running system."""

    def command(finder: IndexFinder, arguments: list[str]) -> Call:
        from .control import commands

        return commands.run, (finder, name, arguments)

    return command


def _program(finder: IndexFinder) -> str:
    """What the program is told it was called as: the launcher's own path, whatever symlink led there."""
    return os.path.join(finder.release_root, "bin", finder.release_payload["name"])


COMMANDS: dict[str, Callable[[IndexFinder, list[str]], Call]] = {
    "start": _start,
    "start_repl": _start_repl,
    "start_iex": _start_repl,
    "run": _run,
    "eval": _eval,
    "config": _config,
    "verify": _verify,
    "daemon": _daemon,
    "_keep": _keep,
    "attach": _attach,
    "logs": _logs,
    "_trace": _trace,
    "_measure": _measure,
    "_configure": _configure,
    **{name: _ask(name) for name in ("rpc", "remote", "restart", "stop", "pid", "info", "stacks")},
}
CONFIGURED = ("start", "start_repl", "start_iex", "run", "eval", "config")
"""The commands of ours that load the configuration before anything else."""
