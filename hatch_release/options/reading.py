"""From what the user wrote to the options of the releases asked for: every problem of it in one error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from hatch_release.errors import OptionError, ProjectFileError, ReleaseError
from hatch_release.options.kinds import (
    BOOLEAN,
    FUNCTION,
    RELEASE_NAME,
    Place,
    found,
    in_words,
    nearest,
)
from hatch_release.options.table import OPTIONS, PREFIX, Option, Options, Where

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

__all__ = ["HATCHLING_KEYS", "OPTIONS", "TABLE", "VARIABLES", "Option", "Options", "Where", "load_options"]

Registered = Callable[[str, "tuple[str, ...]"], "Mapping[str, Collection[str]]"]
"""Given a release's name and its option `plugins`, gives the names that its plugins know, by option."""

TABLE = "tool.hatch.build.targets.release"
RELEASES = "releases"
NAME_RULE = "lower-case letters, digits and '_', a letter first"

HATCHLING_KEYS = frozenset(
    {
        "artifacts",
        "dependencies",
        "dev-mode-dirs",
        "dev-mode-exact",
        "directory",
        "exclude",
        "force-include",
        "hooks",
        "ignore-vcs",
        "include",
        "only-include",
        "only-packages",
        "packages",
        "reproducible",
        "require-runtime-dependencies",
        "require-runtime-features",
        "skip-excluded-dirs",
        "sources",
        "versions",
    }
)
"""What hatchling itself reads from the table of any target."""

VARIABLES: Mapping[str, Option] = {option.variable: option for option in OPTIONS.values() if option.variable}
"""The options that the environment can give, by the name of the variable."""
FLAGS = {
    **dict.fromkeys(("1", "true", "yes", "on"), True),
    **dict.fromkeys(("0", "false", "no", "off", ""), False),
}


def load_options(  # noqa: PLR0913 - all but the first by name
    target: Mapping[str, Any],
    *,
    project_name: str,
    names: Sequence[str],
    resolve: Callable[[str], Any],
    environ: Mapping[str, str],
    registered: Registered | None = None,
    tell: Callable[[ReleaseError], str] = str,
) -> dict[str, Options]:
    """Check everything that is configured, and give the options of the releases asked for.

    A release's own options replace the target's, and the environment's replace both.

    Args:
        target: The table `tool.hatch.build.targets.release`.
        project_name: The project's name, after which a release is called when none is configured.
        names: The releases asked for; none: the default one.
        resolve: Gives the object that "module:function" names, or raises a `ReleaseError`.
        environ: The environment, of which `HATCH_RELEASE_*` counts.
        registered: Gives the names that plugins give, or raises a `ReleaseError`; None: they are not checked.
        tell: Gives what is printed of a problem.

    Returns:
        The options by release, in the order of `names`.

    Raises:
        ReleaseError: One line for each problem, wherever it is; also those of releases that aren't asked for.
    """
    place = Place(TABLE, keys=tuple(TABLE.split(".")))
    defaults = _read_table(target, Where.TARGET, place)
    releases = _releases(target.get(RELEASES, {}), names, place.at(RELEASES))
    available = releases or _implicit_release(project_name, place)
    chosen = _choose(list(available), names, target.get("default-release"), place)
    own = {
        name: _read_release(value, place.at(RELEASES).at(name), resolve if name in chosen else None)
        for name, value in available.items()
    }
    variables = _read_environment(environ, chosen, place.problems)
    tables = {
        name: {**dict.fromkeys(defaults, place), **dict.fromkeys(own[name], place.at(RELEASES).at(name))}
        for name in chosen
    }
    if registered:
        for name in chosen:
            _check_names(name, {**defaults, **own[name]}, tables[name], place, registered)
    _raise_all(place.problems, tell)
    return {
        name: Options(
            **{**defaults, **own[name], **variables},
            given={
                option.name: tables[name][option.attribute].at(option.name).keys
                for option in OPTIONS.values()
                if option.attribute in tables[name].keys() - variables.keys()
            },
        )
        for name in chosen
    }


def _check_names(
    release: str,
    values: Mapping[str, Any],
    places: Mapping[str, Place],
    place: Place,
    registered: Registered,
) -> None:
    """Note the names that no plugin of a release gives.

    Args:
        release: The release's name.
        values: Its options by attribute, as far as they are given; what is wrong with them is noted already.
        places: The tables in which they are given, by attribute.
        place: The table of all releases.
        registered: As `load_options` has it.
    """
    plugins = values.get("plugins", ())
    if not OPTIONS["plugins"].kind.fits(plugins):
        return
    try:
        known = registered(release, plugins)
    except ReleaseError as error:
        where = places.get("plugins", place).at("plugins")
        for key in error.keys[1:] if isinstance(error, OptionError) else ():
            where = where.at(key)
        where.wrong(str(error), error)
        return
    for option in OPTIONS.values():
        given = values.get(option.attribute)
        if option.names and given is not None and option.kind.fits(given):
            where = places[option.attribute].at(option.name)
            _check_values(option, given, where, known[option.name])


def _check_values(
    option: Option, given: str | Sequence[str | Mapping[str, str]], place: Place, known: Collection[str]
) -> None:
    """Note the values of one option that are names of nothing."""
    one = isinstance(given, str)
    for index, item in enumerate([given] if isinstance(given, str) else given):
        where = place if one else place.at(index)
        where, value = (
            (where.at("provider"), item["provider"]) if isinstance(item, Mapping) else (where, item)
        )
        if ":" not in value and value not in known:
            hint = nearest(value, known) or f", there are {', '.join(sorted(known))}"
            where.wrong(f"unknown {option.names} '{value}'{hint}")


def _raise_all(problems: Sequence[ReleaseError], tell: Callable[[ReleaseError], str]) -> None:
    """Raise one error for all `problems`, from the first exception that one of them came from."""
    if problems:
        cause = next((each.__cause__ for each in problems if each.__cause__), None)
        lines = dict.fromkeys(tell(each) for each in problems)
        raise ReleaseError("\n".join(lines)) from cause


def _read_table(given: Mapping[str, Any], where: Where, place: Place) -> dict[str, Any]:
    """The options that the table at `place` gives, by attribute."""
    values = {}
    for key, value in given.items():
        option = OPTIONS.get(key)
        if option and where in option.where:
            values[option.attribute] = option.check(value, place.at(key))
        elif where is not Where.TARGET or key not in {*HATCHLING_KEYS, RELEASES}:
            _refuse(str(key), where, place)
    return values


def _refuse(key: str, where: Where, place: Place) -> None:
    """Note that `key` is no option here, and what to do."""
    option = OPTIONS.get(key)
    if key in HATCHLING_KEYS or (option and option.where & Where.TARGET):
        place.at(key).wrong(f"this holds for all releases, put it into [{TABLE}]")
    elif option:
        place.at(key).wrong(f"this is not read from pyproject.toml, set {option.variable} in the environment")
    else:
        known = [each.name for each in OPTIONS.values() if where in each.where]
        place.unknown("option", key, [*known, *HATCHLING_KEYS, RELEASES] if where is Where.TARGET else known)


def _releases(value: object, names: Iterable[str], place: Place) -> Mapping[str, Any]:
    """What is configured for each release, under a valid name or not."""
    if not isinstance(value, Mapping):
        place.wrong(f"expected a table of releases by name, found {found(value)}")
        return {name: {} for name in names}
    for name in value:
        if not RELEASE_NAME.fullmatch(name):
            valid = _as_name(name)
            hint = f", such as '{valid}'" if RELEASE_NAME.fullmatch(valid) else ""
            place.wrong(f"expected names of {NAME_RULE}{hint}, found {found(name)}")
    return value


def _as_name(name: str) -> str:
    return name.lower().replace("-", "_").replace(".", "_")


def _implicit_release(project_name: str, place: Place) -> Mapping[str, Any]:
    """The release that exists when none is configured: the project's, with defaults."""
    name = _as_name(project_name)
    if not RELEASE_NAME.fullmatch(name):
        place.at(RELEASES).wrong(
            f"no release is configured, and the project's name '{project_name}' is none for a release: "
            f"configure one as [{TABLE}.{RELEASES}.NAME], where NAME is of {NAME_RULE}"
        )
    return {name: {}}


def _choose(available: Sequence[str], names: Sequence[str], default: object, place: Place) -> list[str]:
    """The releases to assemble: those named, else the default one, else the only one."""
    listed = ", ".join(available)
    place_of_default = place.at("default-release")
    if isinstance(default, str) and RELEASE_NAME.fullmatch(default) and default not in available:
        place_of_default.wrong(
            f"unknown release '{default}', the available ones are: {listed}{nearest(default, available)}"
        )
    for name in names:
        if name not in available:
            guess = nearest(name, available) or "."
            text = f"Unknown release '{name}'{guess} The available releases are: {listed}"
            place.problems.append(ReleaseError(text))
    asked = names or ([] if default is None else [str(default)])
    if asked:
        return [name for name in dict.fromkeys(asked) if name in available]
    if len(available) > 1:
        text = (
            f"{len(available)} releases are configured and none is named ({listed}): "
            f"name it, as in `hatch build -t release:{available[0]}`, or set default-release in [{TABLE}]"
        )
        place.problems.append(ProjectFileError(text, *place.at(RELEASES).keys))
    return list(available)


def _read_release(value: object, place: Place, resolve: Callable[[str], Any] | None) -> dict[str, Any]:
    """The options that one release gives itself; `resolve` is None for one that isn't asked for."""
    if FUNCTION.accepts(value):
        value = _call(str(value), place, resolve) if resolve else {}
    if isinstance(value, Mapping):
        return _read_table(value, Where.RELEASE, place)
    place.wrong(f'expected a table or a "module:function" that returns one, found {found(value)}')
    return {}


def _call(reference: str, place: Place, resolve: Callable[[str], Any]) -> Any:  # noqa: ANN401 - it is checked later
    """What the project's function gives in place of a release's table."""
    try:
        function = resolve(reference)
        if callable(function):
            return function()
    except ReleaseError as error:
        place.wrong(str(error), error)
    except Exception as error:  # noqa: BLE001 - it is the project's code, which may raise anything
        message = " ".join(f"{type(error).__name__}: {error}".split())
        place.wrong(f"'{reference}' failed with {message}", error)
    else:
        place.wrong(f"expected '{reference}' to be a function that returns a table, found {found(function)}")
    return {}


def _read_environment(
    environ: Mapping[str, str], chosen: Sequence[str], problems: list[ReleaseError]
) -> dict[str, Any]:
    """The options that variables give, by attribute."""
    values = {}
    for variable in sorted(name for name in environ if name.startswith(PREFIX)):
        place = Place(variable, problems)
        option = VARIABLES.get(variable)
        if option is None:
            place.wrong(f"unknown variable{nearest(variable, VARIABLES, prefix=PREFIX)}")
        elif option.kind is BOOLEAN:
            values[option.attribute] = _flag(environ[variable], place)
        elif environ[variable]:
            values[option.attribute] = option.check(environ[variable], place)
            _single_release(chosen, option, place)
    return values


def _flag(value: str, place: Place) -> bool:
    """What a variable says that is on or off."""
    if value.lower() not in FLAGS:
        place.wrong(f"expected {in_words(word for word in FLAGS if word)}, found {found(value)}")
    return FLAGS.get(value.lower(), False)


def _single_release(chosen: Sequence[str], option: Option, place: Place) -> None:
    """A variable that can't be the same for several releases is an error with several."""
    if len(chosen) > 1 and option.where & Where.TABLES:
        place.wrong(
            f"it holds for one release, and {len(chosen)} are asked for ({', '.join(chosen)}): "
            f"assemble them one by one, or set the option {option.name} of each"
        )
