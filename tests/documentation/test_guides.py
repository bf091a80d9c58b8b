"""Every page that says so is followed word by word, with the hatch-release of this checkout."""

from __future__ import annotations

import contextlib
import shutil
from typing import TYPE_CHECKING

import pytest

from docs.generator import blocks
from tests.documentation.pages import DOCS, PAGES
from tests.documentation.session import Session

if TYPE_CHECKING:
    from pathlib import Path

GUIDES = [guide for guide in map(blocks.read, PAGES) if guide.is_run]


@pytest.mark.long
@pytest.mark.parametrize("guide", GUIDES, ids=lambda guide: guide.path.relative_to(DOCS).as_posix())
def test_what_the_page_says_holds(guide: blocks.Guide, tmp_path: Path, wheels: Path) -> None:
    if missing := [each for each in guide.needed if shutil.which(each) is None]:
        pytest.skip(f"needs {', '.join(missing)}")
    with contextlib.closing(Session(tmp_path / "session", wheels)) as session:
        for block in guide.blocks:
            session.follow(block)
