"""What is left out of a release, and how a user learns of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.conftest import copy_fixture
from tests.projects import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

ALWAYS = (
    "asyncio",
    "cProfile",
    "dis",
    "encodings.idna",
    "encodings.cp932",
    "inspect",
    "pdb",
    "pprint",
    "timeit",
)


@pytest.fixture(scope="module")
def release(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest fixture, whose code names `xml.dom` in a string behind a computed import."""
    from tests import interpreters  # noqa: PLC0415

    project = copy_fixture("hello", tmp_path_factory.mktemp("pruning"))
    (project / "hello" / "computed.py").write_text(
        "import importlib\n\ndef load(name='wave'):\n    return importlib.import_module(name)\n"
    )
    (project / "hello" / "tests").mkdir()
    (project / "hello" / "tests" / "__init__.py").write_text("import turtle\n")
    return builders[interpreters.running()].release(project)


def evaluate(release: Path, code: str) -> tuple[int, str, str]:
    done = run(release / "bin" / "hello", "eval", code)
    return done.returncode, done.stdout, done.stderr


def reasons(release: Path) -> dict[str, dict[str, str]]:
    text = (release / "releases" / "1.0.0" / "consolidated" / "stdlib.json").read_text()
    loaded: dict[str, dict[str, str]] = json.loads(text)
    return loaded


@pytest.mark.parametrize("name", ALWAYS)
def test_what_an_operator_types_stays(release: Path, name: str) -> None:
    assert evaluate(release, f"import {name}") == (0, "", "")


def test_each_module_says_why_it_is_in(release: Path) -> None:
    included = reasons(release)["included"]
    assert included["argparse"] == "hello.__main__"
    assert included["wave"] == "hello.computed"
    assert included["pdb"] == "an operator's shell"


def test_every_included_module_can_be_imported(release: Path) -> None:
    skipped = {"antigravity", "this", "idlelib", "__phello__"}
    names = [name for name in reasons(release)["included"] if name.partition(".")[0] not in skipped]
    code = (
        f"import importlib, sys\nfor name in {names!r}:\n"
        "    try: importlib.import_module(name)\n"
        "    except ModuleNotFoundError as error: print(name, error)\n"
        "    except Exception: pass\n"
    )
    status, output, _ = evaluate(release, code)
    # Only modules for other systems are named and not there: in a plain Python they are missing too.
    foreign = {
        "_winapi",
        "msvcrt",
        "winreg",
        "nt",
        "_scproxy",
        "_overlapped",
        "java",
        "vms_lib",
        "winsound",
        "org",
    }
    assert status == 0
    assert {line.split("'")[1].partition(".")[0] for line in output.splitlines()} <= foreign


def test_what_nothing_names_goes_and_is_told(release: Path) -> None:
    status, _, errors = evaluate(release, "import wsgiref")
    assert status == 1
    assert errors.splitlines()[-2:] == [
        "ModuleNotFoundError: No module named 'wsgiref'",
        "Hint: this release leaves wsgiref out, since nothing in it names it: add it to stdlib-include",
    ]
    assert not list(release.glob("python-*/lib/python*/wsgiref"))


def test_libraries_of_what_goes_go_too(release: Path) -> None:
    assert "_sqlite3" in reasons(release)["left out"]
    assert not list(release.glob("python-*/lib/libsqlite3*"))


def test_a_module_that_is_nowhere_has_no_hint(release: Path) -> None:
    assert evaluate(release, "import no_such_module")[2].splitlines()[-1].startswith("ModuleNotFoundError")


def test_tests_go_with_what_only_they_name(release: Path) -> None:
    assert not (release / "lib" / "hello-1.0.0" / "hello" / "tests").exists()
    assert "turtle" not in reasons(release)["included"]
