"""The pages that are generated from the code, by their path in the site."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.generator import api, commands

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

PAGES: Mapping[str, Callable[[], str]] = {
    "reference/commands.md": commands.page,
    "reference/api.md": api.page,
}
