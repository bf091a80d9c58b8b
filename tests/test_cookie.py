"""The cookie: kept between builds, changed only on purpose, and none that can be guessed."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.builds import configure, failure, nothing_written, replace
from tests.conftest import copy_fixture
from tests.projects import Builder, clean_environment
from tests.terminals import Terminal

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = secrets.token_urlsafe(40), secrets.token_urlsafe(15)
BUILD = ["-m", "hatchling", "build", "-t", "release"]


@pytest.fixture(scope="module")
def project(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a cookie of its own, which is installed."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("cookie"))
    configure(project, f'check = false\nversion = "1"\ncookie = "{OLD}"')
    builders[interpreters.running()].release(project)
    return project


def cookie(project: Path) -> str:
    return (project / "dist" / "release" / "hello" / "releases" / "COOKIE").read_text("utf-8")


def test_a_cookie_is_changed_only_when_asked_to(builder: Builder, project: Path) -> None:
    assert cookie(project) == OLD
    replace(project, OLD, NEW)
    replace(project, 'version = "1"', 'version = "2"')
    message = failure(builder.build(project))
    assert "has another cookie than the option cookie says: set HATCH_RELEASE_OVERWRITE=1" in message
    assert OLD not in message
    assert NEW not in message
    assert cookie(project) == OLD
    with Terminal([str(builder.python), *BUILD], project, clean_environment()) as terminal:
        terminal.expect("Change it, so that who knows the old one is refused? [y/N] ")
        terminal.send("n\n")
        assert terminal.finish() == 1
    assert cookie(project) == OLD
    with Terminal([str(builder.python), *BUILD], project, clean_environment()) as terminal:
        terminal.expect("Change it, so that who knows the old one is refused? [y/N] ")
        terminal.send("yes\n")
        assert terminal.finish() == 0
        assert NEW not in terminal.output
    assert cookie(project) == NEW
    # Once changed it is kept, with the option and without it.
    replace(project, f'cookie = "{NEW}"', "")
    assert builder.build(project, HATCH_RELEASE_VERSION="3").returncode == 0
    assert cookie(project) == NEW
    replace(project, "check = false", f'check = false\ncookie = "{OLD}"')
    assert builder.build(project, HATCH_RELEASE_OVERWRITE="1").returncode == 0
    assert cookie(project) == OLD


@pytest.mark.parametrize("weak", ["hunter2", "x" * 40, "abcabcabcabcabcabcabcabc", "nineteen-characters"])
def test_a_weak_cookie_is_refused_with_a_hint(builder: Builder, tmp_path: Path, weak: str) -> None:
    project = copy_fixture("hello", tmp_path)
    configure(project, f'cookie = "{weak}"')
    message = failure(builder.build(project))
    assert "cookie: expected at least 20 characters, 8 of them different" in message
    assert "secrets.token_urlsafe(40)" in message
    assert weak not in message
    assert nothing_written(project)
