"""Modules that compiled code names: C, Cython with every way to store strings, strings without anything between."""

from __future__ import annotations

import json
import shutil
import subprocess
import sysconfig
from typing import TYPE_CHECKING

import pytest

from hatch_release.imports.compiled import spelt, unpack_lzss
from tests.builds import replace
from tests.wheels import locked, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

GCC = shutil.which("gcc")
needs_compiler = pytest.mark.skipif(GCC is None, reason="needs a compiler")
NAMES = (
    "_json",
    "colorsys",
    "csv",
    "sched",
    "wave",
    "xml.etree.ElementTree",
    "zoneinfo",
    "zoneinfo._zoneinfo",
)

CYTHON = '''
"""What follows is long enough to be worth compressing, as the documentation of functions is.

    The parameters are returned, returned again, and the parameters of the parameters are documented.
    The parameters are returned, returned again, and the parameters of the parameters are documented.
"""
from zoneinfo._zoneinfo import ZoneInfo

def to_json(parameters):
    """The parameters are returned, returned again, and documented."""
    import colorsys
    import xml.etree.ElementTree as trees
    return trees.fromstring(parameters), colorsys.rgb_to_hls, ZoneInfo
'''


def compile_c(source: Path, target: Path, *options: str) -> Path:
    """Make a shared library."""
    include = sysconfig.get_paths()["include"]
    command = [
        GCC or "gcc",
        "-shared",
        "-fPIC",
        "-O1",
        f"-I{include}",
        *options,
        str(source),
        "-o",
        str(target),
    ]
    subprocess.run(command, check=True)
    return target


@pytest.fixture(scope="module")
def translated(tmp_path_factory: pytest.TempPathFactory, uv: str) -> Path:
    """A module that Cython has made C of."""
    directory = tmp_path_factory.mktemp("cython")
    source = directory / "example.pyx"
    source.write_text(CYTHON)
    command = [uv, "tool", "run", "--from", "cython>=3.1", "cython", "-3", str(source)]
    subprocess.run(command, check=True, capture_output=True)
    return source.with_suffix(".c")


@needs_compiler
@pytest.mark.parametrize("compression", ["0", "1", "2", "90"], ids=["none", "zlib", "bzip2", "LZSS"])
def test_the_strings_of_cython_modules_are_read(translated: Path, tmp_path: Path, compression: str) -> None:
    module = compile_c(translated, tmp_path / "example.so", f"-DCYTHON_COMPRESS_STRINGS={compression}")
    found = spelt(module, NAMES)
    assert found == {"colorsys", "xml.etree.ElementTree", "zoneinfo", "zoneinfo._zoneinfo"}


C = """
#include <stdio.h>
const char *alone = "wave";
const char *attribute = "module.sched";
const char together[] = {'t','o','_','j','s','o','n','c','o','l','o','r','s','y','s','c','s','v','x'};
int main(void) { puts("loading zoneinfo"); return 0; }
"""


@needs_compiler
def test_names_in_c_stand_alone(tmp_path: Path) -> None:
    (tmp_path / "one.c").write_text(C)
    module = compile_c(tmp_path / "one.c", tmp_path / "one.so")
    assert spelt(module, NAMES, only_c=True) == {"wave", "zoneinfo"}
    # Elsewhere a name may be inside of others; one of few letters, or of a private module, would be everywhere.
    assert spelt(module, NAMES) == {"wave", "zoneinfo", "colorsys", "sched"}


def test_what_is_no_elf_file_is_read_as_a_whole(tmp_path: Path) -> None:
    (tmp_path / "mach.so").write_bytes(b"\xcf\xfa\xed\xfe\x00wave\x00\x01zoneinfocolorsys")
    (tmp_path / "damaged.so").write_bytes(b"\x7fELF\x00wave\x00")
    assert spelt(tmp_path / "mach.so", NAMES) == {"wave", "zoneinfo", "colorsys"}
    assert spelt(tmp_path / "damaged.so", NAMES) == {"wave"}


@pytest.mark.parametrize(
    ("packed", "text"),
    [
        (b"\xffabcdefgh\x00", b"abcdefgh"),  # ends within the file, by a copy that nothing is left of
        (b"\x07abc\x00\x00\x01\x02", b"abcabcbcabc"[:6]),
        (b"\x0fabcd\x01\x00", b"abcdabc"),
        (b"\xffabcdefg\x01", b"abcdefg"),  # no text any more
        (b"\x00\x05\x05", b""),  # refers to what is before the beginning
    ],
)
def test_packed_text_is_read_up_to_where_it_ends(packed: bytes, text: bytes) -> None:
    assert unpack_lzss(packed, 0)[: len(text)] == text


HELPER = """
extern void *PyImport_ImportModule(const char *);
void *help(void) { return PyImport_ImportModule("wave"); }
"""


@needs_compiler
def test_a_library_that_imports_is_read_too(builder: Builder, project: Path, tmp_path: Path) -> None:
    (tmp_path / "helper.c").write_text(HELPER)
    files: dict[str, str | bytes] = {"helper/__init__.py": ""}
    files["helper/lib/libhelper.so.1"] = compile_c(tmp_path / "helper.c", tmp_path / "helper.so").read_bytes()
    wheel = make_wheel(project / "wheels", "helper", files=files)
    (project / "requirements.lock").write_text(locked("helper", wheel))
    replace(project, "dependencies = []", 'dependencies = ["helper"]')
    root = builder.release(project)
    reasons = json.loads(next(root.glob("releases/*/consolidated/stdlib.json")).read_text())
    assert reasons["included"]["wave"] == "helper/lib/libhelper.so.1"
