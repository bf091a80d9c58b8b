"""The site: built without a warning, complete, and asking nobody else for anything."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import pytest

from docs.generator import api, blocks, commands, drawings
from docs.generator.pages import PAGES as GENERATED
from docs.generator.site import ELSEWHERE
from hatch_release.options.table import OPTIONS
from hatch_release.plugins.manager import HOOKS
from tests import interpreters
from tests.builds import configure
from tests.documentation.pages import DOCS, PAGES, READ_TOO, name_of, navigation
from tests.projects import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

LINK = re.compile(r"\]\((?P<path>[^()\s#]*)(?P<anchor>#[^()\s]*)?\)")
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "link": "href"}
"""What a browser fetches by itself, by element."""
RETURN_NAMES = {"release_steps", "release_archive_formats", "release_config_providers"}
RETURN_LISTS = {"release_files", "release_commands", "release_templates", "release_overlays"}
PAGE_LINKS = {"canonical", "next", "prev", "alternate"}
"""Links that are told and not fetched."""


class Fetched(HTMLParser):
    """The addresses that a page makes a browser fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        values = dict(attributes)
        if tag in LOADED and values.get("rel") not in PAGE_LINKS:
            self.addresses.append(values.get(LOADED[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site."""
    directory = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(directory)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return directory


def test_every_page_is_in_the_navigation_and_built(site: Path) -> None:
    known = {page.relative_to(DOCS).as_posix() for page in PAGES} | set(GENERATED) | set(ELSEWHERE)
    assert sorted(known - set(navigation())) == []
    assert [page for page in known if not (site / page).with_suffix(".html").exists()] == []


def test_the_site_has_four_parts(site: Path) -> None:
    tabs = re.findall(r'class="md-tabs__link">\s*(.*?)\s*<', (site / "index.html").read_text("utf-8"))
    assert tabs == ["Home", "Tutorial", "How-to", "Reference", "Explanation"]


def test_no_page_asks_others_for_anything(site: Path) -> None:
    for page in site.rglob("*.html"):
        fetched = Fetched()
        fetched.feed(page.read_text("utf-8"))
        assert [each for each in fetched.addresses if each.startswith(("http:", "https:", "//"))] == [], page
        # The theme fetches what draws such diagrams from elsewhere.
        assert 'class="mermaid"' not in page.read_text("utf-8")
    for sheet in site.rglob("*.css"):
        assert re.findall(r"(?:url\(|@import\s+)[\"']?(?:https?:)?//", sheet.read_text("utf-8")) == [], sheet


def test_no_page_shows_what_is_for_the_tests(site: Path) -> None:
    assert [page for page in site.rglob("*.html") if "<!-- test:" in page.read_text("utf-8")] == []


def test_the_reference_has_every_function(site: Path) -> None:
    text = (site / "reference" / "api.html").read_text("utf-8")
    assert api.homes()
    for home in api.homes().values():
        assert f'id="{home}"' in text


def test_the_reference_has_every_command(site: Path) -> None:
    text = (site / "reference" / "commands.html").read_text("utf-8")
    names = [each.name for each in commands.launcher_commands()]
    assert names[0] == "start"
    for name in names:
        assert f"<code>bin/NAME {name}" in text
    for words, command in commands.tool_commands():
        assert f"<code>{words}</code>" in text
        for parameter in command.params:
            assert any(option in text for option in parameter.opts), (words, parameter.name)


def test_the_reference_has_every_option(site: Path) -> None:
    text = (site / "options.html").read_text("utf-8")
    for option in OPTIONS.values():
        assert f"<code>{option.variable or option.name}</code>" in text


def drawn() -> list[str]:
    """The hooks of the drawing, in its order, those around a step once."""
    return [
        name
        for phase in drawings.LIFE_CYCLE
        for name in ((phase.around[0], *phase.hooks, phase.around[1]) if phase.around else phase.hooks)
    ]


def test_the_life_cycle_of_the_hooks_is_drawn(site: Path) -> None:
    assert sorted(drawn()) == sorted(HOOKS)
    text = (site / "plugins.html").read_text("utf-8")
    assert [name for name in drawn() if f'class="hook">{name}</text>' not in text] == []


def test_hooks_fire_in_the_order_of_the_drawing(builder: Builder, project: Path) -> None:
    hooks = "\n".join(
        f"@hookimpl\ndef {name}({', '.join(HOOKS[name])}):\n"
        f"    print('fired', {name!r}, flush=True)\n"
        + ("    return {}\n" if name in RETURN_NAMES else "    return []\n" if name in RETURN_LISTS else "")
        for name in HOOKS
    )
    (project / "watching.py").write_text(f"from hatch_release import hookimpl\n\n{hooks}", "utf-8")
    configure(
        project,
        f'plugins = ["watching"]\nsteps = ["assemble", "tar"]\ninclude-python = "{interpreters.running()}"',
    )
    done = builder.build(project)
    assert done.returncode == 0, done.stderr
    fired = list(dict.fromkeys(re.findall(r"^fired (\w+)$", done.stdout, re.MULTILINE)))
    assert fired == drawn()


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as forges and the site make them."""
    headings = re.findall(r"^#+ +(.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


@pytest.mark.parametrize("page", [*PAGES, *READ_TOO], ids=name_of)
def test_links_lead_somewhere(page: Path) -> None:
    """Those of pages as files; mkdocs checks those of the site."""
    for link in LINK.finditer(page.read_text("utf-8")):
        if ":" in link["path"]:
            continue
        target = (page.parent / link["path"]).resolve() if link["path"] else page
        if target.is_relative_to(DOCS) and target.relative_to(DOCS).as_posix() in {*GENERATED, *ELSEWHERE}:
            continue
        assert target.exists(), link[0]
        if link["anchor"] and target.suffix == ".md":
            assert link["anchor"][1:] in anchors(target), link[0]


@pytest.mark.parametrize("page", [*PAGES, *READ_TOO], ids=name_of)
def test_every_shell_block_is_run_or_says_why_not(page: Path) -> None:
    guide = blocks.read(page)
    if guide.is_run or guide.reason_not_to_run:
        return
    assert [each.line for each in guide.blocks if each.is_shell and not each.reason_not_to_run] == []
