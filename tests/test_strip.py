"""What the option `strip` means for each distribution, its files and its code."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path, PurePosixPath
from typing import Any

import pytest

from hatch_release.options.strip import KINDS, Strip
from hatch_release.units.bytecode import compile_tree
from hatch_release.units.stripping import strip_files
from tests import interpreters, test_elf

USUALLY = ("source", "tests", "symbols", "stubs", "headers")


# The policy


@pytest.mark.parametrize(
    ("option", "distribution", "dropped"),
    [
        (True, "any", USUALLY),
        (False, "any", ()),
        ({}, "python", USUALLY),
        ({"keep": ["source"]}, "python", USUALLY[1:]),
        ({"keep": ["source:Zope.Interface"]}, "zope-interface", USUALLY[1:]),
        ({"keep": ["source:zope.interface"]}, "zope", USUALLY),
        ({"keep": ["docstrings"]}, "any", USUALLY),
        ({"drop": ["asserts", "docstrings:numpy"]}, "numpy", (*USUALLY, "docstrings", "asserts")),
        ({"drop": ["asserts", "docstrings:numpy"]}, "other", (*USUALLY, "asserts")),
        # One distribution counts before all.
        ({"drop": ["docstrings"], "keep": ["docstrings:numpy"]}, "numpy", USUALLY),
        ({"keep": ["source"], "drop": ["source:numpy"]}, "numpy", USUALLY),
    ],
)
def test_what_one_distribution_loses(option: Any, distribution: str, dropped: tuple[str, ...]) -> None:  # noqa: ANN401 - as TOML gives it
    assert Strip.of(option).dropped(distribution) == dropped


def test_two_ways_of_writing_the_same_are_equal() -> None:
    one, other = (Strip.of({"keep": keep}) for keep in (["tests", "source:A.b"], ["source:a-b", "tests"]))
    assert (one, hash(one)) == (other, hash(other))


def test_a_distribution_that_is_not_there_is_told_with_the_nearest() -> None:
    strip = Strip.of({"keep": ["source:torhc", "tests", "source:python"], "drop": ["asserts:zzz"]})
    assert list(strip.warnings(["torch", "python"])) == [
        "strip: 'asserts:zzz' has no effect, the release holds no distribution 'zzz'",
        "strip: 'source:torhc' has no effect, the release holds no distribution 'torhc', did you mean 'torch'?",
    ]


# Files


@pytest.mark.parametrize(
    ("kept", "left"),
    [
        ([], {"fast.so", "data.json"}),
        (["stubs"], {"fast.so", "data.json", "fast.pyi"}),
        (["headers", "stubs"], {"fast.so", "data.json", "fast.pyi", "fast.h", "fast.pxd", "libfast.a"}),
    ],
)
def test_files_go_by_their_kind(tmp_path: Path, kept: list[str], left: set[str]) -> None:
    names = ("fast.so", "data.json", "fast.pyi", "fast.h", "fast.pxd", "libfast.a")
    for name in (*names, "other.pyi"):
        (tmp_path / name).touch()
    strip_files(tmp_path, map(PurePosixPath, names), Strip.of({"keep": kept}).dropped("fast"))
    # What another distribution has in the same directory is its own affair.
    assert {path.name for path in tmp_path.iterdir()} == {*left, "other.pyi"}


@pytest.mark.parametrize("kept", [True, False])
def test_symbols_stay_where_they_are_to(tmp_path: Path, kept: bool) -> None:  # noqa: FBT001 - a parameter of the test
    elf_file = test_elf.build(tmp_path / "fast.so")
    before = elf_file.stat().st_size
    strip = Strip.of({"keep": ["symbols:fast"] if kept else []})
    strip_files(tmp_path, [PurePosixPath("fast.so")], strip.dropped("fast"))
    assert (elf_file.stat().st_size == before) is kept


# Docstrings and asserts

SOURCE = '''"""A module."""

from __future__ import annotations


def empty():
    """Nothing else."""


def twice():
    """The docstring."""
    "Another string, which is none."
    return 1


class Thing:
    """A class."""

    async def method(self):
        """Of several

        lines."""
        def inner():
            """Inside."""
            raise ValueError
        inner()


class Bare(Thing):
    """Nothing but this."""


def checked():
    """Checks."""
    assert False, "checked"
    return __debug__
'''
ASK = """
import asyncio, sys, traceback
sys.path.insert(0, sys.argv[1])
import module as m
print(*(bool(each.__doc__) for each in (m, m.empty, m.twice, m.Thing, m.Thing.method, m.Bare, m.checked)))
print(m.empty(), m.twice())
try:
    asyncio.run(m.Thing().method())
except ValueError as error:
    print([line for _, line in traceback.walk_tb(error.__traceback__)][-2:])
try:
    print(m.checked())
except AssertionError as error:
    print("assertion:", error)
"""
SAME = ["None 1", "[26, 25]"]
EXPECTED = {
    (): [" ".join(["True"] * 7), *SAME, "assertion: checked"],
    ("docstrings",): [" ".join(["False"] * 7), *SAME, "assertion: checked"],
    ("asserts",): [" ".join(["True"] * 7), *SAME, "False"],
    ("docstrings", "asserts"): [" ".join(["False"] * 7), *SAME, "False"],
}


def compiled(directory: Path, python: Path, dropped: tuple[str, ...]) -> Path:
    """The module, compiled in a new directory."""
    directory.mkdir()
    source = directory / "module.py"
    source.write_text(SOURCE)
    assert compile_tree(directory, [source], python, dropped=lambda _: ("source", *dropped)) == {}
    return directory / "module.pyc"


@pytest.mark.parametrize("minor", interpreters.available())
@pytest.mark.parametrize("dropped", EXPECTED, ids="-".join)
def test_docstrings_and_asserts_go_one_by_one(tmp_path: Path, minor: str, dropped: tuple[str, ...]) -> None:
    python = interpreters.find(minor)
    assert python is not None
    first, second = (compiled(tmp_path / name, python, dropped) for name in ("first", "second"))
    assert first.read_bytes() == second.read_bytes()
    command = [str(python), "-I", "-c", ASK, str(first.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.splitlines(), done.stderr) == (EXPECTED[dropped], "")


def test_a_module_of_nothing_but_a_docstring(tmp_path: Path) -> None:
    (tmp_path / "module.py").write_text('"""A module."""\n')
    files = [tmp_path / "module.py"]
    assert (
        compile_tree(tmp_path, files, Path(sys.executable), dropped=lambda _: ("source", "docstrings")) == {}
    )


def test_code_that_is_too_deep_to_be_taken_apart_keeps_its_docstrings(tmp_path: Path) -> None:
    # 1000 is more than the `ast` module follows in some versions of Python, and less than the compiler does in all.
    (tmp_path / "deep.py").write_text('"""A module."""\nx = lambda y: ' + "+".join(["y"] * 1000) + "\n")
    assert compile_tree(tmp_path, [tmp_path / "deep.py"], Path(sys.executable), dropped=lambda _: KINDS) == {}
    assert (tmp_path / "deep.pyc").is_file()
