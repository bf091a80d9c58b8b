"""The documentation names everything that a user can write."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from hatch_release.commands import build
from hatch_release.options.kinds import Kind
from hatch_release.options.reading import HATCHLING_KEYS, VARIABLES
from hatch_release.options.table import OPTIONS, Where
from hatch_release.plugins.manager import HOOKS
from tests.hook_pages import REFERENCE, reference, section

if TYPE_CHECKING:
    from hatch_release.options.table import Option

DOCS = Path(__file__).parents[1] / "docs"
OPTIONS_PAGE = (DOCS / "options.md").read_text(encoding="utf-8")
PLUGINS_PAGE = (DOCS / "plugins.md").read_text(encoding="utf-8")
IN_TABLES = [option for option in OPTIONS.values() if option.where & Where.TABLES]


def row_of(option: Option) -> str:
    default = option.unset or f"`{json.dumps(option.default)}`"
    meaning = [option.doc]
    if option.where is Where.TARGET:
        meaning.append("Only for all releases.")
    if isinstance(option.supported, Kind):
        meaning.append(f"**So far: {option.supported.expected}.**")
    elif not option.supported:
        meaning.append("**Not supported yet.**")
    return f"| `{option.name}` | {option.kind.expected} | {default} | {' '.join(meaning)} |"


def variable_row_of(option: Option) -> str:
    value = "a flag" if isinstance(option.default, bool) else option.kind.alternatives[0]
    return f"| `{option.variable}` | {value} | {option.doc} |"


def named_in_rows() -> list[str]:
    return re.findall(r"^\| `([^`]+)`", OPTIONS_PAGE, re.MULTILINE)


@pytest.mark.parametrize("option", IN_TABLES, ids=lambda option: option.name)
def test_each_option_is_documented_as_it_is_checked(option: Option) -> None:
    assert row_of(option) in OPTIONS_PAGE.splitlines()


@pytest.mark.parametrize("option", VARIABLES.values(), ids=lambda option: option.variable)
def test_each_variable_is_documented(option: Option) -> None:
    assert variable_row_of(option) in OPTIONS_PAGE.splitlines()


def test_nothing_else_is_documented_as_an_option() -> None:
    assert named_in_rows() == [*(option.name for option in IN_TABLES), *VARIABLES]


@pytest.mark.parametrize("key", sorted(HATCHLING_KEYS))
def test_the_keys_of_hatchling_are_documented(key: str) -> None:
    assert f"`{key}`" in OPTIONS_PAGE


@pytest.mark.parametrize("hook", HOOKS)
def test_each_hook_is_documented_as_it_is_specified(hook: str) -> None:
    assert section(hook) in PLUGINS_PAGE
    assert f"`{hook}`" in PLUGINS_PAGE.partition(REFERENCE)[0], "it is missing in the order of firing"


def test_nothing_else_is_documented_as_a_hook() -> None:
    assert PLUGINS_PAGE.endswith(reference())
    assert set(re.findall(r"`(release_\w+)`", PLUGINS_PAGE)) - {"release_plugin"} <= set(HOOKS)


def test_each_flag_of_build_is_documented() -> None:
    page = (DOCS / "building.md").read_text(encoding="utf-8")
    flags = [each.opts[0] for each in build.command.params if isinstance(each, click.Option)]
    assert re.findall(r"^\| `(--[\w-]+)` \|", page, re.MULTILINE) == flags
