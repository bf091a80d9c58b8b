"""What `.pth` and `.start` files ask for: read as `site` reads them, and run at the start of a release."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hatch_release.tree.site_paths import SitePaths, read_site_paths
from tests.builds import replace
from tests.projects import Builder, run
from tests.trees import write_files
from tests.wheels import locked, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = "3.14.9", "3.15.0"
ONE, TWO = "lib/one-1", "lib/two-1"


def read(root: Path, version: str, files: dict[str, str]) -> SitePaths:
    write_files(root, {f"{ONE}/one.py": "", f"{TWO}/two.py": "", **files})
    return read_site_paths(root, [TWO, ONE], version)


def started(module: str, attribute: str) -> str:
    return f"import sys, {module}; sys.modules['{module}'].{attribute}()"


def test_directories_and_lines_of_pth_files_come_in_the_order_of_their_names(tmp_path: Path) -> None:
    files = {
        f"{TWO}/b.pth": "import b1\nextra\n/absolute\n../../../outside\nmissing\n",
        f"{ONE}/a.pth": "\ufeff# a comment\n\nimport a1; a1.go()\nmore\n",
        f"{ONE}/.hidden.pth": "import hidden\n",
        f"{ONE}/more/x.py": "",
        f"{TWO}/extra/y.py": "",
    }
    found = read(tmp_path, OLD, files)
    assert found.lines == [(ONE, "import a1; a1.go()"), (TWO, "import b1")]
    assert found.directories == [f"{ONE}/more", f"{TWO}/extra"]
    assert found.imports == {"a1", "b1"}


START = {
    f"{ONE}/a.pth": "import a1\nmore\n",
    f"{ONE}/c.pth": "  import c1\n",
    f"{ONE}/more/x.py": "",
    f"{ONE}/a.start": "\ufeff# a comment\n\n  one.sub:Class.go  \none:twice\none:twice\n",
    f"{TWO}/b.start": "two:begin\n",
    f"{TWO}/.d.start": "two:hidden\n",
}


def test_start_files_are_nothing_to_older_versions(tmp_path: Path) -> None:
    found = read(tmp_path, OLD, START)
    assert found.lines == [(ONE, "import a1")]
    assert (found.directories, found.wrong) == ([f"{ONE}/more"], [])


def test_start_files_come_last_and_replace_the_import_lines_of_their_name(tmp_path: Path) -> None:
    found = read(tmp_path, NEW, START)
    assert found.lines == [
        (ONE, "import c1"),
        (ONE, started("one.sub", "Class.go")),
        (ONE, started("one", "twice")),
        (ONE, started("one", "twice")),
        (TWO, started("two", "begin")),
    ]
    assert (found.directories, found.wrong) == ([f"{ONE}/more"], [])
    assert found.imports == {"c1", "one", "one.sub", "sys", "two"}


@pytest.mark.parametrize("text", ["", "# nothing\n"])
def test_an_empty_start_file_takes_the_import_lines_too(tmp_path: Path, text: str) -> None:
    found = read(tmp_path, NEW, {f"{ONE}/a.pth": "import a1\n", f"{TWO}/a.start": text})
    assert found.lines == []


@pytest.mark.parametrize(
    "name", ["one", "one:", ":go", "one go", "one:go()", "one.:go", "import one", "one:1"]
)
def test_what_is_no_entry_point_is_told(tmp_path: Path, name: str) -> None:
    found = read(tmp_path, NEW, {f"{ONE}/a.start": f"{name}\none:go\n"})
    assert found.wrong == [f"{ONE}/a.start names {name!r}, which is no 'module:callable': it is passed over"]
    assert found.lines == [(ONE, started("one", "go"))]


def test_a_start_file_that_is_not_utf_8_is_told(tmp_path: Path) -> None:
    write_files(tmp_path, {f"{ONE}/a.pth": "import a1\n"})
    (tmp_path / ONE / "a.start").write_bytes(b"one:\xff\n")
    found = read(tmp_path, NEW, {})
    assert found.wrong == [f"{ONE}/a.start is not UTF-8: it is passed over"]
    assert found.lines == [(ONE, "import a1")]


# What `x.start` of Python 3.15 becomes, written as a `.pth` file: the interpreters here are older.
LINES = [started("early.hooks", "Hooks.begin"), started("early.hooks", "fail"), started("early.hooks", "end")]
HOOKS = """
told = []
class Hooks:
    @staticmethod
    def begin():
        told.append("begin")
def fail():
    raise ValueError("not today")
def end():
    told.append("end")
"""


@pytest.fixture
def early(project: Path) -> Path:
    """A project that needs a distribution with start lines and an import of a module that nothing else names."""
    files = {
        "early/__init__.py": "hooks = 'not the module'\n",
        "early/hooks.py": HOOKS,
        "early.pth": "\n".join(["import wave; wave.open", *LINES, ""]),
    }
    wheel = make_wheel(project / "wheels", "early", files=files)
    (project / "requirements.lock").write_text(locked("early", wheel))
    return replace(project, "dependencies = []", 'dependencies = ["early"]')


def test_lines_run_at_the_start_of_a_release(builder: Builder, early: Path) -> None:
    root = builder.release(early)
    done = run(root / "bin" / "hello", "eval", "import sys; print(sys.modules['early.hooks'].told)")
    assert (done.returncode, done.stdout) == (0, "['begin', 'end']\n"), done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith("Error in a .pth or .start file of ")
    assert line.endswith("lib/early-1.0: ValueError: not today")
