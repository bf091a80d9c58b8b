"""What `start` runs."""

from __future__ import annotations

import pytest

from hatch_release.applications import application_start
from hatch_release.errors import ReleaseError

SCRIPTS = {"one": "a:main", "two": "b:main"}


@pytest.mark.parametrize(
    ("project", "scripts", "configured", "expected"),
    [
        ("demo", {"other": "a:main"}, {}, "a:main"),
        ("demo", {**SCRIPTS, "demo": "c:main"}, {}, "c:main"),
        ("My.Demo", {**SCRIPTS, "my-demo": "c:main"}, {}, "c:main"),
        ("my-demo", {**SCRIPTS, "my_demo": "c:main"}, {}, "c:main"),
        ("demo", SCRIPTS, {"demo": {"start": "x:run"}}, "x:run"),
        ("My.Demo", {}, {"my_demo": {"start": "x:run"}}, "x:run"),
    ],
)
def test_what_starts(
    project: str, scripts: dict[str, str], configured: dict[str, dict[str, str]], expected: str
) -> None:
    assert application_start(project, scripts, configured)[1] == expected


def test_the_option_counts_more_than_scripts() -> None:
    name, reference = application_start("demo", {"demo": "a:main"}, {"demo": {"start": "b:main"}})
    assert (name, reference) == ("demo", "b:main")


@pytest.mark.parametrize(
    ("scripts", "configured", "message"),
    [
        ({}, {}, r"has no console script, .*\{ demo = \{ start = \"package\.module:function\" \} \}"),
        (SCRIPTS, {}, r"has the console scripts one, two, none of its own name, .* start = \"a:main\""),
        (SCRIPTS, {"demmo": {"start": "x:y"}}, "names 'demmo', .* did you mean 'demo'"),
        (SCRIPTS, {"xyz": {"start": "x:y"}}, "names 'xyz', .*: the project's own one is 'demo'"),
    ],
)
def test_nothing_that_starts(
    scripts: dict[str, str], configured: dict[str, dict[str, str]], message: str
) -> None:
    with pytest.raises(ReleaseError, match=message):
        application_start("demo", scripts, configured)
