"""`hatch-release inspect --html`: one page that asks nothing of any other place, drawn by a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from hatch_release.inspection.imports import parse
from tests import interpreters
from tests.builds import configure
from tests.conftest import copy_fixture
from tests.test_commands import hatch_release

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

CHROMIUM = shutil.which("chromium") or ""
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
]


@pytest.fixture(scope="module")
def dist(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_fixture("cli", tmp_path_factory.mktemp("page"))
    configure(project, 'steps = ["assemble", "tar"]')
    builders[interpreters.running()].release(project)
    return project / "dist" / "release"


def written(source: Path, page: Path, *arguments: str) -> str:
    done = hatch_release("inspect", str(source), "--html", str(page), *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{page}\n", "")
    return page.read_text("utf-8")


def data_of(text: str) -> dict[str, Any]:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert found
    value: dict[str, Any] = json.loads(found[1])
    return value


def drawn(page: Path, directory: Path) -> str:
    """The page's document when its script has run, which must not have complained."""
    command = [
        CHROMIUM,
        *FLAGS,
        f"--user-data-dir={directory}",
        "--window-size=1280,1000",
        "--dump-dom",
        page.as_uri(),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert "CONSOLE" not in done.stderr
    return done.stdout


def flattened(imports: list[Any]) -> list[tuple[str, int, int]]:
    return [
        each for name, alone, whole, inner in imports for each in [(name, alone, whole), *flattened(inner)]
    ]


def test_the_page_of_a_directory(dist: Path, tmp_path: Path) -> None:
    text = written(dist / "cli", tmp_path / "page.html")
    assert not re.search(
        r"(src|href)=|@import|url\(|https?://", re.sub(r'<script type="application/json".*', "", text)
    )
    (version,) = data_of(text)["versions"]
    _, size, _, parts = version["tree"]
    assert size == version["size"] == sum(part[1] for part in parts)
    assert {part[0] for part in parts} == {part["name"] for part in version["parts"]}

    def check(node: list[Any]) -> None:
        if node[3]:
            assert node[1] == sum(child[1] for child in node[3])
            for child in node[3]:
                check(child)

    check(version["tree"])
    imports = flattened(version["imports"])
    names = [name for name, _, _ in imports]
    assert {"cli.main", "click", "rich.table"} <= set(names)
    assert all(alone <= whole for _, alone, whole in imports)
    assert version["imports_missing"] == ""


def test_the_page_of_an_archive_says_that_imports_are_not_known(dist: Path, tmp_path: Path) -> None:
    (archive,) = dist.glob("*.tar.zst")
    (version,) = data_of(written(archive, tmp_path / "page.html"))["versions"]
    assert version["imports"] == []
    assert version["imports_missing"].endswith("an archive is not run.")
    (left_alone,) = data_of(written(dist / "cli", tmp_path / "page.html", "--no-run"))["versions"]
    assert "--no-run" in left_alone["imports_missing"]


def test_a_release_that_does_not_run_here(dist: Path, tmp_path: Path) -> None:
    root = tmp_path / "broken"
    shutil.copytree(dist / "cli", root, symlinks=True)
    (module,) = (root / "lib").glob("cli-*/cli/main.pyc")
    module.write_bytes(b"")
    (python,) = root.glob("python-*/bin/python3")
    python.unlink()
    python.write_text("#!/bin/sh\necho 'GLIBC_9.9 not found' >&2\nexit 1\n")
    python.chmod(0o755)
    (version,) = data_of(written(root, tmp_path / "page.html"))["versions"]
    assert version["imports_missing"] == (
        "The release does not run on this machine (exit code 1): GLIBC_9.9 not found"
    )


def test_a_page_that_can_t_be_written(dist: Path, tmp_path: Path) -> None:
    done = hatch_release(
        "inspect", str(dist / "cli"), "--no-run", "--html", str(tmp_path / "no" / "page.html")
    )
    assert done.returncode == 1
    assert done.stderr == f"Error: {tmp_path}/no/page.html can't be written: No such file or directory\n"


def test_names_can_t_end_the_data(dist: Path, tmp_path: Path) -> None:
    root = tmp_path / "root"
    shutil.copytree(dist / "cli", root, symlinks=True)
    (root / "<script>alert(1)<script>").mkdir()
    (root / "<script>alert(1)<script>" / "<!--<script>").write_text("x" * 1_000_000)
    text = written(root, tmp_path / "page.html", "--no-run")
    assert "<script>alert" not in text
    assert any(part["name"] == "<script>alert(1)<script>" for part in data_of(text)["versions"][0]["parts"])


@pytest.mark.skipif(not CHROMIUM, reason="needs Chromium")
def test_a_browser_draws_it(dist: Path, tmp_path: Path) -> None:
    written(dist / "cli", tmp_path / "page.html")
    document = drawn(tmp_path / "page.html", tmp_path / "profile")
    boxes = re.findall(r'<button class="(?:file|group)[^>]*? title="([^"]+)"', document)
    assert any(box.startswith("Python ") for box in boxes)
    assert any(box.startswith("click ") for box in boxes)
    rows = re.findall(r'class="row[^>]*? title="([^"]+)"', document)
    assert any(row.startswith("cli.main: ") for row in rows)
    assert '<h1 id="title">cli 2.1.0</h1>' in document
    (archive,) = dist.glob("*.tar.zst")
    written(archive, tmp_path / "archive.html")
    document = drawn(tmp_path / "archive.html", tmp_path / "profile")
    assert (
        "Not available. Imports are measured by running the release, and an archive is not run." in document
    )


def test_lines_of_others_are_no_imports() -> None:
    text = """import time: self [us] | cumulative | imported package
import time:        10 |         10 |     inner
a warning of somebody
import time:         5 |         15 |   middle
import time:         7 |          7 |   second
import time:         1 |         23 | outer
import time:         2 |          2 | last
"""
    outer, last = parse(text).imports
    assert (outer.name, [each.name for each in outer.children], outer.children[0].children[0].name) == (
        "outer",
        ["middle", "second"],
        "inner",
    )
    assert (last.name, last.whole) == ("last", 2)
