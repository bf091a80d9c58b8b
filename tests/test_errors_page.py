"""`docs/errors.md` shows the commonest mistakes with what is printed: each is made here, and compared.

`WRITE_ERRORS=1 pytest tests/test_errors_page.py` puts what is printed now into the page.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from hatch_release.testing.project import TABLE
from tests.projects import ROOT, write_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

PAGE = ROOT / "docs" / "errors.md"
SECTION = re.compile(
    r"^## (?P<title>.+?)\n(?P<text>.*?)```console\n(?P<printed>.*?)```\n", re.MULTILINE | re.DOTALL
)
PROJECT = """[project]
name = "shop"
version = "1.0.0"

[project.scripts]
shop = "shop:main"

"""


@dataclass(frozen=True)
class Mistake:
    """A project with a mistake in it, and how it is built."""

    options: str = ""
    """Of the target's table."""
    target: str = "release"
    environment: dict[str, str] = field(default_factory=dict)
    replace: tuple[str, str] = ("", "")
    """What of PROJECT is written otherwise."""
    module: str = 'def main():\n    print("open")\n'
    files: dict[str, str] = field(default_factory=dict)
    times: int = 1
    """How often it is built; the last time fails."""


MISTAKES = {
    "A misspelt option": Mistake("strp = false"),
    "A value of another type": Mistake('strip = "no"'),
    "An option in the wrong table": Mistake(
        '[tool.hatch.build.targets.release.releases.web]\ndefault-release = "web"'
    ),
    "A release that is not configured": Mistake(
        "[tool.hatch.build.targets.release.releases.web]", target="release:wbe"
    ),
    "Several releases, and none named": Mistake(
        "[tool.hatch.build.targets.release.releases.web]\n[tool.hatch.build.targets.release.releases.worker]"
    ),
    "A name that no release can have": Mistake("[tool.hatch.build.targets.release.releases.Web-Shop]"),
    "A misspelt variable": Mistake(environment={"HATCH_RELEASE_OVERWRIT": "1"}),
    "A variable that says neither yes nor no": Mistake(environment={"HATCH_RELEASE_QUIET": "maybe"}),
    "Steps without `assemble`": Mistake('steps = ["tar"]'),
    "A misspelt step": Mistake('steps = ["assemble", "tra"]'),
    "A step that can't be loaded": Mistake('steps = ["assemble", "release_steps:notes"]'),
    "A step that returns no release": Mistake(
        'steps = ["assemble", "release_steps:notes"]',
        files={"release_steps.py": "def notes(release):\n    pass\n"},
    ),
    "A misspelt archive format": Mistake('archive = "tar.zts"'),
    "A version that is installed already": Mistake(times=2),
    "Nothing to start": Mistake(replace=('[project.scripts]\nshop = "shop:main"\n', "")),
    "Several console scripts, none of the project's name": Mistake(
        replace=('shop = "shop:main"', 'serve = "shop:main"\nstock = "shop:main"')
    ),
    "A mode for an application that does not exist": Mistake('applications = { shopp = "permanent" }'),
    "A lock that is not there": Mistake('lock = "requirements.txt"'),
    "A weak cookie": Mistake('cookie = "secret"'),
    "An overlay that is not there": Mistake('overlays = ["deploy"]'),
    "A plugin that is not there": Mistake('plugins = ["!notes"]'),
    "An interpreter that the project excludes": Mistake(
        replace=('version = "1.0.0"\n', 'version = "1.0.0"\nrequires-python = ">=4"\n')
    ),
    "A module that is no dependency": Mistake(module="import flask\n\n\ndef main():\n    print(flask)\n"),
    "A file of the project that is no TOML": Mistake(replace=('name = "shop"', "name = shop")),
}


def sections() -> dict[str, re.Match[str]]:
    return {found["title"]: found for found in SECTION.finditer(PAGE.read_text("utf-8"))}


def printed(builder: Builder, directory: Path, mistake: Mistake) -> str:
    """What a user sees of it on standard error."""
    old, new = mistake.replace
    assert old in PROJECT
    pyproject = f"{PROJECT.replace(old, new)}{TABLE}\n{mistake.options}\n"
    files = {"pyproject.toml": pyproject, "shop.py": mistake.module, **mistake.files}
    project = write_project(directory / "shop", files)
    # Without dependencies there is nothing in it; with none there would be a warning.
    (project / "requirements.lock").write_text("")
    for number in range(mistake.times):
        done = builder.build(project, target=mistake.target, **mistake.environment)
        assert (done.returncode != 0) == (number + 1 == mistake.times), done.stdout + done.stderr
    assert done.returncode == 1
    shown = done.stderr.replace(str(project), "/home/me/shop")
    shown = re.sub(r"(Python |on )\d+\.\d+\.\d+", r"\g<1>3.12.4", shown)
    return re.sub(r"\(/\S+/bin/python\S*\)", "(/usr/bin/python3)", shown)


@pytest.mark.parametrize("title", MISTAKES)
def test_the_page_shows_what_is_printed(builder: Builder, tmp_path: Path, title: str) -> None:
    shown = printed(builder, tmp_path, MISTAKES[title])
    if os.environ.get("WRITE_ERRORS"):
        _write(title, shown)
    assert sections()[title]["printed"].split("\n", 1)[1] == shown


def test_the_page_shows_nothing_else() -> None:
    assert list(sections()) == list(MISTAKES)


def _write(title: str, shown: str) -> None:
    """Put what is printed into the page."""
    page = PAGE.read_text("utf-8")
    found = sections()[title]
    command = found["printed"].split("\n", 1)[0]
    start, end = found.span("printed")
    PAGE.write_text(f"{page[:start]}{command}\n{shown}{page[end:]}", "utf-8")
