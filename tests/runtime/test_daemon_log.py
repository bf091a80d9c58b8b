"""The log of a daemon: rotation, faults of the disk, and `logs`."""

from __future__ import annotations

import itertools
import os
import re
import time
from pathlib import Path

import pytest

from hatch_release.runtime.daemon.log_files import LogFiles, LogSettings
from hatch_release.runtime.daemon.log_reader import read
from hatch_release.runtime.daemon.log_writer import LogWriter
from tests.disks import mounted


@pytest.fixture
def files(tmp_path: Path) -> LogFiles:
    return LogFiles(str(tmp_path), "it")


def sizes(files: LogFiles) -> dict[int, int]:
    return {index: Path(files.path(index)).stat().st_size for index in files.existing()}


def text(files: LogFiles) -> str:
    return b"".join(read(files, follow=False)).decode()


def test_files_follow_each_other_in_turn(files: LogFiles) -> None:
    writer = LogWriter(files, LogSettings(maxsize=1000, generations=3))
    line = b"x" * 99 + b"\n"
    writer.write(line * 10)
    assert sizes(files) == {1: 1000}
    writer.write(line)
    assert sizes(files) == {1: 1000, 2: 100}
    writer.write(line * 10)
    assert list(sizes(files)) == [2, 3], "the one behind the newest is missing"
    writer.write(line * 10)
    assert list(sizes(files)) == [3, 1]


@pytest.mark.parametrize("chunk", [1, 7, 100, 4095, 60_000])
def test_kept_lines_are_whole_and_in_order(files: LogFiles, chunk: int) -> None:
    writer = LogWriter(files, LogSettings(maxsize=5000, generations=4))
    data = b"".join(b"line %d of many\n" % number for number in range(5000))
    for start in range(0, len(data), chunk):
        writer.write(data[start : start + chunk])
    kept = text(files)
    assert data.decode().endswith(kept)
    assert len(kept) >= 2 * 4900
    assert all(size <= 5000 + len(b"line 1000 of many\n") for size in sizes(files).values())
    for index in files.existing():
        assert re.match(r"line \d+ of many\n", Path(files.path(index)).read_text("utf-8"))


def test_a_line_longer_than_a_file(files: LogFiles) -> None:
    writer = LogWriter(files, LogSettings(maxsize=1000, generations=6))
    writer.write(b"short\n" + b"a" * 1500 + b"\nafter\n" + b"b" * 3000)
    assert text(files) == "short\n" + "a" * 1500 + "\nafter\n" + "b" * 3000
    assert max(sizes(files).values()) <= 2000


def test_it_goes_on_where_it_was(files: LogFiles) -> None:
    settings = LogSettings(maxsize=1000, generations=3)
    for number in range(50):
        writer = LogWriter(files, settings)
        writer.write(b"%099d\n" % number)
        os.close(writer.descriptor)
    numbers = [int(line) for line in text(files).splitlines()]
    assert numbers == list(range(numbers[0], 50))
    assert len(numbers) > 10


def test_fewer_files_than_before(files: LogFiles) -> None:
    for index in range(1, 9):
        Path(files.path(index)).write_text("x" * 990 + "\n")
    writer = LogWriter(files, LogSettings(maxsize=1000, generations=3))
    writer.write(b"new\n" * 10)
    assert set(files.existing()) <= {1, 2, 3}
    assert text(files).endswith("new\n")


def test_a_removed_file_is_made_again(files: LogFiles, tmp_path: Path) -> None:
    writer = LogWriter(files, LogSettings())
    writer.write(b"one\n")
    for each in tmp_path.iterdir():
        each.unlink()
    tmp_path.rmdir()
    writer.write(b"two\n")
    assert text(files) == "two\n"


def test_it_says_that_it_is_alive(files: LogFiles) -> None:
    writer = LogWriter(files, LogSettings(alive=0.05))
    writer.write(b"half a line")
    left = writer.left()
    assert left is not None
    time.sleep(left + 0.01)
    writer.left()
    assert re.fullmatch(r"half a line\n===== \w+ \w+ \d+ [\d:]+ \w+ \d{4} ALIVE\n", text(files))
    assert LogWriter(files, LogSettings(alive=0)).left() is None


def test_settings_of_run_erl_are_understood() -> None:
    theirs = {"RUN_ERL_LOG_MAXSIZE": "2000", "RUN_ERL_LOG_GENERATIONS": "7", "RUN_ERL_LOG_ALIVE_MINUTES": "1"}
    assert vars(LogSettings.read(theirs)) == vars(LogSettings(2000, 7, 60))
    ours = {"RELEASE_LOG_MAXSIZE": "3000", "RELEASE_LOG_GENERATIONS": "", "RELEASE_LOG_ALIVE_MINUTES": "0.5"}
    assert vars(LogSettings.read({**theirs, **ours})) == vars(LogSettings(3000, 7, 30))
    assert vars(LogSettings.read({})) == vars(LogSettings(100_000, 5, 900))


def test_following_goes_from_file_to_file(files: LogFiles) -> None:
    writer = LogWriter(files, LogSettings(maxsize=1000, generations=4))
    chunks = read(files, follow=True)
    seen = b""
    for number in range(300):
        writer.write(b"%d\n" % number)
        if number % 20 == 0:
            seen += b"".join(itertools.takewhile(bool, chunks))
    seen += b"".join(itertools.takewhile(bool, chunks))
    assert seen == b"".join(b"%d\n" % number for number in range(300))


def test_a_full_disk_costs_output_and_nothing_else(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "64k") as disk:
        files = LogFiles(str(disk.path), "it")
        writer = LogWriter(files, LogSettings(maxsize=30_000, generations=3))
        disk.fill()
        line = b"y" * 99 + b"\n"
        for _ in range(500):
            writer.write(line)
        disk.make_room()
        writer.write(b"again\n")
        told = text(files)
        found = re.search(
            r"\n===== (\d+) bytes could not be written here: No space left on device\nagain\n$", told
        )
        assert found, told[-300:]
        assert int(found[1]) + found.start() == 50_000
        os.close(writer.descriptor)


def test_a_disk_that_becomes_read_only(tmp_path: Path) -> None:
    with mounted(tmp_path / "disk", "64k") as disk:
        files = LogFiles(str(disk.path), "it")
        writer = LogWriter(files, LogSettings())
        os.close(writer.descriptor)  # what is open keeps a file system from becoming read-only
        writer.descriptor = -1
        disk.remount("ro")
        writer.write(b"lost\n")
        disk.remount("rw")
        writer.write(b"found\n")
        assert text(files) == "\n===== 5 bytes could not be written here: Read-only file system\nfound\n"
        os.close(writer.descriptor)
