"""File and line of what is wrong in a project's options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_release.options.lines import line_of, locate
from tests.builds import failure

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

TEXT = '''\
# a comment
[project]
name = "shop"  # strip = 1
description = """
[tool.hatch.build.targets.release]
strip = "not here"
"""

[tool.hatch.build.targets.release]
# what is dropped
strip = {
  keep = ["source"],
}
steps = [
  "assemble",
  "tar",
]
path.here = 1
"quoted key" = 2

[tool.hatch.build.targets.release.releases.web]
mode = "embedded"
[[tool.hatch.envs]]
x = 1
'''
TABLE = ["tool", "hatch", "build", "targets", "release"]


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (["project"], 2),
        (["project", "name"], 3),
        (["project", "description"], 4),
        (TABLE, 9),
        ([*TABLE, "strip"], 11),
        ([*TABLE, "strip", "keep"], 11),
        ([*TABLE, "steps"], 14),
        ([*TABLE, "path", "here"], 18),
        ([*TABLE, "quoted key"], 19),
        ([*TABLE, "releases"], 21),
        ([*TABLE, "releases", "web", "mode"], 22),
        ([*TABLE, "releases", "worker"], None),
        (["tool", "other"], None),
    ],
)
def test_the_line_of_a_key(keys: list[str], line: int | None) -> None:
    # Python's reader of TOML takes one-line inline tables alone up to TOML 1.0.
    text = TEXT.replace('strip = {\n  keep = ["source"],\n}', 'strip = { keep = [\n  "source",\n] }')
    assert line_of(text, keys) == line
    assert line_of(text.replace("\n", "\r\n"), keys) == line


def test_places_as_messages_name_them(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        'x = 1\n[tool.hatch.build.targets.release]\nsteps = ["a", "b"]\n"a.b" = 1\n', "utf-8"
    )
    assert locate(tmp_path, "tool.hatch.build.targets.release.steps[1]") == "pyproject.toml:3"
    assert locate(tmp_path, 'tool.hatch.build.targets.release."a.b"') == "pyproject.toml:4"
    assert locate(tmp_path, "HATCH_RELEASE_PATH") == ""
    assert locate(tmp_path, "no way") == ""
    assert locate(tmp_path / "nowhere", "x") == ""
    # What hatch.toml says counts.
    (tmp_path / "hatch.toml").write_text("\n[build.targets.release]\nsteps = 1\n", "utf-8")
    assert locate(tmp_path, "tool.hatch.build.targets.release.steps") == "hatch.toml:3"
    assert locate(tmp_path, "x") == "pyproject.toml:1"


def test_a_build_tells_the_line(builder: Builder, project: Path) -> None:
    pyproject = project / "pyproject.toml"
    text = pyproject.read_text("utf-8")
    pyproject.write_text(f"{text}\n[tool.hatch.build.targets.release]\nquiet = false\nstrp = true\n", "utf-8")
    line = len(text.splitlines()) + 4
    assert failure(builder.build(project)) == (
        f"pyproject.toml:{line}: tool.hatch.build.targets.release: unknown option 'strp', did you mean 'strip'?"
    )
