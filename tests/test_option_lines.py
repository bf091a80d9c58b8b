"""File and line of what is wrong in a project's options."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_release.errors import OptionError, ReleaseError
from hatch_release.options.lines import line_of, locate, located, read_pyproject
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
[[tool.hatch.envs]]
'''
TABLE = ("tool", "hatch", "build", "targets", "release")


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("project",), 2),
        (("project", "name"), 3),
        (("project", "description"), 4),
        (TABLE, 9),
        ((*TABLE, "strip"), 11),
        ((*TABLE, "strip", "keep"), 11),
        ((*TABLE, "strip", "keep", 0), 12),
        ((*TABLE, "strip", "keep", 1), None),
        ((*TABLE, "steps"), 14),
        ((*TABLE, "steps", 0), 15),
        ((*TABLE, "steps", 1), 16),
        ((*TABLE, "steps", 2), None),
        ((*TABLE, "path", "here"), 18),
        ((*TABLE, "quoted key"), 19),
        ((*TABLE, "releases"), 21),
        ((*TABLE, "releases", "web", "mode"), 22),
        ((*TABLE, "releases", "web", "mode", "in", "it"), 22),
        ((*TABLE, "releases", "worker"), None),
        (("tool", "hatch", "envs", 0, "x"), 24),
        (("tool", "hatch", "envs", 1), 25),
        (("tool", "hatch", "envs", 2), None),
        (("tool", "other"), None),
    ],
)
def test_the_line_of_a_key(keys: tuple[str | int, ...], line: int | None) -> None:
    # Python's reader of TOML takes one-line inline tables alone up to TOML 1.0.
    text = TEXT.replace('strip = {\n  keep = ["source"],\n}', 'strip = { keep = [\n  "source",\n] }')
    assert line_of(text, keys) == line
    assert line_of(text.replace("\n", "\r\n"), keys) == line


def test_the_line_as_editors_count_it() -> None:
    assert line_of("# a comment \u2028 in one line\nx = 1\n", ("x",)) == 2
    assert line_of("x = 1", ("x",)) == 1
    assert line_of("", ("x",)) is None


def test_a_large_file_is_read_a_few_times() -> None:
    text = "".join(f'[tool.other{number}]\nx = [\n  "a",\n]\n' for number in range(2000))
    assert line_of(f"{text}[tool.last]\ny = 1\n", ("tool", "last", "y")) == 8002


def test_places_in_the_files_of_a_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        'x = 1\n[tool.hatch.build.targets.release]\nsteps = ["a", "b"]\n"a.b" = 1\n', "utf-8"
    )
    assert locate(tmp_path, (*TABLE, "steps", 1)) == "pyproject.toml:3"
    assert locate(tmp_path, (*TABLE, "a.b")) == "pyproject.toml:4"
    assert locate(tmp_path, ()) == ""
    assert locate(tmp_path / "nowhere", ("x",)) == ""
    # What hatch.toml says counts.
    (tmp_path / "hatch.toml").write_text("\n[build.targets.release]\nsteps = 1\n", "utf-8")
    assert locate(tmp_path, (*TABLE, "steps")) == "hatch.toml:3"
    assert locate(tmp_path, ("x",)) == "pyproject.toml:1"


@pytest.mark.parametrize(
    ("keys", "where"),
    [
        (("steps", 1), "pyproject.toml:4: "),
        (("steps", 7), "pyproject.toml:2: "),  # as near as can be
        (("lock",), ""),  # it is in the environment, or a default
    ],
)
def test_errors_about_options_get_a_place(tmp_path: Path, keys: tuple[str | int, ...], where: str) -> None:
    (tmp_path / "pyproject.toml").write_text('[t]\nsteps = [\n  "a",\n  "b",\n]\nlock = "x"\n', "utf-8")
    with pytest.raises(ReleaseError) as raised, located(tmp_path, {"steps": ("t", "steps")}):
        raise OptionError("it is wrong", *keys)
    assert str(raised.value) == f"{where}it is wrong"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\ny = z\n", "pyproject.toml:2: this is no TOML: Invalid value, column 5"),
        ("x = 1\ny = [\n", "pyproject.toml:2: this is no TOML: "),
        ("x = '\xe9'\n", "no text in UTF-8"),
    ],
)
def test_a_file_that_is_no_toml(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "pyproject.toml"
    file.write_text(text, "latin-1")
    with pytest.raises(ReleaseError) as raised:
        read_pyproject(file)
    assert message in str(raised.value)


def test_a_build_tells_the_line(builder: Builder, project: Path) -> None:
    pyproject = project / "pyproject.toml"
    text = pyproject.read_text("utf-8")
    pyproject.write_text(f"{text}\n[tool.hatch.build.targets.release]\nquiet = false\nstrp = true\n", "utf-8")
    line = len(text.splitlines()) + 4
    assert failure(builder.build(project)) == (
        f"pyproject.toml:{line}: tool.hatch.build.targets.release: unknown option 'strp', did you mean 'strip'?"
    )
