"""Releases with the default of the option `strip`, and with choices for single distributions."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.projects import clean_environment, run, write_project
from tests.wheels import locked, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

SHOP = '''"""The shop."""

import multiprocessing
import sys

import inspector


def main():
    """Fail here, in a child, or where a distribution looks for its own source."""
    if sys.argv[1:] == ["child"]:
        child = multiprocessing.get_context("spawn").Process(target=fail)
        child.start()
        child.join()
        return child.exitcode
    if sys.argv[1:] == ["inspect"]:
        return print(inspector.reveal())
    fail()


def fail():
    """Fail."""
    shelf = {}
    return shelf["jam"]  # sold out
'''
INSPECTOR = '''"""An inspector."""

import inspect


def reveal():
    """What it is made of."""
    assert not __debug__, "asserts are here"
    return inspect.getsource(reveal)
'''
PREPARED = '''"""Prepared for everything."""

import inspect
from inspect import getsource


def reveal(thing):
    try:
        return inspect.getsource(thing)
    except (OSError, TypeError):
        return ""


def all_the_same(thing):
    with open(__file__):
        try:
            return getsource(thing)
        except:
            return ""
'''
PYPROJECT = """
[project]
name = "shop"
version = "1.0"
dependencies = ["Inspector_General", "prepared"]
scripts = {{ shop = "shop:main" }}

[tool.hatch.build.targets.release]
strip = {strip}
"""
KEEP = '["source:shop", "source:Python", "stubs:inspector-general", "headers:inspector-general", "tests:prepared"]'
DROP = '["docstrings:inspector.general", "asserts", "asserts:inspecter"]'


def build(builder: Builder, directory: Path, strip: str) -> tuple[Path, list[str]]:
    """The release of a shop with two dependencies, and the warnings."""
    wheels = directory / "wheels"
    parts = {
        "{}/__init__.pyi": "",
        "{}/api.h": "",
        "{}/libapi.a": "",
        "{}/tests/__init__.py": "",
        "{}/tests/test_all.py": "import inspect\n\ndef test():\n    inspect.getsource(test)\n",
    }
    for name, package, source in (
        ("inspector_general", "inspector", INSPECTOR),
        ("prepared", "prepared", PREPARED),
    ):
        files = {file.format(package): text for file, text in parts.items()}
        make_wheel(wheels, name, files={f"{package}/__init__.py": source, **files})
    lock = "".join(locked(wheel.name.partition("-")[0], wheel) for wheel in sorted(wheels.iterdir()))
    project = write_project(
        directory / "shop",
        {
            "pyproject.toml": PYPROJECT.format(strip=strip),
            "requirements.lock": lock,
            "shop/__init__.py": SHOP,
            "shop/__main__.py": "import shop\n\nshop.fail()\n",
        },
    )
    done = builder.build(project)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("Warning: ")]
    return project / "dist" / "release" / "shop", told


@pytest.fixture(scope="module")
def usual(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A release with the default."""
    return build(builders[interpreters.running()], tmp_path_factory.mktemp("usual"), "true")


@pytest.fixture(scope="module")
def chosen(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A release with choices for single distributions."""
    strip = f"{{ keep = {KEEP}, drop = {DROP} }}"
    return build(builders[interpreters.running()], tmp_path_factory.mktemp("chosen"), strip)


def names_of(directory: Path) -> set[str]:
    """The files of a package, those of its dist-info and compiled code in `__pycache__` apart."""
    files = {path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()}
    return {name for name in files if ".dist-info/" not in name and "__pycache__/" not in name}


def test_by_default_only_what_runs_is_there(usual: tuple[Path, list[str]]) -> None:
    lib = usual[0] / "lib"
    assert names_of(lib / "shop-1.0") == {"shop/__init__.pyc", "shop/__main__.pyc"}
    assert names_of(lib / "inspector_general-1.0") == {"inspector/__init__.pyc"}
    assert names_of(lib / "prepared-1.0") == {"prepared/__init__.pyc"}


def test_each_distribution_has_what_was_chosen(chosen: tuple[Path, list[str]]) -> None:
    lib = chosen[0] / "lib"
    assert names_of(lib / "shop-1.0") == {"shop/__init__.py", "shop/__main__.py"}
    assert (lib / "shop-1.0" / "shop" / "__init__.py").read_text() == SHOP
    assert len(list(lib.glob("shop-1.0/shop/__pycache__/*.pyc"))) == 2
    inspector = {"inspector/__init__.pyc", "inspector/__init__.pyi", "inspector/api.h", "inspector/libapi.a"}
    assert names_of(lib / "inspector_general-1.0") == inspector
    prepared = {"prepared/__init__.pyc", "prepared/tests/__init__.pyc", "prepared/tests/test_all.pyc"}
    assert names_of(lib / "prepared-1.0") == prepared
    assert run(chosen[0] / "bin" / "shop", "verify").returncode == 0


def test_the_standard_library_has_its_sources_and_no_litter(chosen: tuple[Path, list[str]]) -> None:
    (library,) = chosen[0].glob("python-*/lib/python3.*")
    assert (library / "json" / "decoder.py").is_file()
    assert not list(library.rglob("test"))
    assert not (library / "wave.py").exists()
    # Compiled code in `__pycache__` is `NAME.TAG.pyc` (PEP 3147).
    sources = [
        path.parents[1] / f"{path.name.rsplit('.', 2)[0]}.py" for path in library.rglob("__pycache__/*.pyc")
    ]
    assert sources
    assert [path for path in sources if not path.is_file()] == []
    done = run(
        chosen[0] / "bin" / "shop", "eval", "import inspect, json; print(inspect.getsource(json.dumps))"
    )
    assert "def dumps(obj" in done.stdout, done.stderr


def test_who_needs_source_code_is_told_in_one_line(usual: tuple[Path, list[str]]) -> None:
    (line,) = usual[1]
    assert line == (
        "Warning: code that calls inspect.getsource is in inspector-general, and sources are dropped: if something "
        'fails with "could not get source code", set strip = { keep = ["source:inspector-general"] }, and name '
        "whatever they read"
    )


def test_a_distribution_that_is_not_in_the_release_is_told(chosen: tuple[Path, list[str]]) -> None:
    assert chosen[1][0] == (
        "Warning: strip: 'asserts:inspecter' has no effect, the release holds no distribution 'inspecter', "
        "did you mean 'inspector-general'?"
    )
    assert len(chosen[1]) == 2


FAILING: dict[str, list[str]] = {
    "start": ["bin/shop", "start"],
    "run": ["bin/shop", "run", "shop"],
    "eval": ["bin/shop", "eval", "shop.fail()"],
    "a child of multiprocessing": ["bin/shop", "start", "child"],
    "-m": ["python", "-m", "shop"],
    "the interpreter": ["python", "-c", "import shop; shop.fail()"],
}


def fails(root: Path, arguments: list[str], tmp_path: Path) -> list[str]:
    """What a command that fails writes, from another directory."""
    program, *rest = arguments
    launcher = next(root.glob("python-*/bin/python3")) if program == "python" else root / program
    done = run(launcher, *rest, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    return done.stderr.splitlines()


@pytest.mark.parametrize("name", FAILING)
def test_a_traceback_shows_the_line(chosen: tuple[Path, list[str]], tmp_path: Path, name: str) -> None:
    lines = fails(chosen[0], FAILING[name], tmp_path)
    place = lines.index(f'  File "{chosen[0]}/lib/shop-1.0/shop/__init__.py", line 24, in fail')
    assert lines[place + 1] == '    return shelf["jam"]  # sold out'


@pytest.mark.parametrize("name", FAILING)
def test_without_sources_it_shows_the_place(usual: tuple[Path, list[str]], tmp_path: Path, name: str) -> None:
    lines = fails(usual[0], FAILING[name], tmp_path)
    assert lines[-2:] == ['  File "lib/shop-1.0/shop/__init__.py", line 24, in fail', "KeyError: 'jam'"]


def test_what_reads_source_code_finds_it(chosen: tuple[Path, list[str]], tmp_path: Path) -> None:
    code = """
import inspect, linecache, shop
print(inspect.getsource(shop) == shop.__loader__.get_source("shop") == open(shop.__file__).read())
print(inspect.getsource(shop.fail).splitlines()[-1])
print(linecache.getline(shop.fail.__code__.co_filename, 23).strip())
"""
    done = run(chosen[0] / "bin" / "shop", "eval", code, cwd=tmp_path)
    assert done.stdout.splitlines() == ["True", '    return shelf["jam"]  # sold out', "shelf = {}"], (
        done.stderr
    )


def test_a_debugger_lists_it(chosen: tuple[Path, list[str]], tmp_path: Path) -> None:
    command = [str(chosen[0] / "bin" / "shop"), "eval", "import pdb; pdb.runcall(shop.fail)"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=clean_environment(),
        input="ll\nq\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert ' 24  \treturn shelf["jam"]  # sold out' in done.stdout.replace("    return", "return"), (
        done.stdout
    )


def test_what_is_dropped_is_gone_from_one_distribution_alone(
    chosen: tuple[Path, list[str]], tmp_path: Path
) -> None:
    code = "import inspector, prepared; print(inspector.__doc__, inspector.reveal.__doc__, prepared.__doc__)"
    done = run(chosen[0] / "bin" / "shop", "eval", code)
    assert done.stdout == "None None Prepared for everything.\n", done.stderr
    assert (
        fails(chosen[0], ["bin/shop", "start", "inspect"], tmp_path)[-1]
        == "OSError: could not get source code"
    )


def test_by_default_docstrings_and_asserts_stay(usual: tuple[Path, list[str]], tmp_path: Path) -> None:
    done = run(usual[0] / "bin" / "shop", "eval", "import inspector; print(inspector.__doc__)")
    assert done.stdout == "An inspector.\n"
    lines = fails(usual[0], ["bin/shop", "start", "inspect"], tmp_path)
    assert lines[-1] == "AssertionError: asserts are here"
