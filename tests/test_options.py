"""What a user may configure, and what is said about everything else."""
# ruff: noqa: E501 - messages stand here whole, so that a search finds them

from __future__ import annotations

import inspect
import re
from typing import TYPE_CHECKING, Any

import pytest
from hatchling.builders.config import BuilderConfig

from hatch_release.options.kinds import Place
from hatch_release.options.reading import HATCHLING_KEYS, Options
from hatch_release.options.table import OPTIONS
from tests.checked_options import TABLE, load, only, problems

if TYPE_CHECKING:
    from hatch_release.options.table import Option


# Options


def test_a_release_replaces_what_is_said_for_all() -> None:
    all_of_them = {"strip": False, "extras": ["a", "b"], "applications": {"demo": {"start": "demo:main"}}}
    web = {"extras": ["c"], "applications": {"other": {"start": "demo:other"}}}
    options = load({**all_of_them, "releases": {"web": web, "worker": {}}}, "web", "worker")
    assert options["web"] == Options(
        strip=False, extras=("c",), applications={"other": {"start": "demo:other"}}
    )
    assert options["worker"] == Options(
        strip=False, extras=("a", "b"), applications={"demo": {"start": "demo:main"}}
    )


def test_hatchling_keys_are_valid_for_the_target() -> None:
    assert only(dict.fromkeys(HATCHLING_KEYS, "anything")) == Options()


def test_all_keys_that_hatchling_reads_are_known() -> None:
    source = inspect.getsource(BuilderConfig)
    asked = re.findall(r'"([a-z-]+)" in self\.target_config|self\.target_config\.get\("([a-z-]+)"', source)
    assert {either or other for either, other in asked} <= HATCHLING_KEYS


@pytest.mark.parametrize("key", ["dependencies", "versions", "default-release"])
def test_what_holds_for_all_releases_is_refused_inside_one(key: str) -> None:
    assert problems({"releases": {"web": {key: "x"}}}) == [
        f"{TABLE}.releases.web.{key}: this holds for all releases, put it into [{TABLE}]"
    ]


def test_what_only_the_environment_gives_is_refused_in_a_table() -> None:
    assert problems({"no-compile": True}) == [
        f"{TABLE}.no-compile: this is not read from pyproject.toml, set HATCH_RELEASE_NO_COMPILE in the environment"
    ]


def test_an_unknown_option_is_named_with_the_nearest_known_one() -> None:
    assert problems({"strp": True, "depedencies": [], "qqq": 1, "releases": {"web": {"stps": []}}}) == [
        f"{TABLE}: unknown option 'strp', did you mean 'strip'?",
        f"{TABLE}: unknown option 'depedencies', did you mean 'dependencies'?",
        f"{TABLE}: unknown option 'qqq'",
        f"{TABLE}.releases.web: unknown option 'stps', did you mean 'steps'?",
    ]


def test_all_problems_of_all_releases_are_reported_at_once() -> None:
    target = {"quiet": 1, "releases": {"web": {"strip": 3, "extras": ["a", 1]}, "Bad": {"stdlib": "ful"}}}
    assert problems(target, "nope", environ={"HATCH_RELEASE_FORCE": "perhaps"}) == [
        f"{TABLE}.quiet: expected true or false, found 1",
        f"{TABLE}.releases: expected names of lower-case letters, digits and '_', a letter first, such as 'bad', found 'Bad'",
        "Unknown release 'nope'. The available releases are: web, Bad",
        f'{TABLE}.releases.web.strip: expected true, false or a table {{ keep = ["source", "tests:NAME"], drop = ["docstrings"] }}, found 3',
        f"{TABLE}.releases.web.extras[1]: expected a string, found 1",
        f"{TABLE}.releases.Bad.stdlib: expected \"used\" or \"full\", found 'ful', did you mean 'full'?",
        "HATCH_RELEASE_FORCE: expected 1, true, yes, on, 0, false, no or off, found 'perhaps'",
    ]


VALID: list[tuple[str, Any, Any]] = [
    ("applications", {}, {}),
    ("applications", {"demo": {"start": "demo.web:app.main"}}, {"demo": {"start": "demo.web:app.main"}}),
    ("applications", {"demo": "load", "a:b_c.d": {}}, {"demo": {"mode": "load"}, "a:b_c.d": {}}),
    (
        "applications",
        {"demo": {"mode": "temporary", "command": ["a", "b"], "restarts": 0, "within": 0.5, "shutdown": 0}},
        {"demo": {"mode": "temporary", "command": ("a", "b"), "restarts": 0, "within": 0.5, "shutdown": 0}},
    ),
    (
        "applications",
        {"demo": {"command": ["a"], "ready": {"port": 65535, "seconds": 1}}},
        {"demo": {"command": ("a",), "ready": {"port": 65535, "seconds": 1}}},
    ),
    ("mode", "embedded", "embedded"),
    ("preload", ["demo/*.py", "!demo/admin.py"], ("demo/*.py", "!demo/admin.py")),
    ("version", "1!2.0.post1+local-3_4", "1!2.0.post1+local-3_4"),
    ("path", "../out dir/ü", "../out dir/ü"),
    ("include-python", False, False),
    ("include-python", "python.tar.gz", "python.tar.gz"),
    ("include-executables-for", ["unix"], ("unix",)),
    ("strip", False, False),
    ("strip", {"keep": ["source:A_b"], "drop": ["source"]}, {"keep": ("source:A_b",), "drop": ("source",)}),
    ("stdlib", "full", "full"),
    ("cookie", "s3cret-ü-of-20-letters", "s3cret-ü-of-20-letters"),
    (
        "steps",
        ["demo:before", "assemble", "tar", "demo.tasks:after"],
        ("demo:before", "assemble", "tar", "demo.tasks:after"),
    ),
    ("archive", "zip", "zip"),
    ("lock", "locks/requirements.txt", "locks/requirements.txt"),
    ("extras", ["a"], ("a",)),
    ("groups", [], ()),
    ("check", False, False),
    ("overwrite", True, True),
    ("quiet", True, True),
]


@pytest.mark.parametrize(("name", "value", "held"), VALID)
def test_a_right_value_is_held(name: str, value: object, held: object) -> None:
    assert getattr(only({name: value}), OPTIONS[name].attribute) == held


WRONG: list[tuple[str, Any, str]] = [
    ("applications", {"demo": {"strat": "demo:main"}}, ".demo: unknown key 'strat', did you mean 'start'?"),
    (
        "applications",
        {"demo": {"start": "demo.main"}},
        ".demo.start: expected a \"module:name\", found 'demo.main'",
    ),
    (
        "applications",
        {"demo": {"start": "d:m", "command": ["d"]}},
        ".demo: found both 'start' and 'command': keep the one that starts the application",
    ),
    (
        "applications",
        {"demo": "permanant"},
        '.demo: expected "permanent", "transient", "temporary", "load", "none" or a table { mode, start, command, restarts, within, shutdown, ready }, found \'permanant\', did you mean \'permanent\'?',
    ),
    (
        "applications",
        {"a": {"command": []}},
        ".a.command: expected a program and its arguments, found an empty list",
    ),
    ("applications", {"a": {"shutdown": -1}}, ".a.shutdown: expected a number of seconds from 0, found -1"),
    (
        "applications",
        {"a": {"within": float("inf")}},
        ".a.within: expected a number of seconds above 0, found inf",
    ),
    (
        "applications",
        {"a": {"start": "d:m", "ready": {"port": 80}}},
        ".a: found 'ready' without 'command': anything else is ready once it is entered or runs",
    ),
    (
        "applications",
        {"a": {"command": ["d"], "ready": {"seconds": 3}}},
        ".a.ready: expected either 'port' or 'command', which answers once the application is ready",
    ),
    (
        "applications",
        {"a": {"command": ["d"], "ready": {"port": 0}}},
        ".a.ready.port: expected a port from 1 to 65535, found 0",
    ),
    (
        "mode",
        "embeded",
        ': expected "auto", "embedded" or "interactive", found \'embeded\', did you mean \'embedded\'?',
    ),
    ("applications", {"a b": "load"}, ": expected a table of applications by name, found the name 'a b'"),
    ("applications", {"a.b": {"within": 0}}, '."a.b".within: expected a number of seconds above 0, found 0'),
    ("applications", {"a": {"restarts": True}}, ".a.restarts: expected a whole number from 0, found true"),
    ("applications", ["a"], ": expected a table of applications by name, found a list"),
    (
        "version",
        "../1",
        ": expected a version of letters, digits and . _ + - ! or a table { from-app = \"NAME\" }, found '../1'",
    ),
    ("version", {"form-app": "x"}, ": unknown key 'form-app', did you mean 'from-app'?"),
    ("path", "", ": expected a path, found ''"),
    (
        "include-python",
        3.12,
        ': expected true, false or a path, a version or a "module:function", found 3.12',
    ),
    ("include-executables-for", "unix", ': expected a list of systems ("unix", "windows"), found \'unix\''),
    (
        "include-executables-for",
        ["unics"],
        "[0]: expected \"unix\" or \"windows\", found 'unics', did you mean 'unix'?",
    ),
    (
        "strip",
        {"keep": ["tests", "sources:numpy"]},
        ".keep[1]: expected source, tests, symbols, stubs, headers, docstrings or asserts, alone or as KIND:NAME, found 'sources:numpy', did you mean 'source'?",
    ),
    ("strip", {"drop": [3]}, ".drop[0]: expected a kind, found 3"),
    (
        "strip",
        {"keep": ["source:"]},
        ".keep[0]: expected the name of a distribution after 'source:', found ''",
    ),
    ("strip", {"keeps": ["source"]}, ": unknown key 'keeps', did you mean 'keep'?"),
    (
        "strip",
        {"keep": ["docstrings:A_b"], "drop": ["docstrings:a-B"]},
        ": found 'docstrings:a-b' in both 'keep' and 'drop': say it once",
    ),
    ("runtime-config-path", True, ": expected a path or false, found true"),
    (
        "config-providers",
        [{"init": 1}],
        "[0]: expected a table { provider = \"module:Class\", init = ... }, the key 'provider' is missing",
    ),
    ("steps", [], ": expected 'assemble' exactly once, found it 0 times"),
    ("steps", ["assemble", "assemble"], ": expected 'assemble' exactly once, found it 2 times"),
    (
        "steps",
        ["tar", "assemble"],
        ": found 'tar' before 'assemble': there is nothing to pack yet, put it after",
    ),
    ("steps", ["assemble", "tar", "tar"], ": expected 'tar' at most once, found it 2 times"),
    (
        "steps",
        ["asemble"],
        ": expected 'assemble' exactly once, found it 0 times, is 'asemble' meant to be it?",
    ),
    ("steps", ["assemble", "a b"], "[1]: expected a step or a \"module:function\", found 'a b'"),
    ("archive", "a b", ': expected "tar.zst", "tar.gz", "zip" or a format of a plugin, found \'a b\''),
    ("lock", ["a"], ": expected a path, found a list"),
    ("extras", "a", ": expected a list of strings, found 'a'"),
    ("check", "false", ": expected true or false, found 'false'"),
    ("lazy-imports", "all", ": expected \"auto\", true or false, found 'all'"),
    ("default-release", "A", ": expected the name of a release, found 'A'"),
]


@pytest.mark.parametrize(("name", "value", "message"), WRONG)
def test_a_wrong_value_says_where_it_is_and_what_is_expected(name: str, value: object, message: str) -> None:
    assert f"{TABLE}.{name}{message}" in problems({name: value})


@pytest.mark.parametrize(
    "version", ["", ".", "..", "-1", "1/2", "1 2", "1\n", "COOKIE", "start.data", "1\\2", "ü"]
)
def test_a_version_is_the_name_of_a_directory(version: str) -> None:
    (problem,) = problems({"version": version})
    assert problem.startswith(f"{TABLE}.version: expected a version of letters, digits and . _ + - !")


@pytest.mark.parametrize("cookie", ["", "two words", "tab\t", " lead", "bell\a", "line\n"])
def test_a_bad_cookie_is_refused_without_showing_it(cookie: str) -> None:
    assert problems({"cookie": cookie}) == [
        f"{TABLE}.cookie: expected a string of printable characters without white space, found another value"
    ]


def test_a_long_value_is_shortened_to_one_line() -> None:
    (problem,) = problems({"archive": "x\n" * 500})
    assert len(problem) < 200


# Not supported yet

LATER = [option for option in OPTIONS.values() if option.supported is False]


@pytest.mark.parametrize("option", LATER, ids=lambda option: option.name)
def test_an_option_that_is_not_supported_is_refused_even_with_its_default(option: Option) -> None:
    value = option.default if option.default is not None else "something"
    expected = [f"{TABLE}.{option.name}: this option is not supported yet"]
    assert problems({option.name: value}) == expected


@pytest.mark.parametrize("option", LATER, ids=lambda option: option.name)
def test_a_wrong_type_counts_before_support(option: Option) -> None:
    (problem,) = problems({option.name: 3.5})
    assert problem == f"{TABLE}.{option.name}: expected {option.kind.expected}, found 3.5"


@pytest.mark.parametrize(
    ("name", "value", "so_far"),
    [
        ("version", {"from-app": "demo"}, "a version of letters"),
        ("include-executables-for", ["unix", "windows"], '["unix"]'),
        ("include-executables-for", [], '["unix"]'),
    ],
)
def test_a_value_that_is_not_supported_says_what_is(name: str, value: object, so_far: str) -> None:
    (problem,) = problems({name: value})
    assert problem.startswith(f"{TABLE}.{name}: this value is not supported yet, so far: {so_far}")


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.name)
def test_each_default_is_a_value_of_its_kind(option: Option) -> None:
    place = Place(option.name)
    held = option.default if option.default is None else option.kind.check(option.default, place)
    assert (held, place.problems) == (option.default, [])
