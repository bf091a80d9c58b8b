from __future__ import annotations

import os
import platform
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from hatch_release.binaries import elf
from hatch_release.errors import ReleaseError
from hatch_release.interpreter.facts import Interpreter, probe

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="ELF is Linux's format")

ALLOC = 2
PROGBITS, SYMTAB, STRTAB, RELA, NOBITS = 1, 2, 3, 4, 8
DYN, REL = 3, 1
CODE = b"\x90" * 40


class Section(NamedTuple):
    name: str
    flags: int = 0
    kind: int = PROGBITS
    data: bytes = b""
    link: int = 0
    info: int = 0


USUAL = (
    Section(".text", ALLOC, data=CODE),
    Section(".rela.plt", ALLOC, RELA, b"r" * 24, link=6, info=5),
    Section(".bss", ALLOC, NOBITS, b"b" * 64),
    Section(".comment", data=b"GCC: (GNU) 13\0"),
    Section(".debug_info", data=b"d" * 500),
    Section(".symtab", 0, SYMTAB, b"s" * 48, link=7),
    Section(".strtab", 0, STRTAB, b"\0main\0"),
)


def build(  # noqa: PLR0913 - the four by name are what a file's header declares
    path: Path,
    sections: Sequence[Section] = USUAL,
    *,
    bits: int = 64,
    order: str = "<",
    machine: int = 62,
    kind: int = DYN,
) -> Path:
    """Write an ELF file with these sections: one segment over the header and what is allocated."""
    wide = bits == 64
    word = "Q" if wide else "I"
    header = struct.Struct(f"{order}HHI{word * 3}I6H")
    row = struct.Struct(f"{order}II{word * 4}II{word * 2}")
    segment = struct.Struct(f"{order}II{word * 6}" if wide else f"{order}8I")
    sections = [*sections, Section(".shstrtab", 0, STRTAB)]
    names = b"\0" + b"".join(section.name.encode() + b"\0" for section in sections)
    content, rows, loaded = b"", [row.pack(*[0] * 10)], 0
    start = 16 + header.size + segment.size
    for section in sections:
        data = names if section.name == ".shstrtab" else section.data
        place = names.index(b"\0" + section.name.encode() + b"\0") + 1
        offset = start + len(content)
        entry = {RELA: 24 if wide else 12, SYMTAB: 24 if wide else 16}.get(section.kind, 0)
        fields = (section.kind, section.flags, 0, offset, len(data), section.link, section.info, 1, entry)
        rows.append(row.pack(place, *fields))
        content += b"" if section.kind == NOBITS else data
        if section.flags & ALLOC:
            loaded = start + len(content)
    size = start + len(content)
    span = (1, 5, 0, 0, 0, loaded, loaded, 4096) if wide else (1, 0, 0, 0, loaded, loaded, 5, 4096)
    ident = b"\x7fELF" + bytes((2 if wide else 1, 1 if order == "<" else 2, 1)) + bytes(9)
    counts = (16 + header.size, segment.size, 1, row.size, len(rows), len(rows) - 1)
    head = header.pack(kind, machine, 1, 0, 16 + header.size, size, 0, *counts)
    path.write_bytes(ident + head + segment.pack(*span) + content + b"".join(rows))
    return path


def section_names(path: Path) -> list[str]:
    with path.open("rb") as stream:
        return [section.name for section in ELFFile(stream).iter_sections()]


@pytest.fixture(scope="module")
def interpreter() -> Interpreter:
    return probe()


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("bits", [32, 64])
@pytest.mark.parametrize("machine", [62, 183], ids=["x86_64", "aarch64"])
def test_strip_keeps_what_is_loaded_and_nothing_else(
    tmp_path: Path, bits: int, order: str, machine: int
) -> None:
    path = build(tmp_path / "lib.so", bits=bits, order=order, machine=machine)
    path.chmod(0o751)
    before = path.read_bytes()
    saved = elf.strip(path)
    after = path.read_bytes()
    assert saved == len(before) - len(after) > 0
    assert section_names(path) == ["", ".text", ".rela.plt", ".bss", ".shstrtab"]
    assert path.stat().st_mode & 0o777 == 0o751
    assert b"ddd" not in after
    with path.open("rb") as stream:
        file = ELFFile(stream)
        text, relocations = (file.get_section(number) for number in (1, 2))
        assert text.data() == CODE
        assert (relocations["sh_link"], relocations["sh_info"]) == (0, 0)
        (segment,) = file.iter_segments()
        end = segment["p_filesz"]
    header = 16 + struct.calcsize("=HHIQQQI6H" if bits == 64 else "=HHIIIII6H")
    assert after[header:end] == before[header:end]


def test_strip_gives_the_same_bytes_each_time_and_none_the_second_time(tmp_path: Path) -> None:
    one, other = build(tmp_path / "one.so"), build(tmp_path / "other.so")
    elf.strip(one)
    elf.strip(other)
    assert one.read_bytes() == other.read_bytes()
    assert elf.strip(one) == 0
    assert one.read_bytes() == other.read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.so", "other.so"]


def test_strip_leaves_hard_links_of_the_file_alone(tmp_path: Path) -> None:
    path, cached = build(tmp_path / "lib.so"), tmp_path / "cached.so"
    cached.hardlink_to(path)
    before = cached.read_bytes()
    assert elf.strip(path)
    assert cached.read_bytes() == before


def _appended(path: Path) -> Path:
    build(path).write_bytes(build(path).read_bytes() + b"PK\x03\x04 an archive that the program opens")
    return path


def _cut_short(path: Path) -> Path:
    build(path).write_bytes(build(path).read_bytes()[:-30])
    return path


def _text(path: Path) -> Path:
    path.write_text("#!/bin/sh\n")
    return path


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(_appended, id="data behind the last section"),
        pytest.param(_cut_short, id="cut short"),
        pytest.param(_text, id="no ELF file"),
        pytest.param(lambda path: build(path, kind=REL), id="an object file"),
        pytest.param(
            lambda path: build(path, [*USUAL, Section("pydata", data=b"a" * 99)]), id="unknown section"
        ),
        pytest.param(lambda path: build(path, [*USUAL, Section(".data", ALLOC, data=b"d")]), id="mixed"),
    ],
)
def test_strip_leaves_a_file_of_unusual_layout_as_it_is(tmp_path: Path, make: object) -> None:
    assert callable(make)
    path = make(tmp_path / "file")
    before = path.read_bytes()
    assert elf.strip(path) == 0
    assert path.read_bytes() == before


def test_a_stripped_interpreter_with_a_new_search_path_runs(tmp_path: Path, interpreter: Interpreter) -> None:
    program = tmp_path / "python3"
    shutil.copy(interpreter.executable, program)
    elf.strip(program)
    elf.set_rpath(program, f"{interpreter.prefix}/lib")
    environment = {**os.environ, "PYTHONHOME": str(interpreter.prefix)}
    code = "import math; print(math.factorial(5))"
    done = subprocess.run([program, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "120\n"
    assert not {".symtab", ".debug_info"} & set(section_names(program))


def test_set_rpath_writes_one_rpath_and_no_runpath(tmp_path: Path, interpreter: Interpreter) -> None:
    program = tmp_path / "python3"
    shutil.copy(interpreter.executable, program)
    for rpath in ("$ORIGIN/a/very/long/way/to/somewhere/that/does/not/fit/the/old/place", "$ORIGIN/../lib"):
        elf.set_rpath(program, rpath)
        with program.open("rb") as stream:
            dynamic = [part for part in ELFFile(stream).iter_segments() if isinstance(part, DynamicSegment)]
            tags = [tag for part in dynamic for tag in part.iter_tags() if "PATH" in str(tag.entry.d_tag)]
            assert [(tag.entry.d_tag, vars(tag).get("rpath")) for tag in tags] == [("DT_RPATH", rpath)]
    assert elf.linkage(program).directories(Path("/a/bin")) == [Path("/a/lib")]


def test_set_rpath_says_what_patchelf_says(tmp_path: Path) -> None:
    good, bad = build(tmp_path / "good.so"), _text(tmp_path / "bad.so")
    with pytest.raises(ReleaseError, match=r"bad\.so: .*ELF"):
        elf.set_rpaths([bad, good], "$ORIGIN")


def test_needed_and_soname_of_the_interpreter(interpreter: Interpreter) -> None:
    assert any(name.startswith(("libc.so", "libc.musl")) for name in elf.needed(interpreter.executable))
    assert elf.soname(interpreter.executable) is None
    assert elf.machine(interpreter.executable)[1] == (64 if sys.maxsize > 1 << 32 else 32)


def test_is_elf_takes_neither_links_nor_directories_nor_text(tmp_path: Path) -> None:
    program = build(tmp_path / "program")
    link = tmp_path / "link"
    link.symlink_to(program)
    assert elf.is_elf(program)
    assert not any(map(elf.is_elf, [link, tmp_path, _text(tmp_path / "text"), tmp_path / "absent"]))


def test_a_damaged_file_is_one_clear_line(tmp_path: Path) -> None:
    path = tmp_path / "lib.so"
    path.write_bytes(build(path).read_bytes()[:40])
    with pytest.raises(ReleaseError) as raised:
        elf.needed(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="versions of glibc")
def test_glibc_floor_is_the_newest_version_that_any_file_names(interpreter: Interpreter) -> None:
    files = [interpreter.executable]
    if interpreter.dynload:
        files += sorted(interpreter.dynload.glob("*.so"))[:5]
    # In these few files the version names are strings that nothing else looks like.
    texts = [re.findall(rb"\0GLIBC_(\d+)\.(\d+)(?=[.\d]*\0)", path.read_bytes()) for path in files]
    newest = max((int(major), int(minor)) for text in texts for major, minor in text)
    assert elf.glibc_floor(files) == f"{newest[0]}.{newest[1]}"


def test_glibc_floor_of_nothing_is_none(tmp_path: Path) -> None:
    assert elf.glibc_floor([]) is None
    assert elf.glibc_floor([build(tmp_path / "static")]) is None
