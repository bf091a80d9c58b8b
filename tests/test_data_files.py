"""Data files that wheels put into the prefix of an environment: a release has them where programs look."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from hatch_release.units.data_files import move_data_files
from hatch_release.units.kept_sources import kept_sources
from tests import interpreters
from tests.projects import run, write_project
from tests.trees import write_files

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


def test_what_may_be_copied_read_or_run_is_told_from_modules(tmp_path: Path) -> None:
    modules = {
        "kit/__init__.py": "open(DIRECTORY + '/settings.py')\nprint('worker.py')\n",
        "kit/commands/__init__.py": "print('top.py', 'one.py', 'worker.py.bak')",
        "kit/commands/new.py": "",
        "kit/one.py": "print('config-{}.py'.format(3))",
        "space/part/unicode-13.py": "",
        "space/part/__init__.py": "print('__init__.py')",
        "space/part/settings.py": "",
        "top.py": "",
    }
    kept = (
        "kit/commands/more/late.py",
        "kit/config-3.py",
        "kit/jobs/worker.py",
        "kit/settings.py",
        "kit/templates/env.py",
        "kit/templates/project/module/__init__.py",
    )
    write_files(tmp_path, {**modules, **dict.fromkeys(kept, ""), "kit/jobs/__init__.py": ""})
    assert kept_sources(tmp_path.rglob("*.py"), tmp_path) == {tmp_path / name for name in kept}


KIT = {
    "pyproject.toml": '[project]\nname = "kit"\nversion = "1.0"\n\n[project.scripts]\nkit = "kit:main"\n',
    "kit/__init__.py": """
import shutil
import sys
from pathlib import Path

from kit.plugins import late

# As OpenCV reads its configuration.
exec((Path(__file__).parent / "settings.py").read_text())


def main():
    shutil.copytree(Path(__file__).parent / "templates", sys.argv[1], ignore=shutil.ignore_patterns("__pycache__"))
    print(late.NAME, COLOUR)
""",
    "kit/settings.py": "COLOUR = 'blue'\n",
    "kit/templates/app/__init__.py": "",
    "kit/templates/app/{name}.py": "class {name}: pass\n",
    "kit/templates/env.py": "TARGET = None  # to be filled in\n",
    "kit/plugins/late.py": "NAME = __name__\n",
}


def test_templates_in_python_are_copied_as_they_are(builders: dict[str, Builder], tmp_path: Path) -> None:
    root = builders[interpreters.running()].release(write_project(tmp_path / "kit", KIT))
    done = run(root / "bin" / "kit", "start", str(tmp_path / "new"))
    assert (done.returncode, done.stdout) == (0, "kit.plugins.late blue\n"), done.stderr
    templates = {name: text for name, text in KIT.items() if name.startswith("kit/templates/")}
    assert {
        f"kit/templates/{path.relative_to(tmp_path / 'new').as_posix()}": path.read_text()
        for path in (tmp_path / "new").rglob("*")
        if path.is_file()
    } == templates
    assert not list(root.glob("lib/kit-1.0/kit/__init__.py"))
    assert run(root / "bin" / "kit", "verify").returncode == 0
