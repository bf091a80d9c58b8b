"""mkdocs' hooks for this site: pages that are generated, pages that live elsewhere, and links between them.

mkdocs loads this file by its path and calls the functions of its own names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File

from docs.generator.blocks import MARKER
from docs.generator.drawings import DRAWINGS
from docs.generator.pages import PAGES

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).parents[2]
ELSEWHERE = {
    "benchmarks.md": "benchmarks/README.md",
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
}
"""Pages of the site that are files outside of `docs/`, by the page's path."""
DRAWING = re.compile(r"^<!-- drawing: (\w+) -->$", re.MULTILINE)
LINK = re.compile(r"(?<=\]\()(?P<path>[^()\s#:]+)(?P<anchor>#[^()\s]*)?(?=\))")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are not files of `docs/`."""
    for path, generate in PAGES.items():
        files.append(File.generated(config, path, content=generate()))
    for path, source in ELSEWHERE.items():
        files.append(File.generated(config, path, content=(ROOT / source).read_text("utf-8")))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Lead links to files outside of `docs/` to their pages, put in drawings, drop what is for the tests alone."""
    source = ELSEWHERE.get(page.file.src_uri, f"docs/{page.file.src_uri}")

    def moved(link: re.Match[str]) -> str:
        target = (ROOT / source).parent.joinpath(link["path"]).resolve()
        if not target.is_relative_to(ROOT):
            return link[0]
        name = target.relative_to(ROOT).as_posix()
        here = next((path for path, file in ELSEWHERE.items() if file == name), name.removeprefix("docs/"))
        up = "../" * page.file.src_uri.count("/")
        return f"{up}{here}{link['anchor'] or ''}"

    drawn = DRAWING.sub(lambda name: DRAWINGS[name[1]](), MARKER.sub("", markdown))
    return LINK.sub(moved, drawn)
