"""Shared libraries: which ones a release needs beyond the C library, and where they come from.

The C library and what belongs to it stay the target's own. Every other library that an ELF file of the
release asks for, and that the dynamic linker would not find inside the release, is copied from the
building machine into `python-X.Y.Z/lib/`, where the DT_RPATH of the bundled interpreter leads.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.binaries import elf
from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_C_LIBRARY = re.compile(
    r"""
    (ld-linux | ld64 | ld-musl | ld\.so | linux-vdso | linux-gate | libc\.musl- | libnss_).*
    | lib(c | m | dl | pthread | rt | util | resolv | anl | mvec | thread_db | BrokenLocale | c_malloc_debug)
      \.so(\..*)?
    """,
    re.VERBOSE,
)
_DRIVER = re.compile(r"lib(cuda|nvidia-.*|nvcuvid|GL|GLX|EGL|OpenGL|GLdispatch|gbm|drm.*|vulkan)\.so(\..*)?")
# glibc opens it by name when a thread is ended from outside, as CPython ends daemon threads at its exit;
# without it the process is aborted.
_OPENED_BY_GLIBC = "libgcc_s.so.1"


def of_c_library(name: str) -> bool:
    """Whether the library `name` belongs to glibc or musl, so that the target's own must be used.

    libcrypt and libnsl don't: distributions replace or leave out glibc's.
    """
    return _C_LIBRARY.fullmatch(name) is not None


def locate(name: str, like: Path, directories: Iterable[Path] = ()) -> Path | None:
    """The file of the library `name` on this machine, for the processor that the file `like` is for.

    Looked for in `directories`, then as ld.so(8) does: LD_LIBRARY_PATH, the cache of ldconfig and the
    default directories. None when it isn't there.
    """
    for candidate in _candidates(name, directories):
        if candidate.is_file() and elf.is_elf(candidate.resolve()):
            real = candidate.resolve()
            if elf.machine(real) == elf.machine(like):
                return real
    return None


def _candidates(name: str, directories: Iterable[Path]) -> Iterator[Path]:
    """Where the library `name` may be, most wanted first."""
    yield from (directory / name for directory in directories)
    for directory in filter(None, os.environ.get("LD_LIBRARY_PATH", "").split(":")):
        yield Path(directory, name)
    yield from _cache().get(name, ())
    for directory in ("/lib64", "/usr/lib64", "/lib", "/usr/lib", "/usr/local/lib"):
        yield Path(directory, name)
        yield from sorted(Path(directory).glob(f"*-linux-*/{name}"))


@functools.cache
def _cache() -> dict[str, list[Path]]:
    """The cache of ldconfig, read once: files by name. Empty where there is none."""
    places = f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin"
    program = shutil.which("ldconfig", path=places)
    cache: dict[str, list[Path]] = {}
    if program is None:
        return cache
    done = subprocess.run([program, "-p"], capture_output=True, text=True, check=False)
    for line in done.stdout.splitlines():
        if match := re.fullmatch(r"\s+(\S+) \(.*\) => (\S.*)", line):
            cache.setdefault(match[1], []).append(Path(match[2]))
    return cache


def take(source: Path, target: Path) -> elf.Linkage:
    """Copy the library `source` to `target`: without symbols, and looking beside itself for what it needs.

    Gives what the dynamic linker reads in the copy.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(stat.S_IMODE(source.stat().st_mode) | stat.S_IWUSR)
    elf.strip(target)
    elf.set_rpath(target, "$ORIGIN")
    return elf.linkage(target)


def bundle_libraries(
    root: Path,
    python: Path,
    warn: Callable[[str], None] = lambda _line: None,
    take: Callable[[Path, Path], elf.Linkage] = take,
) -> tuple[list[str], list[Path]]:
    """Copy into the release at `root` what its ELF files need beyond the C library.

    Gives the names of what was copied, and all ELF files of the release then.

    `python` is the release's `python-X.Y.Z` directory; copies lie in its `lib/` under the name by which they
    are asked for, with a DT_RPATH of `$ORIGIN`, and what they need in turn is copied too. Search paths
    that lead to directories of the building machine, or keep a file from finding the copies
    (DT_RUNPATH), are replaced in the files of the release.

    A library that isn't on this machine is no error, since the module that asks for it may never be
    imported: `warn` is called with one line about it. Libraries of a graphics driver aren't copied either:
    they fit one kernel module, that of the machine they are on. A damaged file is warned of. `take` may stand in
    for the function of that name, and write the copy later.
    Raises ReleaseError when patchelf isn't there or fails.
    """
    return _Bundle(root.resolve(), python.resolve(), warn, take).fill()


def foreign_libraries(root: Path) -> tuple[list[Path], dict[str, Path]]:
    """The ELF files of the release at `root`, which brings no interpreter, and what of the target's they need.

    That is the libraries beyond the C library, each with the first of the files that need it, relative to `root`. A
    damaged file needs nothing.
    """
    return _Bundle(root.resolve(), root.resolve(), lambda _line: None, take).foreign()


@dataclass
class _Bundle:
    """One run of `bundle_libraries`."""

    root: Path
    python: Path
    warn: Callable[[str], None]
    take: Callable[[Path, Path], elf.Linkage]
    copied: list[str] = field(default_factory=list)
    files: dict[Path, elf.Linkage] = field(default_factory=dict)
    sources: dict[Path, Path] = field(default_factory=dict)
    """Where copies come from; they may not be written yet."""
    told: set[str] = field(default_factory=set)

    def fill(self) -> tuple[list[str], list[Path]]:
        """Copy until nothing that can be found is missing; what was copied, and all ELF files."""
        self._read()
        own = [path for path in self.files if path.parent == self.python / "bin"]
        for path in own:
            if any(name.startswith("libc.so") for name in self.files[path].needed):
                self._supply(_OPENED_BY_GLIBC, path)
        pending = list(self.files)
        while pending:
            path = pending.pop(0)
            before = len(self.copied)
            missed = [name for name in self.files[path].needed if not self._reaches(path, name)]
            for name in missed:
                self._supply(name, path)
            self._redirect(path, looks_further=bool(missed))
            pending += [self.python / "lib" / name for name in self.copied[before:]]
        return sorted(self.copied), sorted(self.files)

    def foreign(self) -> tuple[list[Path], dict[str, Path]]:
        """All ELF files, and what no file finds inside the release."""
        self._read()
        here = {name for path, link in self.files.items() for name in _names(path, link)}
        found: dict[str, Path] = {}
        for path, link in self.files.items():
            for name in link.needed:
                if name not in here and not self._reaches(path, name):
                    found.setdefault(name, path.relative_to(self.root))
        return sorted(self.files), found

    def _read(self) -> None:
        """Look at all files."""
        found = (f"{at}/{name}" for at, _, names in os.walk(self.root) for name in names)
        binaries = sorted(Path(path) for path in found if elf.is_elf(path))
        self.files = {path: self._linkage(path) for path in binaries}

    def _linkage(self, path: Path) -> elf.Linkage:
        """What `path` needs; nothing when it is damaged, as samples are that a distribution tests with."""
        try:
            return elf.linkage(path)
        except ReleaseError as error:
            self.warn(str(error))
            return elf.Linkage(())

    def _reaches(self, path: Path, name: str) -> bool:
        """Whether the dynamic linker finds `name` for `path` by its own search path, or needs not to."""
        if of_c_library(name):
            return True
        directories = self.files[path].directories(path.parent)
        return any(self.root in place.parents and self._holds(place / name) for place in directories)

    def _holds(self, path: Path) -> bool:
        """Whether the release has a file, or will have it in a moment."""
        return path in self.files or path.exists()

    def _supply(self, name: str, path: Path) -> None:
        """See to it that `name`, which `path` needs, is in the release."""
        target = self.python / "lib" / name
        if self._holds(target) or self._beside(name, path):
            return
        if _DRIVER.fullmatch(name):
            self._warn_once(name, path, "which the target's graphics driver must bring")
            return
        absolute = [
            place for place in self.files[path].directories(path.parent) if self.root not in place.parents
        ]
        source = locate(name, self.sources.get(path, path), absolute)
        if source is not None:
            self.files[target], self.sources[target] = self.take(source, target), source
            self.copied.append(name)
        elif not any(name in _names(other, link) for other, link in self.files.items()):
            self._warn_once(
                name,
                path,
                "which is neither in the release nor on this machine; install it here if the target uses that file",
            )

    def _warn_once(self, name: str, path: Path, text: str) -> None:
        """Warn of a library that is missing, by the first file that needs it: others may be hundreds."""
        if name not in self.told:
            self.told.add(name)
            self.warn(f"{path.relative_to(self.root)} needs {name}, {text}")

    def _beside(self, name: str, path: Path) -> bool:
        """Whether the distribution of `path` has `name` itself, so that it loads it before it is needed."""
        home = self._home(path)
        # The interpreter's own modules are served from python/lib alone.
        return home != self.python and any(
            self._home(other) == home and name in _names(other, link) for other, link in self.files.items()
        )

    def _home(self, path: Path) -> Path:
        """The directory of the distribution that `path` belongs to: `lib/NAME-VSN` or `python-X.Y.Z`."""
        parts = path.relative_to(self.root).parts
        return self.root.joinpath(*parts[: 2 if parts[0] == "lib" else 1])

    def _redirect(self, path: Path, *, looks_further: bool) -> None:
        """Give `path` a search path that stays inside the release and, if it must, goes on to python/lib."""
        link = self.files[path]
        # An object's DT_RUNPATH keeps the dynamic linker from asking the interpreter's DT_RPATH.
        if link.relative != link.search or (link.runpath and looks_further):
            elf.set_rpath(path, ":".join(link.relative) or "$ORIGIN")
            self.files[path] = elf.linkage(path)


def _names(path: Path, link: elf.Linkage) -> tuple[str | None, ...]:
    """The names under which a library can be asked for."""
    return (path.name, link.soname)
