"""The types of options: what a value may be, and errors that say where it stands.

A `Kind` checks one value of a TOML table. It never raises: it tells the value's `Place` what is wrong, so
that all problems of a file are found in one go.
"""

from __future__ import annotations

import difflib
import re
import reprlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hatch_release.errors import Keys, ProjectFileError, ReleaseError
from hatch_release.patterns import Patterns

_DOTTED = r"[^\W\d]\w*(\.[^\W\d]\w*)*"
DISTRIBUTION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
"""The name of a distribution (PEP 508)."""

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 60


@dataclass(frozen=True)
class Place:
    """Where a value stands in the configuration, and where its problems go."""

    name: str
    """The path of keys, such as `tool.hatch.build.targets.release.strip`; or the name of a variable."""
    problems: list[ReleaseError] = field(default_factory=list)
    """Shared by all places of one check."""
    keys: Keys = ()
    """The way to it from the top of the project's file; none for what is not in it."""

    def at(self, key: str | int) -> Place:
        """The place of an item of this table (`key` is a string) or list (its index)."""
        keys = (*self.keys, key) if self.keys else ()
        if isinstance(key, int):
            return Place(f"{self.name}[{key}]", self.problems, keys)
        dotted = key if _BARE_KEY.fullmatch(key) else f'"{key}"'
        return Place(f"{self.name}.{dotted}", self.problems, keys)

    def wrong(self, text: str, cause: Exception | None = None, key: str | None = None) -> None:
        """Note a problem of the value here, or of the `key` in it, with the exception that it comes from."""
        place = self if key is None else self.at(key)
        problem = ProjectFileError(f"{self.name}: {text}", *place.keys)
        problem.__cause__ = cause
        self.problems.append(problem)

    def unknown(self, what: str, word: str, known: Iterable[str]) -> None:
        """Note that `word` is none of the `known`, and the nearest of them."""
        self.wrong(f"unknown {what} '{word}'{nearest(word, known)}", key=word)


@dataclass(frozen=True)
class Kind:
    """What a value may be."""

    alternatives: tuple[str, ...]
    """In words, for messages and for the documentation."""
    accepts: Callable[[Any], bool]
    """Whether a value is one of the alternatives, as far as can be seen from outside."""
    refine: Callable[[Any, Place], Any] = lambda value, _place: value
    """Looks inside an accepted value, and gives what the option holds."""
    secret: bool = False
    """Whether messages must not show the value."""

    @property
    def expected(self) -> str:
        """All alternatives as one phrase."""
        return in_words(self.alternatives)

    def check(self, value: Any, place: Place) -> Any:  # noqa: ANN401 - from whatever TOML holds to what the option holds
        """Check `value`, which stands at `place`.

        Returns:
            What the option holds; only meaningful when `place` got no new problem.
        """
        if self.accepts(value):
            return self.refine(value, place)
        words = [each.strip('"') for each in self.alternatives if each.startswith('"')]
        seen = "another value" if self.secret else found(value)
        hint = nearest(value, words) if isinstance(value, str) else ""
        place.wrong(f"expected {self.expected}, found {seen}{hint}")
        return value

    def fits(self, value: object) -> bool:
        """Whether `value` is right."""
        trial = Place("")
        self.check(value, trial)
        return not trial.problems


def nearest(word: str, known: Iterable[str], *, prefix: str = "") -> str:
    """A question that names the one of `known` that was probably meant, or nothing.

    Args:
        word: What was found.
        known: What exists.
        prefix: A beginning that all have in common, and that says nothing about which one was meant.
    """
    endings = [each.removeprefix(prefix) for each in known]
    close = difflib.get_close_matches(word.removeprefix(prefix), endings, 1)
    return f", did you mean '{prefix}{close[0]}'?" if close else ""


def in_words(alternatives: Iterable[str]) -> str:
    """`a, b or c`."""
    *most, last = alternatives
    return f"{', '.join(most)} or {last}" if most else last


def found(value: object) -> str:
    """A value as messages name it: short, and on one line."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "a table" if value else "an empty table"
    if isinstance(value, list | tuple):
        return "a list" if value else "an empty list"
    return _SHORT.repr(value)


def text(what: str, pattern: re.Pattern[str] | None = None, *, secret: bool = False) -> Kind:
    """A string that isn't empty and, given a `pattern`, matches it as a whole."""

    def accepts(value: object) -> bool:
        return isinstance(value, str) and bool(pattern.fullmatch(value) if pattern else value)

    return Kind((what,), accepts, secret=secret)


def one_of(*words: str) -> Kind:
    """One of a few words."""
    return Kind(tuple(f'"{word}"' for word in words), lambda value: isinstance(value, str) and value in words)


def list_of(kind: Kind, what: str) -> Kind:
    """A list whose items all are of `kind`, `what` in the plural; held as a tuple."""

    def refine(value: Iterable[object], place: Place) -> tuple[Any, ...]:
        return tuple(kind.check(item, place.at(index)) for index, item in enumerate(value))

    return Kind((f"a list of {what}",), lambda value: isinstance(value, list | tuple), refine)


def table(what: str, fields: Mapping[str, Kind], *, required: Iterable[str] = ()) -> Kind:
    """A table with some of the keys `fields`, and all those `required`."""

    def refine(value: Mapping[str, object], place: Place) -> dict[str, Any]:
        for key in required:
            if key not in value:
                place.wrong(f"expected {what}, the key '{key}' is missing")
        for key in value:
            if key not in fields:
                place.unknown("key", str(key), fields)
        return {key: fields[key].check(item, place.at(key)) for key, item in value.items() if key in fields}

    return Kind((what,), _is_table, refine)


def table_by_name(what: str, names: re.Pattern[str], kind: Kind) -> Kind:
    """A table whose keys are names of the user's choice that match `names`."""

    def refine(value: Mapping[str, object], place: Place) -> dict[str, Any]:
        for name in value:
            if not names.fullmatch(str(name)):
                place.wrong(f"expected {what}, found the name {found(name)}")
        return {name: kind.check(item, place.at(name)) for name, item in value.items()}

    return Kind((what,), _is_table, refine)


def either(*kinds: Kind) -> Kind:
    """A value of any of `kinds`; the first that accepts it looks inside."""

    def refine(value: object, place: Place) -> object:
        return next(kind for kind in kinds if kind.accepts(value)).check(value, place)

    alternatives = tuple(words for kind in kinds for words in kind.alternatives)
    return Kind(alternatives, lambda value: any(kind.accepts(value) for kind in kinds), refine)


def also(kind: Kind, rule: Callable[[Any, Place], None]) -> Kind:
    """A `kind` with one more rule, for values that are right so far."""

    def refine(value: object, place: Place) -> object:
        result = kind.refine(value, place)
        if kind.fits(value):
            rule(result, place)
        return result

    return replace(kind, refine=refine)


def _is_table(value: object) -> bool:
    """Whether `value` is what TOML calls a table."""
    return isinstance(value, Mapping)


def _is_number(value: object, *types: type) -> bool:
    """Whether `value` is a number of one of `types`, which a boolean is not."""
    return isinstance(value, types) and not isinstance(value, bool)


BOOLEAN = Kind(("true", "false"), lambda value: isinstance(value, bool))
FALSE = Kind(("false",), lambda value: value is False)
COUNT = Kind(("a whole number from 0",), lambda value: _is_number(value, int) and value >= 0)
SECONDS = Kind(("a number of seconds above 0",), lambda value: _is_number(value, int, float) and value > 0)
STRING = text("a string")
PATH = text("a path")
ANYTHING = Kind(("anything",), lambda _value: True)
REFERENCE = text('a "module:name"', re.compile(f"{_DOTTED}:{_DOTTED}"))
FUNCTION = text('a "module:function"', re.compile(f"{_DOTTED}:{_DOTTED}"))
"""As entry points are written (packaging.python.org, "Entry points specification")."""

RELEASE_NAME = re.compile(r"[a-z][a-z0-9_]*")
_RESERVED = {"COOKIE", "start.data"}
"""Files beside the versions in `releases/`, which no version may be called."""


def _ordered(steps: tuple[str, ...], place: Place) -> None:
    """Steps assemble exactly once, and pack at most once, afterwards."""
    if (times := steps.count("assemble")) != 1:
        near = next((each for each in steps if not times and nearest(each, ["assemble"])), None)
        hint = f", is '{near}' meant to be it?" if near else ""
        place.wrong(f"expected 'assemble' exactly once, found it {times} times{hint}")
    elif "tar" in steps[: steps.index("assemble")]:
        place.wrong("found 'tar' before 'assemble': there is nothing to pack yet, put it after")
    elif (times := steps.count("tar")) > 1:
        place.wrong(f"expected 'tar' at most once, found it {times} times")


VERSION = Kind(
    ("a version of letters, digits and . _ + - !",),
    lambda value: (
        isinstance(value, str)
        and bool(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+!-]*", value))
        and value not in _RESERVED
    ),
)
NAMED = re.compile(r"[A-Za-z][A-Za-z0-9_.-]*")
"""The name of something that plugins give: whether one of them does is found out later."""
PROVIDER = table(
    'a table { provider = "module:Class", init = ... }',
    {"provider": either(text("the name of a provider", NAMED), REFERENCE), "init": ANYTHING},
    required=("provider",),
)
STEPS = also(
    list_of(either(text("a step", NAMED), FUNCTION), 'steps ("assemble", "tar", "module:function")'),
    _ordered,
)


def _patterned(overlay: Mapping[str, Any], place: Place) -> None:
    """What is to be left out is told by patterns."""
    for index, line in enumerate(overlay.get("exclude", ())):
        try:
            Patterns([line], "it")
        except ReleaseError as error:
            place.at("exclude").at(index).wrong(str(error).replace("it holds", "found"), error)


OVERLAY = either(
    replace(PATH, refine=lambda value, _place: {"path": value}),
    also(
        table(
            'a table { path = "deploy", exclude = ["*.bak"] }',
            {"path": PATH, "exclude": list_of(STRING, "patterns")},
            required=("path",),
        ),
        _patterned,
    ),
)
"""Held as a table always."""
PLUGIN = text('a module, or "!NAME"', re.compile(rf"{_DOTTED}|![^!\s]+"))


def _strong(cookie: str, place: Place) -> None:
    """A cookie that can be guessed is none."""
    if len(cookie) < STRONG_LENGTH or len(set(cookie)) < STRONG_VARIETY:
        place.wrong(
            f"expected at least {STRONG_LENGTH} characters, {STRONG_VARIETY} of them different, since who guesses the "
            "cookie controls the system: leave it out to have a random one, or make one by "
            "`python -c 'import secrets; print(secrets.token_urlsafe(40))'`"
        )


STRONG_LENGTH = 20
STRONG_VARIETY = 8
COOKIE = also(
    Kind(
        ("a string of printable characters without white space",),
        lambda value: isinstance(value, str) and value.isprintable() and value.split() == [value],
        secret=True,
    ),
    _strong,
)
