"""`hatch-release inspect --html`: one page that asks nothing of any other place, drawn by a real browser."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from hatch_release.inspection.start import parse
from tests import interpreters
from tests.builds import configure
from tests.conftest import copy_fixture
from tests.test_commands import hatch_release

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_release.testing import ReleaseProject
    from tests.projects import Builder

CHROMIUM = shutil.which("chromium") or ""
BEGINNING = ["Interpreter", "Boot file and module index", "The system's own modules"]
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


def flattened(spans: list[Any]) -> list[tuple[str, int, int]]:
    return [
        each
        for name, alone, whole, inner, *_problem in spans
        for each in [(name, alone, whole), *flattened(inner)]
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
    imports = flattened(version["start"])
    names = [name for name, _, _ in imports]
    assert {"cli.main", "click", "rich.table"} <= set(names)
    assert all(alone <= whole for _, alone, whole in imports)
    assert version["start_missing"] == ""
    assert [each[0] for each in version["start"]] == [*BEGINNING, "Application cli"]
    assert all(each[2] > 0 for each in version["start"])


def test_the_page_of_an_archive_says_that_imports_are_not_known(dist: Path, tmp_path: Path) -> None:
    (archive,) = dist.glob("*.tar.zst")
    (version,) = data_of(written(archive, tmp_path / "page.html"))["versions"]
    assert version["start"] == []
    assert version["start_missing"].endswith("an archive is not run.")
    (left_alone,) = data_of(written(dist / "cli", tmp_path / "page.html", "--no-run"))["versions"]
    assert "--no-run" in left_alone["start_missing"]


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
    assert version["start_missing"] == (
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
    assert all(any(row.startswith(f"{phase}: ") for row in rows) for phase in (*BEGINNING, "Application cli"))
    assert ">Ready<" in document
    assert '<h1 id="title">cli 2.1.0</h1>' in document
    (archive,) = dist.glob("*.tar.zst")
    written(archive, tmp_path / "archive.html")
    document = drawn(tmp_path / "archive.html", tmp_path / "profile")
    assert (
        "Not available. The start is measured by running the release, and an archive is not run." in document
    )


@pytest.fixture(scope="module")
def configured(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release whose configuration is loaded at boot, by its file and six providers."""
    project = copy_fixture("configured", tmp_path_factory.mktemp("configured"))
    return builders[interpreters.running()].release(project)


def start_of(root: Path, page: Path) -> dict[str, list[Any]]:
    """The phases of a start by their names."""
    (version,) = data_of(written(root, page))["versions"]
    assert version["start_missing"] == ""
    return {each[0]: each for each in version["start"]}


def test_the_configuration_is_a_phase_with_its_providers(configured: Path, tmp_path: Path) -> None:
    start = start_of(configured, tmp_path / "page.html")
    assert list(start) == [*BEGINNING, "Configuration at boot", "Application configured"]
    providers = [each[0] for each in start["Configuration at boot"][3] if each[0].startswith("provider ")]
    names = ["runtime", "toml", "json", "dotenv", "env", "secrets", "configured.vault:Vault"]
    assert providers == [f"provider {name}" for name in names]
    assert "configured.report" in [each[0] for each in start["Application configured"][3]]


def test_a_configuration_that_needs_another_machine(configured: Path, tmp_path: Path) -> None:
    root = tmp_path / "configured"
    shutil.copytree(configured, root, symlinks=True)
    with (root / "releases" / "1.0.0" / "runtime.py").open("a", encoding="utf-8") as stream:
        stream.write("\nimport os\nos.environ['NO_SUCH_DATABASE']\n")
    start = start_of(root, tmp_path / "page.html")
    assert "failed with KeyError: 'NO_SUCH_DATABASE'" in start["Configuration at boot"][4]
    assert start["Application configured"][2] > 0


def test_applications_that_can_t_be_imported_here(release_project: ReleaseProject, tmp_path: Path) -> None:
    release_project.write({"sample.py": "import no_such_library\n"}).configure("check = false")
    start = start_of(release_project.build().root, tmp_path / "page.html")
    assert start["Application sample"][4] == "ModuleNotFoundError: No module named 'no_such_library'"


def test_lines_of_others_are_no_imports() -> None:
    text = """import time: self [us] | cumulative | imported package
import time:        10 |         10 |     inner
a warning of somebody
import time:         5 |         15 |   middle
import time:         7 |          7 |   second
import time:         1 |         23 | outer
hatch-release phase\tsystem\t\t5000
import time:         2 |          2 | last
hatch-release phase\tready\t\t9000
"""
    first, second = parse(text)
    assert (first.kind, second.kind, second.nanoseconds) == ("system", "ready", 9000)
    (outer,), (last,) = first.before, second.before
    assert (outer.name, [each.name for each in outer.parts], outer.parts[0].parts[0].name) == (
        "outer",
        ["middle", "second"],
        "inner",
    )
    assert (last.name, last.whole) == ("last", 2)
