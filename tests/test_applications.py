"""Who is an application, in which mode, in which order, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from hatch_release.applications.declared import Finder, Found
from hatch_release.applications.modes import Modes
from hatch_release.applications.order import start_order
from hatch_release.applications.provenance import reasons
from hatch_release.dependencies.closure import Edge
from hatch_release.errors import ReleaseError
from hatch_release.options.applications import APPLICATIONS
from hatch_release.options.kinds import Place

SCRIPTS = {"one": "a:main", "two": "b:main"}
NEEDS: dict[str, set[str]] = {
    "demo": {"lib", "queue"},
    "lib": {"metrics"},
    "metrics": set(),
    "queue": {"store"},
    "store": set(),
}
"""`metrics`, `queue` and `store` have applications of their names; `lib` has none."""
DECLARED = {
    "store": {"store": "store:run"},
    "metrics": {"metrics": "metrics:run"},
    "lib": {},
    "queue": {"queue": "queue_:run"},
    "demo": {"web": "demo.web:application", "admin": "demo.admin:application"},
}


def find(
    configured: dict[str, Any] | None = None,
    *,
    project: str = "demo",
    declared: dict[str, dict[str, str]] | None = None,
    scripts: dict[str, str] | None = None,
) -> Found:
    """What the option finds, once it has been checked as it is in a build."""
    place = Place("applications")
    checked = APPLICATIONS.check(configured or {}, place)
    assert place.problems == []
    return Finder(project, DECLARED if declared is None else declared, scripts or {}, checked).find()


def modes(configured: dict[str, Any] | None = None, *included: str, **more: Any) -> Modes:  # noqa: ANN401 - what `find` takes
    return Modes(find(configured, **more), NEEDS, included)


def order(configured: dict[str, Any] | None = None) -> list[str]:
    return list(start_order(find(configured), NEEDS))


# Who


@pytest.mark.parametrize(
    ("project", "scripts", "start"),
    [
        ("demo", {"other": "a:main [x]"}, "a:main"),
        ("demo", {**SCRIPTS, "demo": "c:main"}, "c:main"),
        ("My.Demo", {**SCRIPTS, "my-demo": "c:main"}, "c:main"),
        ("my-demo", {**SCRIPTS, "my_demo": "c:main"}, "c:main"),
    ],
)
def test_without_any_a_console_script_is_the_application(
    project: str, scripts: dict[str, str], start: str
) -> None:
    name = project.lower().replace(".", "-")
    (found,) = find(project=project, declared={name: {}}, scripts=scripts).startables.values()
    assert (found.name, found.distribution, found.kind, found.start) == (name, name, "script", start)


@pytest.mark.parametrize("name", ["demo", "Demo", "dEmO"])
def test_the_option_speaks_of_the_console_script_too(name: str) -> None:
    found = find({name: "temporary"}, declared={"demo": {}}, scripts={"demo": "a:main"})
    assert [(each.name, each.kind, each.mode) for each in found.startables.values()] == [
        ("demo", "script", "temporary")
    ]


@pytest.mark.parametrize(
    ("configured", "kind", "start"),
    [
        ({"demo": {"start": "x:run"}}, "object", "x:run"),
        ({"DEMO": {"start": "x:run"}}, "object", "x:run"),
        ({"demo": {"command": ["x"]}}, "command", ""),
        ({"worker": {"start": "x:run"}}, "object", "x:run"),
    ],
)
def test_what_the_option_defines_takes_the_place_of_the_console_script(
    configured: dict[str, Any], kind: str, start: str
) -> None:
    found = find(configured, declared={"demo": {}}, scripts={"demo": "a:main"})
    (only,) = found.startables.values()
    assert (only.name, only.kind, only.start) == (next(iter(configured)).lower(), kind, start)
    assert only.distribution == "demo"


def test_entry_points_declare_applications() -> None:
    found = find(scripts={"demo": "a:main"})
    assert [(each.name, each.distribution, each.start) for each in found.startables.values()] == [
        ("store", "store", "store:run"),
        ("metrics", "metrics", "metrics:run"),
        ("queue", "queue", "queue_:run"),
        ("web", "demo", "demo.web:application"),
        ("admin", "demo", "demo.admin:application"),
    ]


def test_two_of_one_name_are_called_after_their_distributions() -> None:
    declared = {"a": {"web": "a:run"}, "demo": {"web": "demo:run", "worker": "demo:work"}}
    found = find({"a:web": "load"}, declared=declared)
    assert {each.name: each.mode for each in found.startables.values()} == {
        "a:web": "load",
        "demo:web": "",
        "worker": "",
    }
    with pytest.raises(
        ReleaseError, match=r"'web', which several .*: name one of them as a:web or demo:web$"
    ):
        find({"web": "load"}, declared=declared)


def test_a_definition_for_a_distribution_replaces_what_it_declares() -> None:
    found = find({"demo": {"command": ["gunicorn", "demo.wsgi"]}, "queue": {"start": "q:run"}})
    kinds = {each.name: (each.distribution, each.kind) for each in found.startables.values()}
    assert kinds["demo"] == ("demo", "command")
    assert "web" not in kinds
    assert found.startables["queue"].start == "q:run"


def test_an_application_s_own_settings_count_before_its_distribution_s() -> None:
    found = find({"demo": {"mode": "temporary", "restarts": 3}, "admin": {"mode": "load", "shutdown": 1}})
    assert found.startables["web"].settings == {"mode": "temporary", "restarts": 3}
    assert found.startables["admin"].settings == {"mode": "load", "restarts": 3, "shutdown": 1}


def test_a_new_application_belongs_to_the_project() -> None:
    found = find({"demo": "transient", "cron": {"command": ["cron"]}})
    assert found.startables["cron"].distribution == "demo"
    assert Modes(found, NEEDS).applications["cron"] == "transient"


@pytest.mark.parametrize(
    ("configured", "message"),
    [
        ({"wep": "load"}, "'wep', which is no application and no distribution .*, did you mean 'web'"),
        ({"storr": {"mode": "load"}}, "did you mean 'store'"),
        (
            {"xyz": "load"},
            r"a new .* start or command\): it has the applications store, metrics, queue, web, admin$",
        ),
        ({"other:web": {"start": "x:y"}}, "names 'other:web', which is no application"),
        ({"lib": "load", "LIB": "none"}, "names 'lib' twice, also as 'LIB'"),
        ({"queue": "load", "Queue": "none"}, "names 'queue' twice, also as 'Queue'"),
    ],
)
def test_names_that_are_wrong(configured: dict[str, Any], message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        find(configured)


@pytest.mark.parametrize("value", ["demo.web", "demo web:x", ":x"])
def test_an_entry_point_that_starts_nothing(value: str) -> None:
    with pytest.raises(ReleaseError, match=rf"entry point web of demo .* is '{value}'.*module:name"):
        find(declared={"demo": {"web": value}})


@pytest.mark.parametrize(
    ("scripts", "configured", "message"),
    [
        ({}, {}, r"has no console script, .*\{ demo = \{ start = \"package\.module:function\" \} \}"),
        (SCRIPTS, {}, r"has the console scripts one, two, none of its own name, .* start = \"a:main\""),
    ],
)
def test_nothing_that_starts(scripts: dict[str, str], configured: dict[str, Any], message: str) -> None:
    with pytest.raises(ReleaseError, match=message):
        find(configured, declared={"demo": {}}, scripts=scripts)


@pytest.mark.parametrize("mode", ["load", "none"])
def test_a_project_may_say_that_it_starts_nothing(mode: str) -> None:
    assert find({"demo": mode}, declared={"demo": {}}, scripts=SCRIPTS).startables == {}


# Modes


def test_modes_cascade_to_what_is_required() -> None:
    assert set(modes().applications.values()) == {"permanent"}
    assert set(modes({"demo": "temporary"}).applications.values()) == {"temporary"}
    assert set(modes({"demo": "none"}).applications.values()) == {"none"}


def test_a_distribution_that_is_configured_passes_on_its_own() -> None:
    found = modes({"queue": "transient", "lib": "temporary"})
    assert found.applications == {
        "store": "transient",
        "metrics": "temporary",
        "queue": "transient",
        "web": "permanent",
        "admin": "permanent",
    }


@pytest.mark.parametrize(
    ("one", "other", "merged"),
    [
        ("permanent", "transient", "permanent"),
        ("temporary", "transient", "transient"),
        ("load", "temporary", "temporary"),
        ("none", "load", "load"),
        ("none", "none", "none"),
    ],
)
def test_the_more_started_mode_of_several_dependents_wins(one: str, other: str, merged: str) -> None:
    needs = {"a": {"c"}, "b": {"c"}, "c": set[str](), "demo": {"a", "b"}}
    declared = {"c": {"c": "c:run"}, "a": {}, "b": {}, "demo": {}}
    found = find({"a": one, "b": other}, declared=declared)
    assert Modes(found, needs).applications == {"c": merged}


def test_a_distribution_passes_on_the_most_started_mode_of_its_applications() -> None:
    found = modes({"web": "load", "admin": "temporary"})
    assert found.applications["queue"] == "temporary"
    assert found.listed("demo") == "temporary"


def test_what_has_nothing_to_start_is_loaded_at_most_and_passes_on_what_it_gets() -> None:
    found = modes()
    assert {name: found.listed(name) for name in NEEDS} == {
        "demo": "permanent",
        "lib": "load",
        "metrics": "permanent",
        "queue": "permanent",
        "store": "permanent",
    }
    assert modes({"demo": "none"}).listed("lib") == "none"


def test_distributions_in_a_circle() -> None:
    needs = {"demo": {"a"}, "a": {"b"}, "b": {"a"}}
    found = find(declared={"a": {"a": "a:x"}, "b": {"b": "b:x"}, "demo": {"demo": "demo:x"}})
    assert Modes(found, needs).applications == {"a": "permanent", "b": "permanent", "demo": "permanent"}
    # Entered at what the project requires; what comes first goes without the other.
    assert start_order(found, needs) == {"b": (), "a": ("b",), "demo": ("b", "a")}


def test_what_a_group_brings_has_the_mode_of_the_project() -> None:
    needs = {"demo": set[str](), "agent": set[str]()}
    found = find({"demo": "transient"}, declared={"demo": {"demo": "d:x"}, "agent": {"agent": "a:x"}})
    assert Modes(found, needs, ["agent"]).applications["agent"] == "transient"
    assert list(start_order(found, needs)) == ["demo", "agent"]


@pytest.mark.parametrize("mode", ["load", "none"])
@pytest.mark.parametrize("required", ["queue", "Queue"])
def test_a_started_application_above_one_that_is_not_started_is_refused(mode: str, required: str) -> None:
    found = modes({required: mode})
    with pytest.raises(ReleaseError) as caught:
        found.check(found.applications)
    assert str(caught.value).startswith(
        "application web is permanent, and its distribution demo requires queue, which the option applications "
        f"leaves '{mode}' ("
    )
    assert (
        "set queue to permanent, transient or temporary, or all applications of demo to load or none"
        in str(caught.value)
    )


@pytest.mark.parametrize(
    "configured",
    [
        {"lib": "load"},  # it has nothing to start; what it needs follows it
        {"demo": "load", "queue": "none"},  # nobody who is started needs it
        {"demo": "load", "queue": "load"},
        {"admin": "load"},
        {"metrics": "load"},  # not required directly
    ],
)
def test_modes_that_are_safe(configured: dict[str, Any]) -> None:
    found = modes(configured)
    found.check(found.applications)


def test_a_distribution_that_is_not_loaded_can_t_be_required() -> None:
    found = modes({"lib": "none"})
    with pytest.raises(ReleaseError, match=r"demo requires lib, .* leaves 'none' \(not loaded\)"):
        found.check(found.applications)


# Order


def test_dependencies_start_first_and_the_project_in_the_order_of_its_metadata() -> None:
    assert order() == ["store", "metrics", "queue", "web", "admin"]


def test_the_configured_order_is_kept_as_far_as_possible() -> None:
    assert order({"queue": "permanent", "store": "permanent"}) == [
        "store",
        "queue",
        "metrics",
        "web",
        "admin",
    ]
    assert order({"metrics": "load"})[0] == "metrics"
    cron = {"cron": {"command": ["cron"]}}
    assert order({"admin": "permanent", **cron}) == ["store", "metrics", "queue", "admin", "cron", "web"]
    assert order({"demo": "permanent", **cron}) == ["store", "metrics", "queue", "web", "admin", "cron"]


def test_each_application_knows_which_ones_come_before_it() -> None:
    assert start_order(find(), NEEDS) == {
        "store": (),
        "metrics": (),
        "queue": ("store",),
        "web": ("store", "metrics", "queue"),
        "admin": ("store", "metrics", "queue"),
    }


# Why


def test_why_a_distribution_is_in() -> None:
    edges = [
        Edge("", "", "demo"),
        Edge("", "", "agent"),
        Edge("demo", "", "lib"),
        Edge("demo", "web", "lib"),
        Edge("demo", "web", "server"),
        Edge("server", "", "lib"),
        Edge("server", "fast", "loop"),
    ]
    assert reasons("demo", edges, {"ops": ["agent", "lib", "not-here"]}) == {
        "demo": ("the project",),
        "agent": ("dependency group ops",),
        "lib": ("required by demo", "required by server", "dependency group ops"),
        "server": ("extra web of the project",),
        "loop": ("required by server",),
    }
