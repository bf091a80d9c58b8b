"""What compiled code spells: the names of modules that C, Cython, mypyc or Rust code may import.

A C compiler ends every string with a zero byte, so a name stands alone. Others put all strings of a module one behind
the other without anything between them (mypyc, Rust, Cython since 3.1), and Cython compresses them besides. There a
name counts wherever it occurs, unless it is so short that it occurs everywhere.
"""

from __future__ import annotations

import bz2
import re
import zlib
from typing import TYPE_CHECKING

from hatch_release.binaries import elf
from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator
    from pathlib import Path

_ALONE = re.compile(rb"(?<![\w.])[A-Za-z_][\w.]{1,60}(?=\x00)")
_RUN = re.compile(rb"[A-Za-z_][\w.]{4,}")
_TELLING = 5
"""Letters of the shortest name that is looked for inside others."""
_SHORTEST_TABLE = 64
"""Bytes. What gives less was no table of strings."""
_LZSS = b"LZSS string data"
"""Part of the message that Cython's own decompression fails with."""
_LZSS_ALIGNMENT = 16
_TEXT = frozenset(b"\t\n\r\f").union(range(0x20, 0x7F), range(0x80, 0x100))


def spelt(path: Path, names: Collection[str], *, only_c: bool = False) -> set[str]:
    """Those of `names` that the compiled module at `path` spells.

    Args:
        path: An extension module, or a library that belongs to one.
        names: Full names of modules, and words.
        only_c: It is known to be C: every name stands alone.
    """
    pieces = _constants(path)
    found = {match.decode("ascii") for piece in pieces for match in _ALONE.findall(piece)}.intersection(names)
    if only_c:
        return found
    tables = [table for piece in pieces for table in _tables(piece)]
    runs = b"\n".join({run for piece in (*pieces, *tables) for run in _RUN.findall(piece)})
    return found.union(name for name in names if _is_telling(name) and name.encode() in runs)


def _constants(path: Path) -> list[bytes]:
    """Where the strings of a file are; all of it when it isn't an ELF file, or a damaged one."""
    if elf.is_elf(path):
        try:
            return elf.constants(path)
        except ReleaseError:
            pass
    return [path.read_bytes()]


def _is_telling(name: str) -> bool:
    """Whether it means something when `name` occurs inside other text.

    Private modules are left to those who import them: `to_json` has `_json` inside.
    """
    return "." in name or (len(name) >= _TELLING and not name.startswith("_"))


def _tables(data: bytes) -> Iterator[bytes]:
    """The compressed tables of strings in some data, as Cython makes them (`CYTHON_COMPRESS_STRINGS`)."""
    yield from _long(
        _inflated(data, match.start()) for match in re.finditer(rb"\x78[\x01\x5e\x9c\xda]", data)
    )
    yield from _long(_unzipped(data, match.start()) for match in re.finditer(rb"BZh[1-9]1AY&SY", data))
    if _LZSS in data:
        starts = range(0, len(data), _LZSS_ALIGNMENT)
        yield from _long(unpack_lzss(data, start) for start in starts if data[start] & 3 == 3)  # noqa: PLR2004 - literals


def _long(tables: Iterable[bytes]) -> Iterator[bytes]:
    return (table for table in tables if len(table) >= _SHORTEST_TABLE)


def _inflated(data: bytes, start: int) -> bytes:
    """What zlib makes of the data from `start` on; nothing when it isn't zlib's."""
    return _decompressed(zlib.decompressobj().decompress, data[start:])


def _unzipped(data: bytes, start: int) -> bytes:
    """What bzip2 makes of the data from `start` on; nothing when it isn't bzip2's."""
    return _decompressed(bz2.BZ2Decompressor().decompress, data[start:])


def _decompressed(decompress: Callable[[bytes], bytes], data: bytes) -> bytes:
    try:
        return decompress(data)
    except (OSError, zlib.error):
        return b""


def unpack_lzss(data: bytes, position: int) -> bytes:
    """The text that Cython packed with its variant of LZSS, up to what can't be text any more.

    A byte of flags says of the next eight items, the lowest bit first, whether they are single bytes or copies of what
    was there before: an offset from the end of the original (7, 9 or 14 bits) and a length beyond 3 (5 or 8 bits).

    Args:
        data: A file's contents.
        position: Where the packed text begins.
    """
    text = bytearray()
    try:
        while True:
            flags, position = data[position], position + 1
            for number in range(8):
                if flags >> number & 1:
                    byte, position = data[position], position + 1
                    if byte not in _TEXT:
                        return bytes(text)
                    text.append(byte)
                    continue
                back, length, position = _reference(data, position)
                start = len(text) - back - length
                if start < 0:
                    return bytes(text)
                text += text[start : start + length]
    except IndexError:  # the file ends
        return bytes(text)


def _reference(data: bytes, position: int) -> tuple[int, int, int]:
    """How far back a copy's original ends, its length, and where the next item begins."""
    low, high = data[position], data[position + 1]
    if not low & 0x80:
        return low, high + 3, position + 2
    if not high & 0x80:
        return 0x80 + ((high << 2) & 0x180 | low & 0x7F), (high & 0x1F) + 3, position + 2
    return 0x80 + ((high & 0x7F) << 7 | low & 0x7F), data[position + 2] + 3, position + 3
