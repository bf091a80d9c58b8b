"""Applications: who is one, under which name, and what the option `applications` says of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from hatch_release.errors import OptionError, ProjectFileError
from hatch_release.options.kinds import REFERENCE, nearest
from hatch_release.runtime.bootfile import STARTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

OPTION = "applications"
GROUP = "hatch_release.application"
"""The group of entry points that declares applications."""
DEFINITIONS = frozenset({"start", "command", "ready"})
"""The settings that say what an application is, rather than how it is kept."""

Settings = dict[str, Any]
"""What the option says under one name (`application_options.py`)."""


@dataclass(frozen=True, kw_only=True)
class Application:
    """One distribution of the release, as `NAME.rel` lists it."""

    name: str
    """Name of the distribution (PEP 503)."""
    version: str
    mode: str
    """The most started mode of its applications; `load` or `none` for one that has none."""
    path: str
    """Its directory, relative to the release's root."""
    why: tuple[str, ...] = ()
    """What brings it into the release."""
    entry_points: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    """Group, name, value, as its metadata has them."""


@dataclass(frozen=True, kw_only=True)
class Startable:
    """One application: something that a release can start, keep running and stop."""

    name: str
    distribution: str
    """The distribution that it belongs to (PEP 503)."""
    kind: str
    """`script`, `object` or `command` (`ApplicationSpec`)."""
    start: str = ""
    """`module:attribute`; empty for a command."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """What the option says of it."""

    @property
    def mode(self) -> str:
        """The mode that the option gives it; empty when it gives none."""
        return str(self.settings.get("mode", ""))


@dataclass(frozen=True, kw_only=True)
class Found:
    """The applications of a release, and what was configured."""

    project: str
    """Name of the project's distribution (PEP 503)."""
    startables: dict[str, Startable]
    """By name, as their distributions declare them."""
    modes: dict[str, str]
    """Modes that the option gives to whole distributions."""
    configured: tuple[str, ...]
    """Names of the applications that the option speaks of, in its order."""

    def of(self, distribution: str) -> list[Startable]:
        """The applications of one distribution."""
        return [each for each in self.startables.values() if each.distribution == distribution]


class Finder:
    """Brings together what distributions declare and what the option says."""

    def __init__(
        self,
        project: str,
        declared: Mapping[str, Mapping[str, str]],
        scripts: Mapping[str, str],
        configured: Mapping[str, Settings],
    ) -> None:
        """Take what there is.

        Args:
            project: The project's name, as its metadata spells it.
            declared: All distributions of the release by normalised name, each with its entry points of `GROUP`.
            scripts: The project's console scripts, name to `module:attribute`.
            configured: The option `applications`.
        """
        self.title, self.project = project, canonicalize_name(project)
        self.scripts, self.configured = scripts, configured
        self.declared = {
            owner: [self._declaration(owner, *each) for each in points.items()]
            for owner, points in declared.items()
        }
        self.whole: dict[str, Settings] = {}

    def find(self) -> Found:
        """Find all applications.

        Raises:
            ReleaseError: When the option names what the release doesn't have, or there is nothing to start.
        """
        self._replace_declared()
        if not self.declared[self.project] and not any(map(self._is_new, self.configured)):
            self._fall_back()
        names = self._names()
        self._respell(names)
        for key, settings in self.configured.items():
            if key not in names and not self._is_new(key):
                self._configure_distribution(key, settings)
        startables = {
            name: self._configure(each, self.configured.get(name, {}), name) for name, each in names.items()
        }
        for key in filter(self._is_new, self.configured):
            new = Startable(name=key, distribution=self.project, kind="object")
            startables[key] = self._configure(new, self.configured[key], key)
        self._check_any(startables)
        return Found(
            project=self.project,
            startables=startables,
            modes={name: each["mode"] for name, each in self.whole.items() if "mode" in each},
            configured=tuple(dict.fromkeys(self._in_order(startables))),
        )

    def _declaration(self, owner: str, name: str, value: str) -> Startable:
        """The application that an entry point declares."""
        start = value.partition("[")[0].strip()
        if not REFERENCE.accepts(start):
            raise ProjectFileError(
                f"the entry point {name} of {owner} in the group {GROUP} is '{value}', which names nothing to start: "
                'write it as "module:name"',
                *(("project", "entry-points", GROUP, name) if owner == self.project else ()),
            )
        return Startable(name=name, distribution=owner, kind="object", start=start)

    def _names(self) -> dict[str, Startable]:
        """The declared applications by name; what two distributions use is preceded by theirs."""
        every = [each for declared in self.declared.values() for each in declared]
        names = [each.name for each in every]
        return {
            f"{each.distribution}:{each.name}" if names.count(each.name) > 1 else each.name: each
            for each in every
        }

    def _replace_declared(self) -> None:
        """Put what the option defines for a distribution in place of what that declares."""
        names = self._names()
        for key, settings in self.configured.items():
            owner = canonicalize_name(key)
            if key not in names and owner in self.declared and _defines(settings):
                self.declared[owner] = [Startable(name=owner, distribution=owner, kind="object")]

    def _respell(self, names: Mapping[str, Startable]) -> None:
        """Let a distribution's name in any spelling stand for the application of that name, if it has one."""
        respelled: dict[str, Settings] = {}
        for key, settings in self.configured.items():
            owner = canonicalize_name(key)
            own = key not in names and owner in names and names[owner].distribution == owner
            name = owner if own else key
            if name in respelled:
                raise self._twice(name, key)
            respelled[name] = settings
        self.configured = respelled

    def _is_new(self, key: str) -> bool:
        """Whether the option defines an application under a name that nothing else has."""
        free = key not in self._names() and canonicalize_name(key) not in self.declared
        return free and ":" not in key and _defines(self.configured[key])

    def _fall_back(self) -> None:
        """Take the project's console script of its own name, or its only one."""
        for name, reference in self.scripts.items():
            if canonicalize_name(name) == self.project or len(self.scripts) == 1:
                start = reference.partition("[")[0].strip()
                script = Startable(name=self.project, distribution=self.project, kind="script", start=start)
                self.declared[self.project] = [script]
                return

    def _configure_distribution(self, key: str, settings: Settings) -> None:
        """Note what is said of a whole distribution."""
        owner = canonicalize_name(key)
        if owner not in self.declared:
            raise OptionError(self._unknown(key), OPTION, key)
        if owner in self.whole:
            raise self._twice(owner, key)
        self.whole[owner] = settings

    def _configure(self, startable: Startable, own: Settings, name: str) -> Startable:
        """The application with all that is said of it, where its own settings count before its distribution's."""
        whole = self.whole.get(startable.distribution, {})
        if startable.kind == "script" or startable.start or _defines(own):
            whole = {key: value for key, value in whole.items() if key not in DEFINITIONS}
        settings = {**whole, **own}
        kind = self._kind(startable, settings)
        start = "" if kind == "command" else settings.get("start", startable.start)
        return Startable(
            name=name, distribution=startable.distribution, kind=kind, start=start, settings=settings
        )

    def _kind(self, startable: Startable, settings: Settings) -> str:
        """What sort of application it is. One of the project's console scripts, chosen and nothing more, stays one."""
        if "command" in settings:
            return "command"
        if "start" not in settings:
            return startable.kind
        scripts = {reference.partition("[")[0].strip() for reference in self.scripts.values()}
        own = startable.distribution == self.project and settings["start"] in scripts
        return "script" if own and settings.keys() == {"start"} else "object"

    def _in_order(self, startables: Mapping[str, Startable]) -> Iterator[str]:
        """The names of the applications that the option speaks of."""
        for key in self.configured:
            if key in startables:
                yield key
                continue
            own = (each.name for each in startables.values() if each.distribution == canonicalize_name(key))
            yield from (name for name in own if name not in self.configured)

    def _check_any(self, startables: Mapping[str, Startable]) -> None:
        """Refuse a project that doesn't say what to start, unless it says that there is nothing."""
        if self.whole.get(self.project, {}).get("mode", "permanent") not in STARTED:
            return
        if not startables or (self.scripts and not self.configured and not self._own(startables)):
            raise ProjectFileError(
                self._nothing_to_start(), "project", *(["scripts"] if self.scripts else [])
            )

    def _own(self, startables: Mapping[str, Startable]) -> bool:
        """Whether one of the applications is the project's."""
        return any(each.distribution == self.project for each in startables.values())

    @staticmethod
    def _twice(name: str, key: str) -> OptionError:
        """The error that the option speaks twice of one thing."""
        return OptionError(
            f"the option {OPTION} names '{name}' twice, also as '{key}': keep one", OPTION, key
        )

    def _unknown(self, key: str) -> str:
        """What is wrong with a name that the release doesn't have."""
        names = self._names()
        several = [name for name in names if name.partition(":")[2] == key]
        if several:
            return (
                f"the option applications names '{key}', which several distributions declare: "
                f"name one of them as {' or '.join(several)}"
            )
        hint = nearest(key, [*names, *self.declared]) or f": it has {_listed(names, self.project)}"
        return (
            f"the option applications names '{key}', which is no application and no distribution of this release "
            f"(a new application needs start or command){hint}"
        )

    def _nothing_to_start(self) -> str:
        """Why `start` has nothing to call, and what to write."""
        scripts, project = self.scripts, self.title
        found = (
            f"has the console scripts {', '.join(sorted(scripts))}, none of its own name"
            if scripts
            else "has no console script"
        )
        example = next(iter(sorted(scripts.values())), "package.module:function")
        return (
            f"project '{project}' {found}, so there is nothing for `start` to run: add one named '{project}' to "
            f'[project.scripts], or choose with applications = {{ {project} = {{ start = "{example}" }} }} '
            f"in [tool.hatch.build.targets.release]"
        )


def _defines(settings: Mapping[str, object]) -> bool:
    """Whether settings say what an application is."""
    return not settings.keys().isdisjoint(DEFINITIONS)


def _listed(names: Iterable[str], project: str) -> str:
    """The applications of a release for a message."""
    return (
        f"the applications {', '.join(names)}"
        if names
        else f"the project's own, {project}, and what it needs"
    )
