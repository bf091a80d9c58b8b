"""Loading the configuration of a release: `sys.config`, then the providers one after the other, then the checks."""

from __future__ import annotations

import os
import sys

from . import compiled, hidden, interpreter, plain, provider, reboot, sys_config
from .errors import ConfigError, in_one_line
from .merging import checked, copied
from .origins import Layer, Notes
from .store import Store, install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from ..importer import IndexFinder
    from ..payload import ConfigPlan
    from .merging import Config
    from .origins import Path

_SHOWING = "config"
"""The command that only shows the configuration: it starts nothing anew."""


def prepare(finder: IndexFinder, arguments: list[str]) -> None:
    """Look whether the configuration can be loaded, before the command does anything.

    Args:
        finder: Serves the release's modules.
        arguments: Those of the boot file; the command is the first.

    Raises:
        ConfigError: When a reboot is wanted, and its file can't be written.
    """
    plan = finder.release_payload["config"]
    if plan is not None and _reboots(plan, arguments) and not _named(finder).endswith(reboot.WRITTEN):
        reboot.check(finder)


def _reboots(plan: ConfigPlan, arguments: list[str]) -> bool:
    """Whether a command starts anew when it is configured."""
    return plan["reboot"] and arguments[0] != _SHOWING


def configured(
    finder: IndexFinder, arguments: list[str], function: Callable[..., Any], parameters: tuple[Any, ...]
) -> Any:  # noqa: ANN401 - what the function gives
    """Load the configuration, then call a function.

    Args:
        finder: Serves the release's modules.
        arguments: Those of the boot file.
        function: What the command runs.
        parameters: Its own.
    """
    plan = finder.release_payload["config"]
    try:
        if plan is not None and plan["distribution"] and arguments[0].startswith("start"):
            # Commands reach the system already, and may end it.
            from .. import ending

            ending.run(finder, lambda: configure(finder, arguments))
            if ending.is_asked():
                return 0
        else:
            configure(finder, arguments)
    except ConfigError as error:
        return tell(error)
    return function(*parameters)


def tell(error: ConfigError) -> int:
    """Say why there is no configuration, with the trace of what a provider raised; give the exit code."""
    trace = getattr(error, "trace", "")
    sys.stderr.write(f"{trace}ERROR: {error}\n")
    return 1


def configure(finder: IndexFinder, arguments: list[str]) -> None:
    """Load the configuration of this process and make it everybody's.

    Args:
        finder: Serves the release's modules.
        arguments: Those of the boot file; the command is the first.

    Raises:
        ConfigError: When it can't be loaded, or isn't what it has to be.
    """
    plan = finder.release_payload["config"]
    interpreter.settle(os.path.dirname(_default(finder)))
    file = _named(finder)
    store, booted = _load(finder, file)
    if plan is not None:
        wanted = interpreter.settings(store.values)
        if booted is None and _reboots(plan, arguments):
            reboot.start(finder, file, store, wanted, arguments)
        if plan["validate"]:
            compiled.check(store)
        interpreter.apply(wanted, arguments)
        if booted is not None:
            lasting = arguments[0].startswith(("start", "daemon")) and not plan["prune"]
            reboot.settle(booted, file, keep=lasting)
    else:
        interpreter.apply(interpreter.settings(store.values), arguments)
    install(store)


def load(finder: IndexFinder, begins: Callable[[str], None] | None = None) -> Store:
    """The configuration of a release, for a process that was not started by its launcher.

    Args:
        finder: Serves the release's modules.
        begins: Told which provider is asked next.

    Raises:
        ConfigError: When it can't be loaded.
    """
    os.environ.setdefault("RELEASE_ROOT", finder.release_root)
    return _load(finder, _named(finder), begins)[0]


def install_assembled(finder: IndexFinder) -> None:
    """Make what is known without providers the configuration of this process, which runs while assembling.

    Args:
        finder: Serves the release's modules.
    """
    store, _booted = _read(finder, _default(finder))
    install(store)


def _named(finder: IndexFinder) -> str:
    """The file to read: the release's own, or the one that RELEASE_SYS_CONFIG names."""
    return sys_config.path(_default(finder))


def _default(finder: IndexFinder) -> str:
    """The release's own `sys.config`."""
    return f"{finder.release_root}/releases/{finder.release_payload['version']}/sys.config"


def _load(
    finder: IndexFinder, file: str, begins: Callable[[str], None] | None = None
) -> tuple[Store, dict[str, Any] | None]:
    """The configuration, and what a reboot has noted in the file that it was read from."""
    store, booted = _read(finder, file)
    plan = finder.release_payload["config"]
    if plan is not None and booted is None:
        _run_providers(store, plan, store.values, begins)
    return store, booted


def _read(finder: IndexFinder, file: str) -> tuple[Store, dict[str, Any] | None]:
    """The configuration before the providers, and what a reboot has noted in the file."""
    plan = finder.release_payload["config"]
    if plan is None and file == _default(finder):
        return Store(), None
    values, booted = sys_config.read(file)
    notes = _notes(finder, booted) if booted or file == _default(finder) else Notes()
    store = Store(values, [Layer(file, {}, values, notes)])
    if plan is not None:
        store.compiled = {path: plain.decode(value) for path, value in plan["compiled"]}
    return store, booted


def _notes(finder: IndexFinder, booted: dict[str, Any] | None) -> Notes:
    """What has set each value of the file, read when somebody asks."""
    if booted is not None:
        return Notes({tuple(path): source for path, source in booted["origins"]})
    plan = finder.release_payload["config"]
    if plan is None:
        return Notes()
    origins = f"{finder.release_root}/{plan['origins']}"

    def read() -> Mapping[Path, str]:
        import json

        try:
            with open(origins, encoding="utf-8") as stream:
                return {tuple(path): source for path, source in json.load(stream)}
        except (OSError, ValueError):
            return {}

    return Notes(read)


def _run_providers(
    store: Store, plan: ConfigPlan, base: Config, begins: Callable[[str], None] | None
) -> None:
    """Let each provider add to the configuration."""
    for reference, state in plan["providers"]:
        if begins is not None:
            begins(reference)
        before = store.values
        install(store)  # what a provider asks for is the result so far
        try:
            notes = Notes()
            loaded = run(reference, plain.decode(state), before, notes, plan["environment"])
        finally:
            install(None)
        store.values = loaded
        store.layers.append(Layer(f"config provider {reference}", before, loaded, notes))
    if not plan["reboot"] and store.values.get(interpreter.APPLICATION) != base.get(interpreter.APPLICATION):
        raise ConfigError(
            "Cannot configure python because reboot-system-after-config is false and the interpreter has been started "
            "already, so that any further configuration of it has no effect: set it in the build-time "
            "configuration, or set reboot-system-after-config = true\n\n"
            "The configuration of python before the config providers was:\n\n"
            f"    {hidden.censored(base.get(interpreter.APPLICATION))!r}\n\n"
            "The configuration of python after the config providers was:\n\n"
            f"    {hidden.censored(store.values.get(interpreter.APPLICATION))!r}\n"
        )


def run(reference: str, state: Any, before: Config, notes: Notes, environment: str) -> Config:  # noqa: ANN401
    """What a provider makes of the configuration so far.

    Args:
        reference: Names the provider.
        state: What its `init` has given.
        before: The configuration so far; stays as it is.
        notes: Gains what set single keys, as far as the provider tells.
        environment: What `config_env()` gives.

    Raises:
        ConfigError: When the provider fails; without any secret.
    """
    from . import noting

    try:
        with noting.noted(notes, environment):
            found = provider.find(reference)
            given = before if isinstance(found, provider.BuiltIn) else copied(before)
            return checked(found.load(given, state), f"the config provider {reference}")
    except ConfigError as error:
        cause = None if error.__cause__ is None or isinstance(error.__cause__, OSError) else error.__cause__
        raise _failed(hidden.scrub(str(error), before), cause, before) from None
    except Exception as error:  # noqa: BLE001 - the provider's own
        what = hidden.scrub(in_one_line(error), before)
        raise _failed(f"the config provider {reference} failed with {what}", error, before) from None


def _failed(text: str, cause: BaseException | None, before: Config) -> ConfigError:
    """The error that stops the boot; its `trace` shows where the provider failed."""
    error = ConfigError(text)
    error.trace = "" if cause is None else _trace(cause, before)  # type: ignore[attr-defined]
    return error


def _trace(error: BaseException, before: Config) -> str:
    """The traceback of an error, without frames of ours and without secrets."""
    import traceback

    from .. import leave

    shown = traceback.format_exception(type(error), error, leave.program_part(error.__traceback__))
    return hidden.scrub("".join(shown), before)
