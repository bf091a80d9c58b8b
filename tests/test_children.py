"""Processes that a release starts without its launcher: they find its interpreter, its modules and its libraries."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from tests import interpreters, side_by_side

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder
    from tests.side_by_side import Pair

METHODS = ("fork", "forkserver", "spawn")
COMMANDS: dict[str, tuple[list[str], int]] = {
    "own": (["own"], 1),
    "module": (["module"], 1),
    "code": (["code"], 1),
    "script": (["script"], 1),
    **{f"multiprocessing-{method}": (["multiprocessing", method], 5) for method in METHODS},
    **{f"futures-{method}": (["futures", method], 4) for method in METHODS},
    "gunicorn": (["gunicorn"], 3),
    "uvicorn": (["uvicorn"], 2),
    "celery": (["celery"], 4),
}
"""By name: the arguments, and how many children have to tell something at least."""


@pytest.fixture(scope="module")
def children(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Pair:
    directory = tmp_path_factory.mktemp("children")
    return side_by_side.make("children", directory, builders[interpreters.running()])


ENDS = sorted({interpreters.available()[0], interpreters.available()[-1]} - {interpreters.running()})


@pytest.mark.long
@pytest.mark.parametrize("minor", ENDS)
def test_the_oldest_and_the_newest_python_find_the_release_too(
    builders: dict[str, Builder], tmp_path: Path, minor: str
) -> None:
    pair = side_by_side.make("children", tmp_path, builders[minor], minor=minor)
    for name in COMMANDS:
        assert all(seen["executable"].startswith(f"{pair.root}/python-{minor}") for seen in told(pair, name))


def told(pair: Pair, name: str, **environment: str) -> list[dict[str, Any]]:
    """What the children of one command saw in the release."""
    arguments, count = COMMANDS[name]
    done = pair.in_release(*arguments, **environment)
    assert done.returncode == 0, done.stdout + done.stderr
    seen: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(seen) >= count, done.stdout + done.stderr
    return seen


@pytest.mark.parametrize("name", COMMANDS)
def test_children_run_on_the_release_alone(children: Pair, name: str) -> None:
    lib = f"{children.root}/lib/"
    python = f"{children.root}/python-"
    for seen in told(children, name):
        assert [file for file in seen["modules"].values() if not file.startswith(lib)] == []
        assert seen["standard library"].startswith(python)
        assert seen["executable"].startswith(python)
        assert seen["prefix"].startswith(python)
        assert seen["version"] == "0.5.0"
        assert seen["steering"] == []
        assert seen["exit"]


@pytest.mark.parametrize("name", COMMANDS)
def test_children_see_what_they_see_in_a_venv(children: Pair, name: str) -> None:
    arguments, _ = COMMANDS[name]
    expected, seen = (
        [comparable(children.comparable(each)) for each in view] for view in children.reports(*arguments)
    )
    assert distinct(seen) == distinct(expected)


def comparable(seen: dict[str, Any]) -> dict[str, Any]:
    """What doesn't differ from run to run and place to place."""
    return {key: value for key, value in seen.items() if key not in {"pid", "parent", "executable", "prefix"}}


def distinct(views: list[dict[str, Any]]) -> list[str]:
    return sorted({json.dumps(view, sort_keys=True) for view in views})


@pytest.mark.parametrize("name", ["gunicorn", "uvicorn"])
def test_servers_have_two_workers(children: Pair, name: str) -> None:
    assert len({seen["pid"] for seen in told(children, name)}) >= 2


def test_gunicorn_has_a_new_master_after_sigusr2(children: Pair) -> None:
    assert len({seen["parent"] for seen in told(children, "gunicorn")}) == 2


@pytest.mark.parametrize(
    "name", ["own", "module", "multiprocessing-spawn", "multiprocessing-forkserver", "gunicorn"]
)
def test_a_hostile_library_path_changes_nothing(children: Pair, tmp_path: Path, name: str) -> None:
    # Files of the right names that no program can load. What the caller has set stays as it is.
    libraries = [path.name for path in children.root.glob("python-*/lib/*.so*")]
    assert libraries
    for library in libraries:
        (tmp_path / library).touch()
    lib = f"{children.root}/lib/"
    for seen in told(children, name, LD_LIBRARY_PATH=str(tmp_path)):
        assert seen["steering"] == ["LD_LIBRARY_PATH"]
        assert all(file.startswith(lib) for file in seen["modules"].values())


def test_the_interpreter_itself_finds_the_release(children: Pair) -> None:
    python = next(children.root.glob("python-*/bin/python3"))
    done = children.run(str(python), "-m", "children.main", "own")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)[0]["modules"]["click"].startswith(f"{children.root}/lib/")
    # As a virtual environment's own interpreter does, it lets the current directory in only where asked to.
    done = children.run(str(python), "-I", "-c", "import click, sys; print(click.__file__, '' in sys.path)")
    assert done.stdout.split()[-1] == "False", done.stderr


def test_a_child_with_the_options_of_its_parent_finds_the_release(children: Pair) -> None:
    # As joblib's loky, billiard and multiprocess start theirs, after the manner of multiprocessing.
    code = (
        "import subprocess, sys\n"
        "options = subprocess._args_from_interpreter_flags()\n"
        "subprocess.run([sys.executable, *options, '-c', 'import click; print(click.__file__)'], check=True)"
    )
    done = children.in_release(code, command="eval")
    assert done.stdout.startswith(f"{children.root}/lib/"), done.stderr


def test_a_sitecustomize_of_the_caller_runs_in_the_release(children: Pair, tmp_path: Path) -> None:
    # So do opentelemetry-instrument, ddtrace-run and newrelic-admin get into a program.
    (tmp_path / "sitecustomize.py").write_text("import click, sys; sys.agent = click.__file__")
    python = next(children.root.glob("python-*/bin/python3"))
    code = "import sys; print(sys.agent); print([entry for entry in sys.path if 'site-packages' in entry])"
    done = children.run(str(python), "-c", code, PYTHONPATH=str(tmp_path))
    assert done.stdout.startswith(f"{children.root}/lib/"), done.stderr
    assert done.stdout.endswith("\n[]\n")


@pytest.mark.parametrize("name", ["module", "multiprocessing-spawn", "multiprocessing-forkserver"])
def test_children_run_from_a_copy_elsewhere(children: Pair, tmp_path: Path, name: str) -> None:
    # The very files, not a link to them: nothing may remember where it was assembled.
    copy = tmp_path / "über raum"
    side_by_side.run_quietly("cp", "-a", str(children.root), str(copy))
    for seen in told(replace(children, root=copy), name):
        assert seen["executable"].startswith(f"{copy}/python-")
        assert all(file.startswith(f"{copy}/lib/") for file in seen["modules"].values())
