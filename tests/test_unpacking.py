"""Archives from elsewhere: what is in them lands below the directory that is given, or nowhere."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import stat
import subprocess
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest
import zstandard

from hatch_release.errors import ReleaseError
from hatch_release.interpreter.unpacking import SUFFIXES, unpack

if TYPE_CHECKING:
    from pathlib import Path


def entry(name: str, data: bytes = b"", **more: object) -> tuple[tarfile.TarInfo, bytes]:
    header = tarfile.TarInfo(name)
    header.size = len(data)
    for key, value in more.items():
        setattr(header, key, value)
    return header, data


def link(name: str, to: str, kind: bytes = tarfile.SYMTYPE) -> tuple[tarfile.TarInfo, bytes]:
    return entry(name, type=kind, linkname=to)


def tar_of(path: Path, *entries: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for header, data in entries:
            archive.addfile(header, io.BytesIO(data))
    return path


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    tree = tmp_path / "tree"
    (tree / "bin").mkdir(parents=True)
    (tree / "lib/some data").mkdir(parents=True)
    (tree / "bin/python3.12").write_text("#!/bin/sh\n")
    (tree / "bin/python3.12").chmod(0o755)
    (tree / "bin/python3").symlink_to("python3.12")
    (tree / "lib/some data/data").write_bytes(os.urandom(300_000))
    (tree / "lib64").symlink_to("lib")
    (tree / "build").mkdir()
    (tree / "build/object.o").write_bytes(b"o")
    return tree


def program(name: str) -> str:
    return shutil.which(name) or pytest.skip(f"{name} is not installed")


def pack(tree: Path, suffix: str) -> Path:
    archive = tree.parent / f"packed{suffix}"
    names = sorted(each.name for each in tree.iterdir())
    if suffix == ".zip":
        subprocess.run([program("zip"), "-qry", str(archive), *names], cwd=tree, check=True)
    elif suffix == ".tar.zst":
        archive.write_bytes(zstandard.compress(gzip.decompress(pack(tree, ".tar.gz").read_bytes())))
    else:
        subprocess.run([program("tar"), "-caf", str(archive), *names], cwd=tree, check=True)
    return archive


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_an_archive_of_any_kind_gives_its_tree_back(tree: Path, tmp_path: Path, suffix: str) -> None:
    unpack(pack(tree, suffix), tmp_path / "out", skip="build")
    for path in sorted(tree.rglob("*")):
        twin = tmp_path / "out" / path.relative_to(tree)
        if "build" in path.parts[len(tree.parts) :]:
            assert not twin.exists()
        elif path.is_symlink():
            assert twin.readlink() == path.readlink()
        elif path.is_file():
            assert twin.read_bytes() == path.read_bytes()
            assert twin.stat().st_mode & stat.S_IXUSR == path.stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("kept", [0.0, 0.5, 0.99])
def test_a_part_of_an_archive_is_damaged(tree: Path, tmp_path: Path, suffix: str, kept: float) -> None:
    archive = pack(tree, suffix)
    data = archive.read_bytes()
    archive.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(ReleaseError, match=r"^the archive \S+ is damaged \(.*\): fetch or make it again$"):
        unpack(archive, tmp_path / "out")


def test_a_changed_byte_is_damage(tree: Path, tmp_path: Path) -> None:
    archive = pack(tree, ".tar.gz")
    data = bytearray(archive.read_bytes())
    data[len(data) // 2] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(ReleaseError, match="is damaged"):
        unpack(archive, tmp_path / "out")


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        pytest.param([entry("../out2/evil", b"x")], "has a name that leads out of it", id="dots"),
        pytest.param([entry("a/../../evil", b"x")], "has a name that leads out of it", id="dots inside"),
        pytest.param([entry("/tmp/evil", b"x")], "has a name that leads out of it", id="absolute"),  # noqa: S108 - never made
        pytest.param(
            [link("a", "/etc"), entry("a/evil", b"x")], "is a link out of it, to /etc", id="through"
        ),
        pytest.param([link("a", "../..")], r"is a link out of it, to \.\./\.\.", id="link"),
        pytest.param(
            [entry("d/e/f", b""), link("d/p", "e/.."), link("d/e/up", "../.."), link("q", "d/e/up/..")],
            "is a link out of it",
            id="by way of another link",
        ),
        pytest.param(
            [entry("d/e/f", b""), link("d/e/top", "../.."), link("d/e/q", "top/.."), link("d/e/q/evil", "x")],
            "is a link out of it",
            id="a link made through links",
        ),
        pytest.param(
            [link("a", "../../x", tarfile.LNKTYPE)], "has a name that leads out", id="hard link out"
        ),
        pytest.param(
            [link("a", "b", tarfile.LNKTYPE)], "is a link to b, which was not", id="hard link to nothing"
        ),
        pytest.param([entry("fifo", type=tarfile.FIFOTYPE)], "is neither a file, a directory nor", id="fifo"),
        pytest.param(
            [entry("null", type=tarfile.CHRTYPE)], "is neither a file, a directory nor", id="device"
        ),
    ],
)
def test_what_has_no_place_in_a_directory_is_refused(
    tmp_path: Path, entries: list[tuple[tarfile.TarInfo, bytes]], message: str
) -> None:
    out = tmp_path / "deep" / "out"
    with pytest.raises(ReleaseError, match=message):
        unpack(tar_of(tmp_path / "bad.tar.gz", *entries), out)
    assert {path.name for path in tmp_path.rglob("*") if not path.is_relative_to(out)} == {
        "bad.tar.gz",
        "deep",
    }


def test_a_zip_file_leads_nowhere_else_either(tmp_path: Path) -> None:
    for name, data, mode in (("../../evil", "x", stat.S_IFREG), ("link", "/etc", stat.S_IFLNK)):
        with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
            header = zipfile.ZipInfo(name)
            header.external_attr = (mode | 0o644) << 16
            archive.writestr(header, data)
        with pytest.raises(ReleaseError, match="out of it"):
            unpack(tmp_path / "bad.zip", tmp_path / "out" / str(mode))
    assert not (tmp_path / "evil").exists()


def test_hard_links_are_files_and_modes_are_tame(tmp_path: Path) -> None:
    unpack(
        tar_of(
            tmp_path / "some.tar.gz",
            entry("a", b"text", mode=0o6777),
            entry("b", b"text", mode=0o000),
            link("c", "a", tarfile.LNKTYPE),
        ),
        tmp_path / "out",
    )
    modes = {path.name: stat.S_IMODE(path.lstat().st_mode) for path in (tmp_path / "out").iterdir()}
    assert modes == {"a": 0o755, "b": 0o644, "c": 0o755}
    assert (tmp_path / "out/c").read_text() == "text"


def test_one_name_for_a_file_and_a_directory_is_damage(tmp_path: Path) -> None:
    archive = tar_of(tmp_path / "some.tar.gz", entry("a", b"x"), entry("a/b", b"x"))
    with pytest.raises(ReleaseError, match="is damaged"):
        unpack(archive, tmp_path / "out")
