"""Which releases there are, which are chosen, and releases as functions."""
# ruff: noqa: E501 - messages stand here whole, so that a search finds them

from __future__ import annotations

from typing import Any

import pytest

from hatch_release.errors import ReleaseError
from hatch_release.options.reading import Options
from tests.checked_options import TABLE, load, problems, refuse

# Which releases


def test_without_a_release_the_project_is_one_with_defaults() -> None:
    assert load({}) == {"demo": Options()}


@pytest.mark.parametrize(
    ("project", "release"), [("My-App", "my_app"), ("zope.interface", "zope_interface"), ("x", "x")]
)
def test_the_release_of_the_project_has_a_valid_name(project: str, release: str) -> None:
    assert list(load({}, project=project)) == [release]


def test_a_project_whose_name_is_none_for_a_release_is_told_to_configure_one() -> None:
    assert problems({}, project="3d-tools") == [
        f"{TABLE}.releases: no release is configured, and the project's name '3d-tools' is none for a release: configure one as [{TABLE}.releases.NAME], where NAME is of lower-case letters, digits and '_', a letter first"
    ]


def test_a_project_with_such_a_name_may_configure_releases() -> None:
    assert list(load({"releases": {"tools": {}}}, project="3d-tools")) == ["tools"]


def test_the_only_release_needs_no_name() -> None:
    assert list(load({"releases": {"web": {}}})) == ["web"]


def test_releases_come_in_the_order_asked_for_and_once() -> None:
    target: dict[str, Any] = {"releases": {"web": {}, "worker": {}, "admin": {}}}
    assert list(load(target, "worker", "web", "worker")) == ["worker", "web"]


def test_the_default_release_is_one_of_several() -> None:
    target: dict[str, Any] = {"default-release": "worker", "releases": {"web": {}, "worker": {}}}
    assert list(load(target)) == ["worker"]
    assert list(load(target, "web")) == ["web"]


def test_several_releases_without_a_name_name_both_remedies() -> None:
    assert problems({"releases": {"web": {}, "worker": {}}}) == [
        f"2 releases are configured and none is named (web, worker): name it, as in `hatch build -t release:web`, or set default-release in [{TABLE}]"
    ]


def test_an_unknown_release_lists_the_available_ones() -> None:
    assert problems({"releases": {"demo": {}, "other": {}}}, "nope") == [
        "Unknown release 'nope'. The available releases are: demo, other"
    ]


def test_a_misspelt_release_is_recognised() -> None:
    assert problems({"releases": {"demo": {}, "other": {}}}, "ohter", "dmeo") == [
        "Unknown release 'ohter', did you mean 'other'? The available releases are: demo, other",
        "Unknown release 'dmeo', did you mean 'demo'? The available releases are: demo, other",
    ]


def test_an_unknown_default_release_is_an_error_even_when_another_is_named() -> None:
    assert problems({"default-release": "wep", "releases": {"web": {}}}, "web") == [
        f"{TABLE}.default-release: unknown release 'wep', the available ones are: web, did you mean 'web'?"
    ]


@pytest.mark.parametrize("name", ["Web-1", "1web", "_web", "web.1", "wéb", "", "web\n"])
def test_names_of_releases_are_checked(name: str) -> None:
    (problem,) = problems({"releases": {name: {}}})
    assert (
        f"{TABLE}.releases: expected names of lower-case letters, digits and '_', a letter first" in problem
    )
    assert problem.endswith(f"found {name!r}")


def test_an_invalid_name_comes_with_a_valid_one() -> None:
    (problem,) = problems({"releases": {"Web-1": {}}})
    assert "such as 'web_1'" in problem


@pytest.mark.parametrize("value", [3, "web", [], True])
def test_a_release_is_a_table(value: object) -> None:
    (problem,) = problems({"releases": {"web": value}})
    assert problem.startswith(
        f'{TABLE}.releases.web: expected a table or a "module:function" that returns one'
    )


def test_releases_are_a_table() -> None:
    assert problems({"releases": ["web"]}, "web") == [
        f"{TABLE}.releases: expected a table of releases by name, found a list"
    ]


# Releases as functions


def test_a_function_gives_a_release() -> None:
    tables: dict[str, Any] = {"demo.releases:web": lambda: {"stdlib": "full"}}
    target = {"strip": False, "releases": {"web": "demo.releases:web"}}
    assert load(target, resolve=tables.__getitem__) == {"web": Options(strip=False, stdlib="full")}


def test_only_functions_of_releases_asked_for_are_called() -> None:
    target = {"releases": {"web": "demo.releases:web", "worker": {}}}
    assert list(load(target, "worker", resolve=refuse)) == ["worker"]


def test_what_a_function_returns_is_checked() -> None:
    target = {"releases": {"web": "demo.releases:web"}}
    assert problems(target, resolve=lambda _: lambda: {"strp": True, 3: 4}) == [
        f"{TABLE}.releases.web: unknown option 'strp', did you mean 'strip'?",
        f"{TABLE}.releases.web: unknown option '3'",
    ]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda: [1], 'expected a table or a "module:function" that returns one, found a list'),
        (lambda: None, 'expected a table or a "module:function" that returns one, found None'),
        ("text", "expected 'demo:web' to be a function that returns a table, found 'text'"),
        (lambda: 1 / 0, "'demo:web' failed with ZeroDivisionError: division by zero"),
    ],
)
def test_a_function_that_gives_no_table_is_an_error(function: object, message: str) -> None:
    target = {"releases": {"web": "demo:web"}}
    assert problems(target, resolve=lambda _: function) == [f"{TABLE}.releases.web: {message}"]


def test_the_exception_of_a_function_is_kept() -> None:
    with pytest.raises(ReleaseError) as caught:
        load({"releases": {"web": "demo:web"}}, resolve=lambda _: lambda: 1 / 0)
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_a_function_that_does_not_exist_is_one_problem_among_others() -> None:
    def resolve(reference: str) -> object:
        raise ReleaseError(f"there is no {reference}")

    assert problems({"strip": 3, "releases": {"web": "demo:web"}}, resolve=resolve)[1:] == [
        f"{TABLE}.releases.web: there is no demo:web"
    ]
