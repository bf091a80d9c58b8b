"""Archives: the same bytes for the same tree, and the same tree when unpacked by the usual programs."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import random
import resource
import shutil
import subprocess
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
import zstandard

from hatch_release.errors import ReleaseError
from hatch_release.tree import zstd
from hatch_release.tree.archive import FORMATS, archive_name, write_archive
from tests.trees import release_of, snapshot, version_files, write_files

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LONG = "lib/demo-1.0/" + "a-long-directory-name/" * 12 + "naïve-ß-文.pyc"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree with all that is awkward to pack; its modes are those that an archive gives."""
    tree = tmp_path / "tree"
    with umask(0o022):
        write_files(tree, version_files("1.0", **{LONG: "long", "spa ce/ünï": "overlay", "empty": ""}))
        (tree / "lib/demo-1.0/empty directory").mkdir()
    (tree / "lib/demo-1.0/link").symlink_to("../common-1.0/common.pyc")
    (tree / "lib/demo-1.0/ünï-dir").symlink_to("../common-1.0")
    (tree / "releases/COOKIE").chmod(0o600)
    return tree


@pytest.fixture(autouse=True)
def _no_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)


class umask:  # noqa: N801 - it is the umask
    def __init__(self, mask: int) -> None:
        self._mask = mask

    def __enter__(self) -> None:
        self._mask = os.umask(self._mask)

    def __exit__(self, *_error: object) -> None:
        os.umask(self._mask)


def pack(tree: Path, format: str, name: str = "archive") -> Path:  # noqa: A002 - the tested function's own
    return write_archive(release_of(tree, "1.0"), tree.parent / name, FORMATS[format])


def unpack(file: Path, format: str, destination: Path) -> None:  # noqa: A002 - as above
    destination.mkdir()
    command = {
        "tar.gz": ["tar", "-xzpf", str(file), "-C", str(destination)],
        "tar.zst": ["tar", "--zstd", "-xpf", str(file), "-C", str(destination)],
        "zip": ["unzip", "-q", str(file), "-d", str(destination)],
    }[format]
    needed = [command[0], *(["zstd"] if format == "tar.zst" else [])]
    if missing := [program for program in needed if not shutil.which(program)]:
        pytest.skip(f"there is no {' and no '.join(missing)} here")
    environment = {**os.environ, "LC_ALL": "C.UTF-8"}
    subprocess.run(command, check=True, env=environment)


def members(file: Path, format: str) -> Iterator[tarfile.TarInfo]:  # noqa: A002 - as above
    data = file.read_bytes()
    if format == "tar.zst":
        data = zstandard.ZstdDecompressor().decompressobj().decompress(data)
    with tarfile.open(fileobj=io.BytesIO(data)) as packed:
        yield from packed


@pytest.mark.parametrize("format", FORMATS)
def test_the_usual_programs_give_the_tree_back(tree: Path, tmp_path: Path, format: str) -> None:  # noqa: A002 - the option's name
    before = snapshot(tree)
    unpack(pack(tree, format), format, tmp_path / "unpacked")
    assert snapshot(tmp_path / "unpacked") == before


@pytest.mark.parametrize("format", ["tar.zst", "tar.gz"])
def test_modes_that_were_set_on_purpose_stay(tree: Path, tmp_path: Path, format: str) -> None:  # noqa: A002 - as above
    (tree / "bin/demo").chmod(0o4755)
    (tree / "empty").chmod(0o600)
    (tree / "lib/demo-1.0").chmod(0o750)
    before = snapshot(tree)
    unpack(pack(tree, format), format, tmp_path / "unpacked")
    assert snapshot(tmp_path / "unpacked") == before


def test_busybox_gives_the_tree_back(tree: Path, tmp_path: Path) -> None:
    if not shutil.which("busybox"):
        pytest.skip("there is no busybox here")
    before = snapshot(tree)
    (tmp_path / "unpacked").mkdir()
    command = ["busybox", "tar", "-xzf", str(pack(tree, "tar.gz")), "-C", str(tmp_path / "unpacked")]
    subprocess.run(command, check=True)
    assert snapshot(tmp_path / "unpacked") == before


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_tree_gives_the_same_bytes(tree: Path, tmp_path: Path, format: str) -> None:  # noqa: A002 - as above
    other = tmp_path / "elsewhere" / "tree"
    shutil.copytree(tree, other, symlinks=True, copy_function=shutil.copy)
    for path in (other / "bin/demo", other / "lib/common-1.0/common.pyc", other / "releases/COOKIE"):
        os.utime(path, (1, 1))
    write_files(other, {"tmp/log/erl.log": "of a run"})
    assert pack(tree, format).read_bytes() == pack(other, format).read_bytes()


@pytest.mark.parametrize("format", ["tar.zst", "tar.gz"])
def test_tar_entries_are_sorted_anonymous_and_of_one_time(
    tree: Path,
    format: str,  # noqa: A002 - as above
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = list(members(pack(tree, format), format))
    assert {(each.uid, each.gid, each.uname, each.gname) for each in found} == {(0, 0, "", "")}
    assert {each.mtime for each in found} == {315532800}
    names = [each.name.split("/") for each in found]
    assert names == sorted(names, key=lambda parts: [os.fsencode(part) for part in parts])
    assert names[0] == ["bin"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert {each.mtime for each in members(pack(tree, format), format)} == {1700000000}


@pytest.mark.parametrize(
    ("epoch", "expected"),
    [("", (1980, 1, 1, 0, 0, 0)), ("0", (1980, 1, 1, 0, 0, 0)), ("1700000000", (2023, 11, 14, 22, 13, 20))],
)
def test_zip_entries_are_sorted_and_of_one_time(
    tree: Path, epoch: str, expected: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", epoch)
    with zipfile.ZipFile(pack(tree, "zip")) as packed:
        assert {each.date_time for each in packed.infolist()} == {expected}
        names = [name.rstrip("/").split("/") for name in packed.namelist()]
        assert packed.testzip() is None
    assert names == sorted(names)


def test_an_epoch_that_is_no_number_is_one_clear_line(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    with pytest.raises(ReleaseError, match="SOURCE_DATE_EPOCH is 'yesterday': set it to a whole number"):
        pack(tree, "tar.gz")


def test_threads_do_not_change_the_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Longer than two jobs, so that every thread has one; half of it can be compressed.
    noise = random.Random(1).randbytes(1 << 18)  # noqa: S311 - the same bytes in every run
    data = b"".join(noise + bytes(1 << 18) + bytes([number]) for number in range(80))
    assert len(data) > 2 * zstd.JOB
    write_files(tmp_path / "tree", {"lib/a/small": "text"})
    (tmp_path / "tree/lib/a/large").write_bytes(data)
    packed = b""
    found = set()
    for threads in (1, 2, 4):
        monkeypatch.setattr(zstd, "THREADS", threads)
        packed = pack(tmp_path / "tree", "tar.zst").read_bytes()
        found.add(hashlib.sha256(packed).hexdigest())
    assert len(found) == 1
    assert zstandard.get_frame_parameters(packed).has_checksum


def test_progress_counts_every_byte(tree: Path) -> None:
    total = sum(path.stat().st_size for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    for format in FORMATS:  # noqa: A001 - the option's name
        seen: list[tuple[int, int]] = []
        write_archive(
            release_of(tree, "1.0"),
            tree.parent / "a",
            FORMATS[format],
            lambda done, of, seen=seen: seen.append((done, of)),  # type: ignore[misc]
        )
        assert seen[-1] == (total, total)
        assert seen == sorted(seen)


@pytest.mark.parametrize("format", FORMATS)
def test_an_interrupted_archive_leaves_nothing(tree: Path, tmp_path: Path, format: str) -> None:  # noqa: A002 - as above
    (tmp_path / "out").mkdir()
    (tmp_path / "out/demo").write_text("the one before", encoding="utf-8")

    def interrupt(_done: int, _total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_archive(release_of(tree, "1.0"), tmp_path / "out/demo", FORMATS[format], interrupt)
    assert [path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir()] == ["the one before"]


@pytest.mark.parametrize("format", FORMATS)
def test_no_room_is_one_clear_line(tree: Path, tmp_path: Path, format: str) -> None:  # noqa: A002 - as above
    (tree / "lib/noise").write_bytes(os.urandom(1 << 20))
    (tmp_path / "out").mkdir()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, hard))
    try:
        with pytest.raises(ReleaseError) as caught:
            write_archive(release_of(tree, "1.0"), tmp_path / "out/demo", FORMATS[format])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert str(caught.value).startswith(f"the archive {tmp_path}/out/demo can't be written: File too large")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_pipe_in_the_tree_is_one_clear_line(tree: Path) -> None:
    os.mkfifo(tree / "lib/pipe")
    with pytest.raises(ReleaseError, match="lib/pipe is neither a file, a directory nor a link"):
        pack(tree, "zip")


def test_the_name_tells_what_it_is() -> None:
    name = functools.partial(archive_name, "demo", "1.2.0", "x86_64-unknown-linux-gnu")
    assert name("tar.zst") == "demo-1.2.0-x86_64-unknown-linux-gnu.tar.zst"
