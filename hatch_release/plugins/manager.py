"""The plugins of one release: checked, ordered, and called with errors that name them; knows pluggy."""

from __future__ import annotations

import contextlib
import functools
import inspect
import os
import reprlib
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

from pluggy import PluginManager, PluginValidationError

from hatch_release import __version__, hookspecs
from hatch_release.errors import ReleaseError, in_one_line
from hatch_release.options.kinds import nearest
from hatch_release.plugins.answers import ANSWERS
from hatch_release.staging.area import NO_SPACE
from hatch_release.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from hatch_release.release import Release, Step
    from hatch_release.tree.archive import Writer

BUILT_IN = "built in"
"""Where hatch-release's own plugins come from."""
PREFIX = "release_"
"""How the names of hooks begin."""
HOOKS: Mapping[str, tuple[str, ...]] = {
    name: tuple(inspect.signature(spec).parameters)
    for name, spec in vars(hookspecs).items()
    if name.startswith(PREFIX)
}
"""All hooks by name, with their arguments."""
_WRAPPER = "a wrapper"
"""Gave what no implementation gave itself."""


class PluginError(ReleaseError):
    """An error of a plugin that names it already."""


class Given(NamedTuple):
    """What one plugin gave."""

    plugin: str
    value: Any


class Plugins:
    """The plugins of one release; those that are added later are called earlier."""

    def __init__(self, release: str) -> None:
        """There are none yet.

        Args:
            release: The release's name.
        """
        self._release = release
        self._manager = PluginManager(hookspecs.GROUP)
        self._manager.add_hookspecs(hookspecs)
        self._origins: dict[str, str] = {}
        self._given: list[Given] = []
        self._subject: Release | None = None

    @property
    def names(self) -> list[str]:
        """The names of all plugins, the first called first."""
        return list(reversed(self._origins))

    def origin(self, name: str) -> str:
        """Where the plugin `name` comes from: a distribution and its version, or `BUILT_IN`, and so on."""
        return self._origins[name]

    def implemented(self, name: str) -> list[str]:
        """The hooks that the plugin `name` implements."""
        callers = self._manager.get_hookcallers(self._manager.get_plugin(name)) or ()
        names = {caller.name for caller in callers}
        return [hook for hook in HOOKS if hook in names]

    def order(self, hook: str) -> list[str]:
        """The names of the plugins that implement a hook, the first called first, wrappers before all."""
        calls = getattr(self._manager.hook, hook).get_hookimpls()
        return [each.plugin_name for each in reversed(calls)]

    def add(self, plugin: object, name: str, origin: str) -> None:
        """Register a plugin.

        Args:
            plugin: A module or an object whose functions are marked by `hookimpl`.
            name: Its name.
            origin: Where it comes from.

        Raises:
            ReleaseError: When it is no plugin, implements what is no hook, or wants arguments that a hook doesn't have.
        """
        who = f"plugin {name} ({origin})"
        if name in self._origins:
            raise ReleaseError(f"{who} has the name of another plugin ({self._origins[name]}): rename one")
        marked = list(self._marked(plugin))
        for function, hook, options in marked:
            _check_implementation(who, getattr(plugin, function), hook, options)
        _check_unmarked(who, plugin, [function for function, _, _ in marked])
        guarded = {
            function: self._guarded(getattr(plugin, function), name, hook, options)
            for function, hook, options in marked
            if hook in HOOKS
        }
        try:
            self._manager.register(SimpleNamespace(**guarded), name)
        except (PluginValidationError, ValueError) as error:
            raise ReleaseError(f"{who} can't be used: {in_one_line(error)}") from error
        self._origins[name] = origin

    def call(self, hook: str, **arguments: object) -> list[Given]:
        """Call the implementations of a hook.

        Args:
            hook: Its name.
            arguments: Its arguments.

        Returns:
            What each gave that gave something, the first called first.

        Raises:
            ReleaseError: When one fails or gives what the hook does not expect; names release, plugin and hook.
        """
        results = self._results(hook, arguments)
        if not isinstance(results, list):
            raise PluginError(
                f"release '{self._release}': {_WRAPPER} of {hook} gave {reprlib.repr(results)}: "
                "expected the list of what the others gave"
            )
        return [self._attributed(hook, value) for value in results]

    def first(self, hook: str, **arguments: object) -> Given | None:
        """The first answer to a hook that wants one alone; None when no plugin has any. Otherwise as `call`."""
        value = self._results(hook, arguments)
        return None if value is None else self._attributed(hook, value)

    def by_name(self, hook: str) -> dict[str, Given]:
        """What the plugins give by name.

        Raises:
            ReleaseError: When two give one name; besides, as `call` does.
        """
        found: dict[str, Given] = {}
        for plugin, values in self.call(hook):
            for name, value in values.items():
                if name in found:
                    raise self.twice(f"the {ANSWERS[hook].called} '{name}'", found[name].plugin, plugin)
                found[name] = Given(plugin, value)
        return found

    def twice(self, what: str, first: str, second: str) -> ReleaseError:
        """The error for something that is given twice.

        Args:
            what: What it is, with its name.
            first: The plugin that gave it.
            second: The one that gave it too; it may be the same.
        """
        both = first if first == second else f"{first} and plugin {second}"
        remedy = "give it once" if first == second else f'disable one by plugins = ["!{first}"]'
        return PluginError(
            f"release '{self._release}': {what} is given twice, by plugin {both}: {remedy}, or rename it"
        )

    def wrong(self, plugin: str, text: str) -> ReleaseError:
        """The error for what a plugin gave and can't be used.

        Args:
            plugin: Its name.
            text: What was given, why it can't be, and what to do.
        """
        return PluginError(f"{self.who(plugin)}: {text}")

    def blame(self, plugin: str, error: ReleaseError) -> ReleaseError:
        """The error for something wrong with what a plugin gave; what is built in needs no mention.

        Args:
            plugin: Its name.
            error: What is wrong.
        """
        told = isinstance(error, PluginError) or self._origins.get(plugin) == BUILT_IN
        return error if told else self.wrong(plugin, str(error))

    @functools.cached_property
    def steps(self) -> Mapping[str, Step]:
        """All named steps."""
        return {name: each.value for name, each in self.by_name("release_steps").items()}

    @functools.cached_property
    def archive_formats(self) -> Mapping[str, Writer]:
        """What writes each archive format."""
        return {name: each.value for name, each in self.by_name("release_archive_formats").items()}

    @functools.cached_property
    def config_providers(self) -> Mapping[str, str]:
        """Configuration providers: `module:Class` by short name."""
        return {name: each.value for name, each in self.by_name("release_config_providers").items()}

    def _results(self, hook: str, arguments: Mapping[str, Any]) -> object:
        """What pluggy gives."""
        self._given, self._subject = [], arguments.get("release")
        try:
            result: object = getattr(self._manager.hook, hook)(**arguments)
        except RuntimeError as error:
            # What plugins raise is a PluginError by now: this is pluggy's own, of a wrapper that yields not just once.
            raise PluginError(
                f"release '{self._release}': {_WRAPPER} of {hook}: {in_one_line(error)}"
            ) from error
        return result

    def _marked(self, plugin: object) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
        """The names of functions that are marked, each with its hook and how it is marked."""
        for function in dir(plugin):
            options = self._manager.parse_hookimpl_opts(plugin, function)
            if options is not None:
                yield function, options.get("specname") or function, options

    def _guarded(
        self, function: Callable[..., Any], plugin: str, hook: str, options: Mapping[str, Any]
    ) -> Callable[..., object]:
        """An implementation whose errors name its plugin; what it gives is checked and remembered."""

        @functools.wraps(function)
        def guarded(*arguments: object) -> object:
            with self._blaming(plugin, hook), self._watching(plugin):
                value = function(*arguments)
            if value is not None:
                self._check(plugin, hook, value)
                self._given.append(Given(plugin, value))
            return value

        @functools.wraps(function)
        def guarded_wrapper(*arguments: object) -> Generator[None, object, object]:
            with self._blaming(plugin, hook), self._watching(plugin):
                result: object = yield from function(*arguments)
            return result

        return guarded_wrapper if options["wrapper"] or options["hookwrapper"] else guarded

    @contextlib.contextmanager
    def _blaming(self, plugin: str, hook: str) -> Iterator[None]:
        """Name the plugin in what it raises, and put back what belongs to the whole process."""
        directory, umask = os.getcwd(), os.umask(0o022)  # noqa: PTH109 - restored in the same terms
        os.umask(umask)
        try:
            yield
        except PluginError:
            raise
        except (Exception, SystemExit) as error:
            no_space = isinstance(error, OSError) and error.errno in NO_SPACE
            if no_space or self._origins[plugin] == BUILT_IN:
                raise  # nobody's fault; or ours, which says itself what is wrong
            what = in_one_line(error, kind=not isinstance(error, ReleaseError))
            raise PluginError(f"{self.who(plugin)} failed in {hook}: {what}") from error
        finally:
            os.chdir(directory)
            os.umask(umask)

    @contextlib.contextmanager
    def _watching(self, plugin: str) -> Iterator[None]:
        """See to it that a plugin leaves alone what is not its own."""
        release = self._subject
        if release is None or self._origins[plugin] == BUILT_IN:
            yield
            return
        watch = Watch(release)
        yield
        if harm := watch.harm(release):
            raise PluginError(f"{self.who(plugin)} {harm}")

    def _attributed(self, hook: str, value: object) -> Given:
        """Who gave a result; what a wrapper made of it is checked as well."""
        giver = next((each.plugin for each in self._given if each.value is value), _WRAPPER)
        if giver == _WRAPPER:
            self._check(giver, hook, value)
        return Given(giver, value)

    def _check(self, plugin: str, hook: str, value: object) -> None:
        """Refuse what a hook does not expect."""
        answer = ANSWERS[hook]
        if not answer.fits(value):
            shown = reprlib.repr(value)
            raise PluginError(f"{self.who(plugin)} gave {shown} to {hook}: expected {answer.expected}")

    def who(self, plugin: str) -> str:
        """A plugin, by its name, as messages call it."""
        origin = f" ({self._origins[plugin]})" if plugin in self._origins else ""
        name = plugin if plugin == _WRAPPER else f"plugin {plugin}"
        return f"release '{self._release}': {name}{origin}"


def _check_implementation(
    who: str, function: Callable[..., object], hook: str, options: Mapping[str, Any]
) -> None:
    """Refuse an implementation of what is no hook, or that wants arguments which the hook doesn't have."""
    if hook not in HOOKS:
        if options.get("optionalhook"):
            return
        near = nearest(hook, HOOKS, prefix=PREFIX) or f": its hooks are {', '.join(HOOKS)}"
        raise ReleaseError(
            f"{who} implements '{hook}', which is no hook of hatch-release {__version__}{near}"
        )
    if (options["wrapper"] or options["hookwrapper"]) and not inspect.isgeneratorfunction(function):
        raise ReleaseError(
            f"{who} implements {hook} by a wrapper that doesn't yield: it calls the others by `yield`"
        )
    known = HOOKS[hook]
    for each in inspect.signature(function).parameters.values():
        wanted = (
            each.kind in {each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD} and each.default is each.empty
        )
        if wanted and each.name not in known:
            near = nearest(each.name, known)
            takes = f"it takes {' and '.join(known) or 'no arguments'}"
            raise ReleaseError(
                f"{who} implements {hook} with the argument '{each.name}', which that hook of hatch-release "
                f"{__version__} doesn't have{near or f': {takes}'}"
            )


def _check_unmarked(who: str, plugin: object, marked: list[str]) -> None:
    """Refuse a plugin that implements nothing, or has a hook's function without the mark: it would never be called."""
    unmarked = [
        name for name in HOOKS if name not in marked and inspect.isroutine(getattr(plugin, name, None))
    ]
    if unmarked or not marked:
        what = f"has a function {unmarked[0]} that is not marked" if unmarked else "implements no hook"
        raise ReleaseError(f"{who} {what}: put @hookimpl before it (from hatch_release import hookimpl)")
