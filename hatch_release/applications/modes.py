"""The modes of applications: what is configured, what follows from it for dependencies, and what can't be."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_release.applications.declared import OPTION
from hatch_release.errors import OptionError, ReleaseError
from hatch_release.options.kinds import in_words
from hatch_release.runtime.bootfile import MODES, STARTED

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from hatch_release.applications.declared import Found, Startable

Needs = dict[str, set[str]]
"""Distributions by name, each with those that it requires itself (`closure.needs`)."""

_DEFAULT, LOAD, NONE = MODES[0], MODES[3], MODES[4]


class Modes:
    """The mode of each application and each distribution of a release.

    A mode is what the option says of the application, else of its distribution, else the most started mode of the
    distributions that require that one. The project is `permanent` unless the option says otherwise.
    """

    def __init__(self, found: Found, needs: Needs, included: Collection[str] = ()) -> None:
        """Work all of them out.

        Args:
            found: The applications.
            needs: All distributions of the release.
            included: Distributions that the release is rooted in besides the project, which brings them.
        """
        self._found, self._needs = found, needs
        self._dependents: Needs = {name: set() for name in needs}
        for name, required in needs.items():
            for each in required:
                self._dependents[each].add(name)
        for name in included:
            self._dependents[name].add(found.project)
        self._own = {name: found.of(name) for name in needs}
        self._reach = dict.fromkeys(needs, NONE)
        # A mode only ever becomes more started, so this ends, with circles among the distributions too.
        while self._step():
            pass
        self.applications = {each.name: self._mode(each) for each in found.startables.values()}
        """Modes of applications by name, as the boot script `start` has them."""

    def listed(self, distribution: str) -> str:
        """The mode of a distribution for people; one that has nothing to start is `load` at most."""
        mode = self._reach[distribution]
        return mode if self._own[distribution] or mode not in STARTED else LOAD

    def check(self, modes: Mapping[str, str], script: str = "") -> None:
        """Refuse an application that is started without what its distribution requires.

        Args:
            modes: Modes of applications by name.
            script: The boot script that has these modes, when it is not what the option says.

        Raises:
            ReleaseError: When there is one; names both sides, and what to change.
        """
        for name in self._needs:
            started = next((each for each in self._own[name] if modes[each.name] in STARTED), None)
            for required in sorted(self._needs[name] - {name}) if started else ():
                if started and self._stays_out(required, modes):
                    text = self._unsafe(started, required, modes, script)
                    raise ReleaseError(text) if script else OptionError(text, OPTION, required)

    def _stays_out(self, distribution: str, modes: Mapping[str, str]) -> str:
        """The mode of a distribution that isn't started though it could be, or isn't to be loaded; else empty."""
        if self._found.modes.get(distribution) == NONE and not self._own[distribution]:
            return NONE
        own = [modes[each.name] for each in self._own[distribution]]
        return most_started(own) if own and not set(own) & {*STARTED} else ""

    def _unsafe(self, started: Startable, required: str, modes: Mapping[str, str], script: str) -> str:
        """What is wrong with an application that would start without what it requires, and what to change."""
        where = f"the boot script '{script}'" if script else "the option applications"
        who = f"application {started.name} is {modes[started.name]}" + (f" in {where}" if script else "")
        found = self._stays_out(required, modes)
        state = "not loaded" if found == NONE else "loaded, yet not started"
        advice = in_words(STARTED) if self._own[required] else LOAD
        owner = started.distribution
        return (
            f"{who}, and its distribution {owner} requires {required}, which {where} leaves '{found}' "
            f"({state}): set {required} to {advice}, or all applications of {owner} to {LOAD} or {NONE}"
        )

    def _step(self) -> bool:
        """Hand the modes on once; says whether any has changed."""
        before = dict(self._reach)
        for name in self._needs:
            own = [self._mode(each) for each in self._own[name]]
            self._reach[name] = most_started(own) if own else self._base(name)
        return self._reach != before

    def _mode(self, startable: Startable) -> str:
        return startable.mode or self._base(startable.distribution)

    def _base(self, distribution: str) -> str:
        """The mode of a distribution's applications that have none of their own."""
        if distribution in self._found.modes:
            return self._found.modes[distribution]
        if distribution == self._found.project:
            return _DEFAULT
        return most_started(self._reach[each] for each in self._dependents[distribution])


def most_started(modes: Iterable[str]) -> str:
    """The one of `modes` that starts the most; `none` when there are none."""
    return min(modes, key=MODES.index, default=NONE)
