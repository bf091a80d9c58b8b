"""The files of the cache's entries: copied in and out, hashed on the way, compared with what was stored."""

from __future__ import annotations

import hashlib
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.runtime.manifest import PIECES, THREADS

if TYPE_CHECKING:
    from collections.abc import Iterator

_BLOCK = 1 << 18


class DamagedError(Exception):
    """An entry isn't what was stored."""


@dataclass(frozen=True)
class File:
    """One file of an entry's tree."""

    path: str
    """Relative to the tree."""
    mode: int
    digest: str
    """SHA-256 of its contents; of a link, empty."""
    link: str = ""
    """Where a symbolic link leads."""


def copy_in(source: Path, target: Path) -> list[File]:
    """Copy a tree into the cache."""
    files = []
    for path in sorted(source.rglob("*")):
        name = path.relative_to(source).as_posix()
        found = path.lstat()
        if stat.S_ISDIR(found.st_mode):
            continue
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if stat.S_ISLNK(found.st_mode):
            files.append(File(name, 0, "", str(path.readlink())))
            (target / name).symlink_to(files[-1].link)
        else:
            mode = stat.S_IMODE(found.st_mode)
            files.append(File(name, mode, _copied(str(path), str(target / name), mode)))
    return files


def copy_out(source: Path, destination: Path, files: list[File]) -> None:
    """Copy files of an entry, on all processors, and compare each with its checksum."""
    for directory in sorted({file.path.rpartition("/")[0] for file in files}):
        (destination / directory).mkdir(parents=True, exist_ok=True)

    def copy(piece: list[File]) -> None:
        for file in piece:
            _copy_file(source, destination, file)

    if len(files) < PIECES:
        copy(files)
        return
    ordered = sorted(files, key=lambda file: file.path)
    with ThreadPoolExecutor(THREADS) as pool:
        tasks = [pool.submit(copy, ordered[number::PIECES]) for number in range(PIECES)]
        for task in tasks:
            task.result()


def _copy_file(source: Path, destination: Path, file: File) -> None:
    target = f"{destination}/{file.path}"
    if file.link:
        Path(target).symlink_to(file.link)
        return
    origin = f"{source}/{file.path}"
    try:
        digest = _copied(origin, target, file.mode)
    except OSError as error:
        if error.filename == origin:
            raise DamagedError(f"{file.path}: {error.strerror}") from error
        raise
    if digest != file.digest:
        raise DamagedError(f"{file.path} has changed")


def _copied(origin: str, target: str, mode: int) -> str:
    """Copy a file, and give the checksum of what was read; an error names the file to blame."""
    checksum = hashlib.sha256()
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    try:
        for block in _blocks(origin):
            checksum.update(block)
            _write(descriptor, block, target)
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:  # what umask took away
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
    return checksum.hexdigest()


def _blocks(path: str) -> Iterator[bytes]:
    """The contents of a file."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        while block := _read(descriptor, path):
            yield block
    finally:
        os.close(descriptor)


def _read(descriptor: int, path: str) -> bytes:
    try:
        return os.read(descriptor, _BLOCK)
    except OSError as error:
        error.filename = path
        raise


def _write(descriptor: int, block: bytes, path: str) -> None:
    """Write all of a block; the system's refusal names the file."""
    try:
        view = memoryview(block)
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError as error:
        error.filename = path
        raise
