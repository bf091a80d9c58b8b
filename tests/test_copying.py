"""Files are copied by processes beside the build: with the same result as without them, whatever becomes of them."""

from __future__ import annotations

import errno
import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_release.cache import copy_worker
from hatch_release.cache.copier import Copier
from hatch_release.cache.digests import Digests
from tests.disks import mounted
from tests.trees import snapshot, write_files

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hatch_release.cache.copy_worker import Row

SECONDS = 30


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def rows(tree: Path) -> list[Row]:
    """All files of a tree, as an entry of the cache lists them."""
    found: list[Row] = []
    for path in sorted(tree.rglob("*")):
        name = path.relative_to(tree).as_posix()
        if path.is_symlink():
            found.append((name, 0, "", str(path.readlink())))
        elif path.is_file():
            found.append((name, path.stat().st_mode & 0o7777, sha256(path.read_bytes()), ""))
    return found


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A tree with what may be special about files."""
    tree = tmp_path / "the source"
    write_files(tree, {"bin/tool": "a tool", "empty": "", "deep/er/ünï": "text", "large": "x" * 3_000_000})
    (tree / "bin" / "tool").chmod(0o755)
    (tree / "private").write_bytes(b"secret")
    (tree / "private").chmod(0o600)
    (tree / "link").symlink_to("bin/tool")
    (tree / os.fsdecode(b"not-utf8-\xff")).write_bytes(b"odd")
    return tree


@pytest.fixture
def copier() -> Iterator[Copier]:
    with Copier() as running:
        yield running


def children() -> list[int]:
    """The processes that this one has started, whichever of its threads did."""
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(pid) for task in tasks for pid in task.read_text().split()]


def test_the_copy_is_the_same_and_what_is_told_of_it_is_true(
    copier: Copier, source: Path, tmp_path: Path
) -> None:
    listed = rows(source)
    before = os.umask(0o077)
    try:
        copies = copier.copy(str(source), str(tmp_path / "copy"), listed)
    finally:
        os.umask(before)
    assert snapshot(tmp_path / "copy") == snapshot(source)
    told = Digests(tmp_path / "copy")
    for (path, _mode, digest, link), copied in zip(listed, copies, strict=True):
        if link:
            assert copied is None
            continue
        assert copied is not None
        state, hashed, beside = copied
        assert tuple(state) == copy_worker.state((tmp_path / "copy" / path).stat())
        assert (hashed, beside) == (digest, None)
        assert told.of([path]) == {path: digest}


def test_files_beside_are_compared_on_the_way(copier: Copier, source: Path, tmp_path: Path) -> None:
    beside = tmp_path / "beside"
    copy_worker.copy(str(source), str(beside), rows(source))
    (beside / "large").write_text("x" * 2_999_999 + "y")  # the same size
    (beside / "bin" / "tool").write_text("a tool and more")
    (beside / "deep" / "er" / "ünï").write_text("tex")
    (beside / "private").unlink()
    os.mkfifo(beside / "private")
    (beside / "empty").unlink()
    (beside / "empty").symlink_to("bin/tool")
    names = [row[0] for row in rows(source)]
    copies = copier.copy(str(source), str(tmp_path / "copy"), rows(source), str(beside))
    same = {name: copied[2] for name, copied in zip(names, copies, strict=True) if copied and copied[2]}
    (odd,) = same
    assert odd == os.fsdecode(b"not-utf8-\xff")
    assert tuple(same[odd]) == copy_worker.state((beside / odd).stat())


def test_what_is_left_of_another_copy_stays_where_it_is_right(
    copier: Copier, source: Path, tmp_path: Path
) -> None:
    target = tmp_path / "copy"
    copy_worker.copy(str(source), str(target), rows(source))
    before = {row[0]: (target / row[0]).lstat().st_ino for row in rows(source)}
    (target / "bin" / "tool").chmod(0o4700)
    copies = copier.copy(str(source), str(target), rows(source), str(source))
    assert snapshot(target) == snapshot(source)
    assert {row[0]: (target / row[0]).lstat().st_ino for row in rows(source) if not row[3]} == {
        row[0]: before[row[0]] for row in rows(source) if not row[3]
    }
    for row, copied in zip(rows(source), copies, strict=True):
        if copied is not None:
            assert tuple(copied[0]) == copy_worker.state((target / row[0]).stat())
            assert copied[1] == row[2]
            assert tuple(copied[2]) == copy_worker.state((source / row[0]).stat())


def _no_attributes(path: Path) -> bool:
    """Whether `path` can have no extended attribute."""
    try:
        os.setxattr(path, "user.kind", b"mine")
    except OSError:
        return True
    return False


def test_what_is_left_of_another_copy_goes_where_it_is_not(
    copier: Copier, source: Path, tmp_path: Path
) -> None:
    """Whatever somebody has done to it, no more of that is in the copy than if nothing had been there."""
    target = tmp_path / "copy"
    copy_worker.copy(str(source), str(target), rows(source))
    (target / "large").write_text("x" * 2_999_999 + "y")  # the same size
    (tmp_path / "outside").hardlink_to(target / "bin" / "tool")
    (target / "empty").unlink()
    os.mkfifo(target / "empty")
    (target / "link").unlink()
    (target / "link").mkdir()
    (target / "deep" / "er").rename(target / "elsewhere")
    (target / "deep" / "stranger").write_text("not wanted")
    (target / "stranger").symlink_to(tmp_path)
    (target / "bin" / "aside").symlink_to(source)
    (target / "hollow" / "room").mkdir(parents=True)
    (target / "private").chmod(0)
    marked = target / os.fsdecode(b"not-utf8-\xff")
    none = _no_attributes(marked)
    if os.geteuid() == 0:
        os.chown(target / "private", 12345, 12345)
    (target / "bin").chmod(0o500)
    copier.copy(str(source), str(target), rows(source))
    assert snapshot(target) == snapshot(source)
    assert (target / "bin" / "tool").stat().st_nlink == 1
    assert (target / "private").stat().st_uid == os.geteuid()
    assert none or os.listxattr(marked) == os.listxattr(source / marked.name)
    assert (tmp_path / "outside").read_text() == "a tool"


def test_what_a_link_in_place_of_the_copy_leads_to_stays(
    copier: Copier, source: Path, tmp_path: Path
) -> None:
    (tmp_path / "outside").mkdir(mode=0o700)
    (tmp_path / "outside" / "file").write_text("somebody's")
    (tmp_path / "copy").symlink_to(tmp_path / "outside")
    copier.copy(str(source), str(tmp_path / "copy"), rows(source))
    assert snapshot(tmp_path / "copy") == snapshot(source)
    assert not (tmp_path / "copy").is_symlink()
    assert [path.name for path in (tmp_path / "outside").iterdir()] == ["file"]
    assert (tmp_path / "outside").stat().st_mode & 0o777 == 0o700


def test_a_process_that_is_killed_is_missed_by_nobody(copier: Copier, source: Path, tmp_path: Path) -> None:
    # A file that can't be read before somebody writes to it: the process is killed in the middle.
    os.mkfifo(source / "slow")
    listed = [*rows(source), ("slow", 0o644, sha256(b"late"), "")]
    done: list[object] = []
    copy = threading.Thread(
        target=lambda: done.append(copier.copy(str(source), str(tmp_path / "copy"), listed))
    )
    copy.start()
    wait_until((tmp_path / "copy" / "slow").exists)
    killed = children()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(map(runs, killed)))
    with (source / "slow").open("wb") as stream:  # opens when it is read again
        stream.write(b"late")
    copy.join(SECONDS)
    assert not copy.is_alive()
    assert done
    assert (tmp_path / "copy" / "slow").read_bytes() == b"late"
    (tmp_path / "copy" / "slow").unlink()
    (source / "slow").unlink()
    assert snapshot(tmp_path / "copy") == snapshot(source)
    copier.copy(str(source), str(tmp_path / "next"), rows(source))
    assert snapshot(tmp_path / "next") == snapshot(source)


def test_without_an_interpreter_to_start_files_are_copied_all_the_same(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number, executable in enumerate(("/nonexistent/python", "/bin/false", "/bin/echo")):
        monkeypatch.setattr(sys, "executable", executable)
        with Copier() as copier:
            copier.copy(str(source), str(tmp_path / str(number)), rows(source))
        assert snapshot(tmp_path / str(number)) == snapshot(source)


def test_damage_is_told(copier: Copier, source: Path, tmp_path: Path) -> None:
    listed = rows(source)
    (source / "large").write_text("y")
    with pytest.raises(copy_worker.DamagedError, match=r"^large has changed$"):
        copier.copy(str(source), str(tmp_path / "copy"), listed)
    (source / "large").unlink()
    with pytest.raises(copy_worker.DamagedError, match=r"^large: No such file or directory$"):
        copier.copy(str(source), str(tmp_path / "other"), listed)


def test_a_full_disk_is_told_with_the_file(copier: Copier, source: Path, tmp_path: Path) -> None:
    with (
        mounted(tmp_path / "disk", "1m") as disk,
        pytest.raises(OSError, match="No space left on device") as caught,
    ):
        copier.copy(str(source), str(disk.path / "copy"), rows(source))
    assert caught.value.errno == errno.ENOSPC
    assert caught.value.filename == str(tmp_path / "disk" / "copy" / "large")


def test_nothing_is_left_running(source: Path, tmp_path: Path) -> None:
    with Copier() as copier:
        copier.copy(str(source), str(tmp_path / "copy"), rows(source))
        assert children()
    assert children() == []


MANY = """
import sys, threading
from hatch_release.cache.copier import Copier
source, destination = sys.argv[1:]
rows = [(f"{number:05}", 0o644, "", "") for number in range(20_000)]
with Copier() as copier:
    copier.copy(source, destination, rows)
"""


def test_who_is_killed_takes_them_along(tmp_path: Path) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    write_files(source, {"00000": "x" * 1000})
    for number in range(1, 20_000):
        (source / f"{number:05}").hardlink_to(source / "00000")
    build = subprocess.Popen([sys.executable, "-c", MANY, str(source), str(copy)])
    wait_until(lambda: copy.is_dir() and any(copy.iterdir()))
    build.kill()
    build.wait()
    wait_until(lambda: not writers(copy))
    count = len(list(copy.iterdir()))
    assert 0 < count < 20_000
    time.sleep(0.2)
    assert len(list(copy.iterdir())) == count


def runs(pid: int) -> bool:
    """Whether a process has not ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def writers(directory: Path) -> list[int]:
    """Processes of `copy_worker.py` that have a file below a directory open, or are about to."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
        if os.fsencode(copy_worker.__file__) in command and parent == 1 and directory.exists():
            found.append(int(process.name))
    return found


def wait_until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)
