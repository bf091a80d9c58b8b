"""Symbol tables and debugging sections: what an ELF file carries and nothing reads when it runs.

A small `strip`, so that assembling needs no binutils and treats a file for another processor like one
for this machine. It only ever shortens a file: everything up to the last byte that a segment or an
allocated section covers stays where it is; behind it come a new section name table and a new section
header table. A file that is laid out in any other way is left as it is.

Layout: System V ABI, chapter 4 (Object Files).
"""

from __future__ import annotations

import os
import shutil
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

MAGIC = b"\x7fELF"
_IDENT_SIZE = 16
_SHF_ALLOC = 0x2
_SHF_INFO_LINK = 0x40
_SHT_STRTAB = 3
_SHT_NOBITS = 8
_RELOCATIONS = (4, 9)  # SHT_RELA, SHT_REL: their sh_info is a section
_LOADABLE = (2, 3)  # ET_EXEC, ET_DYN

# Sections by other names may be data that a program reads from its own file (PyInstaller's `pydata`).
_UNREAD = (
    ".annobin",
    ".comment",
    ".debug_",
    ".gdb_index",
    ".gnu.build.attributes",
    ".gnu.lto_",
    ".gnu_debug",
    ".note.bolt_info",
    ".note.stapsdt",
    ".shstrtab",
    ".stab",
    ".strtab",
    ".symtab",
    ".zdebug_",
)


class _Header(NamedTuple):
    """What follows `e_ident` in the file header."""

    kind: int
    machine: int
    version: int
    entry: int
    segments_at: int
    sections_at: int
    flags: int
    size: int
    segment_size: int
    segment_count: int
    section_size: int
    section_count: int
    names_index: int


class _Section(NamedTuple):
    """One section header."""

    name: int
    kind: int
    flags: int
    address: int
    offset: int
    size: int
    link: int
    info: int
    alignment: int
    entry_size: int

    @property
    def end(self) -> int:
        """Where it ends in the file."""
        return self.offset + (0 if self.kind == _SHT_NOBITS else self.size)


@dataclass(frozen=True)
class _Format:
    """How the tables of one word size and byte order are packed."""

    header: struct.Struct
    section: struct.Struct
    segment: struct.Struct
    segment_span: tuple[int, int]
    """Indices of a segment's offset and size in the file."""

    @classmethod
    def of(cls, ident: bytes) -> _Format | None:
        """The format that `e_ident` declares; None for one that isn't defined."""
        order = {1: "<", 2: ">"}.get(ident[5])
        if order is None or ident[4] not in {1, 2}:
            return None
        wide = ident[4] == 2  # noqa: PLR2004 - ELFCLASS64
        word = "Q" if wide else "I"
        return cls(
            struct.Struct(f"{order}HHI{word * 3}I6H"),
            struct.Struct(f"{order}II{word * 4}II{word * 2}"),
            struct.Struct(f"{order}II{word * 6}" if wide else f"{order}8I"),
            (2, 5) if wide else (1, 4),
        )


@dataclass(frozen=True)
class _Tables:
    """The tables of one file."""

    format: _Format
    header: _Header
    sections: tuple[_Section, ...]
    names: bytes
    segments_end: int
    """Where the last byte is that a segment, the file header or the segment table covers."""

    def name(self, section: _Section) -> bytes:
        """The name of `section`."""
        return self.names[section.name :].partition(b"\0")[0]


def strip(path: Path) -> int:
    """Cut the sections off an ELF file that nothing reads when it runs; give the bytes saved.

    The file is replaced in one step and keeps its mode; a hard link to it elsewhere keeps the old content.
    One whose layout isn't the usual one stays untouched, which gives 0.
    """
    with path.open("rb") as stream:
        tables = _read(stream)
        kept = _kept(tables, os.fstat(stream.fileno()).st_size) if tables else 0
        if not tables or not kept:
            return 0
        end = max(tables.segments_end, *(section.end for section in tables.sections[:kept]))
        header, tail = _rewritten(tables, kept, end)
        saved = os.fstat(stream.fileno()).st_size - end - len(tail)
        if saved > 0:
            _write(path, stream, end, header, tail)
    return max(saved, 0)


def _write(path: Path, source: BinaryIO, end: int, header: bytes, tail: bytes) -> None:
    """Replace `path` by the first `end` bytes of `source` with `header` put in, and `tail`."""
    temporary = path.with_name(f"{path.name}.stripped")
    try:
        with temporary.open("wb") as target:
            source.seek(0)
            target.write(source.read(_IDENT_SIZE) + header)
            source.seek(target.tell())
            while left := end - target.tell():
                if not target.write(source.read(min(left, 1 << 20))):
                    raise EOFError(f"{path} ends before byte {end}")
            target.write(tail)
        shutil.copymode(path, temporary)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _read(stream: BinaryIO) -> _Tables | None:
    """The tables of the file; None when it isn't a complete program or library with sections."""
    ident = stream.read(_IDENT_SIZE)
    layout = _Format.of(ident) if len(ident) == _IDENT_SIZE and ident.startswith(MAGIC) else None
    if layout is None:
        return None
    try:
        header = _Header(*layout.header.unpack(stream.read(layout.header.size)))
        if header.kind not in _LOADABLE or header.names_index >= header.section_count:
            return None
        if header.section_size != layout.section.size or header.segment_size != layout.segment.size:
            return None
        sections = tuple(
            _Section(*row) for row in _rows(stream, layout.section, header.sections_at, header.section_count)
        )
        segments = list(_rows(stream, layout.segment, header.segments_at, header.segment_count))
    except struct.error:  # cut short
        return None
    stream.seek(sections[header.names_index].offset)
    names = stream.read(sections[header.names_index].size)
    offset, size = layout.segment_span
    ends = [row[offset] + row[size] for row in segments]
    ends += [header.segments_at + len(segments) * layout.segment.size, header.size]
    return _Tables(layout, header, sections, names, max(ends))


def _rows(stream: BinaryIO, row: struct.Struct, offset: int, count: int) -> list[tuple[int, ...]]:
    """The `count` rows of a table at `offset`; raises struct.error when the file ends before."""
    stream.seek(offset)
    return [row.unpack(stream.read(row.size)) for _ in range(count)]


def _kept(tables: _Tables, file_size: int) -> int:
    """How many sections, counted from the first, stay; 0 when the layout isn't the usual one."""
    sections = tables.sections
    kept = 1 + max((i for i, section in enumerate(sections) if section.flags & _SHF_ALLOC), default=-1)
    dropped = sections[kept:]
    # Dropping from the middle would change the section numbers in .dynsym.
    if not kept or not dropped or not all(section.flags & _SHF_ALLOC for section in sections[1:kept]):
        return 0
    if not all(tables.name(section).decode("latin-1").startswith(_UNREAD) for section in dropped):
        return 0
    end = max(tables.segments_end, *(section.end for section in sections[:kept]))
    table_end = tables.header.sections_at + len(sections) * tables.format.section.size
    if tables.header.sections_at < end or any(section.size and section.offset < end for section in dropped):
        return 0
    # Bytes behind all sections were appended on purpose (an archive that the program opens).
    return kept if file_size <= max(table_end, *(section.end for section in dropped)) else 0


def _rewritten(tables: _Tables, kept: int, end: int) -> tuple[bytes, bytes]:
    """The new file header behind `e_ident`, and what follows the bytes that stay."""
    names = bytearray(b"\0")
    rows = []
    for section in tables.sections[:kept]:
        place = len(names) if section.name else 0
        names += tables.name(section) + b"\0" if section.name else b""
        rows.append(_unlinked(section, kept)._replace(name=place))
    place = len(names)
    names += b".shstrtab\0"
    rows.append(_Section(place, _SHT_STRTAB, 0, 0, end, len(names), 0, 0, 1, 0))
    padding = -(end + len(names)) % 8
    header = tables.header._replace(
        sections_at=end + len(names) + padding, section_count=len(rows), names_index=kept
    )
    table = b"".join(tables.format.section.pack(*row) for row in rows)
    return tables.format.header.pack(*header), bytes(names) + bytes(padding) + table


def _unlinked(section: _Section, kept: int) -> _Section:
    """`section` without references to sections that are gone."""
    if section.link >= kept:
        section = section._replace(link=0)
    refers = section.flags & _SHF_INFO_LINK or section.kind in _RELOCATIONS
    return section._replace(info=0) if refers and section.info >= kept else section
