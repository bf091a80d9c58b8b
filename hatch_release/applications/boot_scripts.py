"""Boot scripts: what each of them starts, those that steps add included."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_release.applications.modes import LOAD, NONE
from hatch_release.errors import ReleaseError
from hatch_release.options.kinds import nearest
from hatch_release.runtime import layout
from hatch_release.runtime.bootfile import MODES, STARTED
from hatch_release.runtime.payload import ApplicationSpec
from hatch_release.runtime.preload import EMBEDDED, INTERACTIVE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hatch_release.applications.declared import Startable
    from hatch_release.applications.modes import Modes
    from hatch_release.release import Release

READY_SECONDS = 30.0
"""How long a command may take until it is ready, unless the option says otherwise."""
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]*")


@dataclass(frozen=True, kw_only=True)
class BootScript:
    """What one boot file says besides what all of them say."""

    applications: tuple[ApplicationSpec, ...]
    """All applications in start order, with the modes that they have here."""
    mode: str
    """`embedded` or `interactive`."""
    preload: tuple[str, ...]
    """What embedded mode imports before anything starts."""

    @property
    def starts(self) -> bool:
        """Whether it starts anything."""
        return any(each["mode"] in STARTED for each in self.applications)


def complete(release: Release, modes: Modes) -> dict[str, dict[str, str]]:
    """The boot scripts of a release: its own two, and those that steps before `assemble` have added.

    Args:
        release: Its `boot_scripts` hold what steps have added.
        modes: The modes that the option says, and what follows from them.

    Returns:
        Boot scripts by name, each with the modes of all applications.

    Raises:
        ReleaseError: When one that was added names what the release doesn't have, or can't be.
    """
    usual = modes.applications
    rest = {name: NONE if mode == NONE else LOAD for name, mode in usual.items()}
    modes.check(usual)
    scripts = {layout.START: dict(usual), layout.START_CLEAN: rest}
    for script, added in release.boot_scripts.items():
        _check_added(script, added, usual, reserved=scripts if script in scripts else ())
    for script, added in release.boot_scripts.items():
        scripts[script] = {**rest, **added}
        modes.check(scripts[script], script)
    return scripts


def _check_added(script: object, added: object, known: Iterable[str], *, reserved: Iterable[object]) -> None:
    """Refuse a boot script that a step has added and that can't be."""
    where = f"the boot script '{script}' that a step has added"
    if script in reserved:
        raise ReleaseError(f"{where} has the name of one that is always there: call it otherwise")
    if not isinstance(script, str) or not _NAME.fullmatch(script):
        raise ReleaseError(f"{where} can't be a file's name: use letters, digits, '_' and '-'")
    if not isinstance(added, Mapping):
        raise ReleaseError(
            f'{where} is {added!r}: expected modes by application, as {{"worker": "{MODES[0]}"}}'
        )
    for name, mode in added.items():
        if name not in known:
            hint = nearest(str(name), known) or f": it has {', '.join(known) or 'none'}"
            raise ReleaseError(f"{where} names '{name}', which is no application of this release{hint}")
        if mode not in MODES:
            hint = nearest(str(mode), MODES) or f": the modes are {', '.join(MODES)}"
            raise ReleaseError(f"{where} makes {name} '{mode}', which is no mode{hint}")


def check_unchanged(release: Release) -> None:
    """Refuse boot scripts that a step has changed after they were written.

    Raises:
        ReleaseError: When they are not what was assembled.
    """
    if release.boot_scripts != release.assembled_boot_scripts:
        raise ReleaseError(
            f"a step of release '{release.name}' has changed boot_scripts after they were written: "
            "put it before assemble"
        )


def loading_mode(option: str, applications: Iterable[ApplicationSpec]) -> str:
    """How a boot script loads modules.

    Args:
        option: The option `mode`.
        applications: With the modes of this boot script.
    """
    kinds = {each["kind"] for each in applications if each["mode"] in STARTED}
    if not kinds:
        return INTERACTIVE
    if option == "auto":
        return INTERACTIVE if "script" in kinds else EMBEDDED
    return option


def spec(startable: Startable, mode: str, needs: tuple[str, ...], directory: str) -> ApplicationSpec:
    """An application as a boot file has it.

    Args:
        startable: The application.
        mode: Its mode in this boot script.
        needs: Names of the applications that have to be started before it.
        directory: Where its distribution is, relative to the root.
    """
    settings = startable.settings
    ready = dict(settings.get("ready", {}))
    if ready:
        ready["seconds"] = float(ready.get("seconds", READY_SECONDS))
    return ApplicationSpec(
        name=startable.name,
        distribution=startable.distribution,
        kind=startable.kind,
        mode=mode,
        start=startable.start,
        command=tuple(settings.get("command", ())) if startable.kind == "command" else (),
        restarts=settings.get("restarts", 0),
        within=float(settings.get("within", 5)),
        shutdown=float(settings.get("shutdown", 5)),
        ready=ready,
        needs=needs,
        directory=directory,
    )
