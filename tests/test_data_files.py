"""Data files that wheels put into the prefix of an environment: a release has them where programs look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hatch_release.units.data_files import move_data_files
from tests import interpreters
from tests.projects import run, write_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

PROJECT = """
[project]
name = "themed"
version = "1.0"

[project.scripts]
themed = "themed:main"

[tool.hatch.build.targets.wheel.shared-data]
"assets" = "share/themed"
"settings.json" = "etc/themed/settings.json"
"""
MODULE = """
import json
import sys
from importlib.metadata import files
from pathlib import Path


def main():
    prefix = Path(sys.prefix)
    data = {path: (prefix / path).read_text() for path in sys.argv[1:]}
    listed = sorted(str(each.locate().resolve().relative_to(prefix)) for each in files("themed") if ".." in each.parts)
    print(json.dumps({"data": data, "listed": listed, "missing": [str(f) for f in files("themed") if not f.locate().is_file()]}))
"""  # noqa: E501
DATA = {
    "etc/themed/settings.json": "{}",
    "share/themed/dark/style.css": "dark",
    "share/themed/macro.py": "x = 1\n",
}


@pytest.fixture(scope="module")
def themed(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    files = {
        "pyproject.toml": PROJECT,
        "themed/__init__.py": MODULE,
        "assets/dark/style.css": "dark",
        "assets/macro.py": "x = 1\n",
        "settings.json": "{}",
    }
    project = write_project(tmp_path_factory.mktemp("data") / "themed", files)
    return builders[interpreters.running()].release(project)


def test_data_files_are_below_the_prefix(themed: Path) -> None:
    done = run(themed / "bin" / "themed", "start", *DATA)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen == {"data": DATA, "listed": sorted(DATA), "missing": []}
    assert run(themed / "bin" / "themed", "verify").returncode == 0
    assert sorted(path.name for path in (themed / "lib" / "themed-1.0").iterdir()) == [
        "themed",
        "themed-1.0.dist-info",
    ]


def test_a_package_called_share_stays(tmp_path: Path) -> None:
    for name in ("lib/a/share/__init__.pyc", "lib/b/share/b.txt", "lib/c/etc/c.txt", "python/share/own.txt"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
    move_data_files(tmp_path, ["lib/a", "lib/b", "lib/c"], "python")
    moved = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert moved == [
        "lib/a/share/__init__.pyc",
        "python/etc/c.txt",
        "python/share/b.txt",
        "python/share/own.txt",
    ]
    assert list((tmp_path / "lib" / "b").iterdir()) == []
