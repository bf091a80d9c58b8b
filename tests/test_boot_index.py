"""The module index says of every name what Python's own search would find."""

from __future__ import annotations

import importlib.machinery
from typing import TYPE_CHECKING

import pytest

from hatch_release.tree.boot_index import ModuleFile, ModuleIndex, suffixes_of

if TYPE_CHECKING:
    from pathlib import Path

NATIVE = importlib.machinery.EXTENSION_SUFFIXES
SUFFIXES = suffixes_of(NATIVE)


def index_of(root: Path, *directories: str, skip: frozenset[str] = frozenset()) -> ModuleIndex:
    index = ModuleIndex()
    for directory in directories:
        index.add_directory(root, directory, SUFFIXES, skip=skip)
    return index


def write(root: Path, *files: str) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).touch()


def test_modules_packages_and_namespaces(tmp_path: Path) -> None:
    write(
        tmp_path, "lib/a/top.pyc", "lib/a/pkg/__init__.pyc", "lib/a/pkg/deep/mod.pyc", "lib/a/space/part.pyc"
    )
    found = {name: module.path(name) for name, module in index_of(tmp_path, "lib/a").modules.items()}
    assert found == {
        "top": "lib/a/top.pyc",
        "pkg": "lib/a/pkg/__init__.pyc",
        "pkg.deep.mod": "lib/a/pkg/deep/mod.pyc",
        "space.part": "lib/a/space/part.pyc",
    }


@pytest.mark.parametrize(
    "files",
    [
        ("m.pyc", "m.py"),
        ("m.py", f"m{NATIVE[0]}"),
        (f"m{NATIVE[-1]}", f"m{NATIVE[0]}"),
        ("m.py", "m/__init__.pyc"),
        (f"m{NATIVE[0]}", "m/__init__.pyc", "m/__init__.py"),
        ("m/__init__.pyc", f"m/__init__{NATIVE[0]}"),
        ("m.py", "m/data.txt"),
    ],
)
def test_the_file_is_the_one_that_python_takes(tmp_path: Path, files: tuple[str, ...]) -> None:
    write(tmp_path, *(f"lib/{file}" for file in files))
    spec = importlib.machinery.PathFinder.find_spec("m", [str(tmp_path / "lib")])
    assert spec is not None
    assert spec.origin == str(tmp_path / index_of(tmp_path, "lib").modules["m"].path("m"))


def test_the_first_directory_wins(tmp_path: Path) -> None:
    write(tmp_path, "a/one.pyc", "b/one.pyc", "b/two.pyc")
    modules = index_of(tmp_path, "a", "b").modules
    assert modules == {"one": ModuleFile("a", ".pyc"), "two": ModuleFile("b", ".pyc")}


def test_what_is_no_module(tmp_path: Path) -> None:
    write(
        tmp_path,
        "lib/__pycache__/m.cpython-311.pyc",
        "lib/with-dash.py",
        "lib/demo-1.0.dist-info/top.py",
        "lib/data.json",
        "lib/m.cpython-27-other.so",
        "lib/1st.py",
        "lib/__init__.py",
        "lib/frozen.py",
    )
    assert index_of(tmp_path, "lib", skip=frozenset({"frozen"})).modules == {}
