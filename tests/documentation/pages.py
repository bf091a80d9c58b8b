"""The pages of the documentation, as tests read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import yaml

from tests.projects import ROOT

if TYPE_CHECKING:
    from pathlib import Path

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
READ_TOO = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")]


def name_of(page: Path) -> str:
    """The page's path from the repository's root."""
    return page.relative_to(ROOT).as_posix()


def navigation() -> list[str]:
    """The pages that the site's navigation leads to, in order."""
    return _paths(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])


def _paths(entry: Any) -> list[str]:  # noqa: ANN401 - YAML
    if isinstance(entry, str):
        return [entry]
    return [path for each in (entry.values() if isinstance(entry, dict) else entry) for path in _paths(each)]


def rows(page: Path) -> list[tuple[str, ...]]:
    """The rows of all tables of a page, without their heads."""
    lines = [line for line in page.read_text("utf-8").splitlines() if line.startswith("|")]
    cells = [tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines]
    rules = {number for number, row in enumerate(cells) if set(row[0]) == {"-"} or row[0] == "---"}
    return [row for number, row in enumerate(cells) if number not in rules and number + 1 not in rules]
