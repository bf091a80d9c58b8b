"""Checksums are taken once, and never believed of a file that has changed since."""

from __future__ import annotations

import hashlib
import os
import threading
from typing import TYPE_CHECKING

import pytest

from hatch_release.cache.digests import Digests
from hatch_release.staging.comparison import equal_parts, read_ahead
from tests.trees import write_files

if TYPE_CHECKING:
    from pathlib import Path


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_a_file_that_changes_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "lib" / "a-1" / "data"
    write_files(tmp_path, {"lib/a-1/data": "before"})
    file.unlink()
    os.mkfifo(file)
    digests, found = Digests(tmp_path), []
    reader = threading.Thread(target=lambda: found.append(digests.of(["lib/a-1/data"])))
    reader.start()
    with file.open("w", encoding="utf-8") as stream:  # opens when the reader has
        file.unlink()
        write_files(tmp_path, {"lib/a-1/data": "after"})
        stream.write("before")
    reader.join()
    assert found == [{"lib/a-1/data": sha256("before")}]
    assert digests.of(["lib/a-1/data"]) == {"lib/a-1/data": sha256("after")}


@pytest.mark.parametrize("where", ["root", "tree"])
@pytest.mark.parametrize(
    "change",
    ["contents", "size", "mode", "more", "less", "kind", "link"],
)
def test_what_was_read_ahead_and_has_changed_since_differs(tmp_path: Path, change: str, where: str) -> None:
    for name in ("root", "tree"):
        write_files(tmp_path / name, {"lib/a-1/x": "one", "lib/a-1/y": "two", "lib/b-1/z": "three"})
        (tmp_path / name / "lib/a-1/link").symlink_to("x")
    root, tree = tmp_path / "root", tmp_path / "tree"
    ours, theirs = Digests(tree), Digests(root)
    read_ahead(root, tree, theirs.of)
    parts = ["lib/a-1", "lib/b-1"]
    assert equal_parts(root, tree, parts, ours.of, theirs.of) == {*parts}
    unit = tmp_path / where / "lib" / "a-1"
    match change:
        case "contents":
            (unit / "x").write_text("eno", encoding="utf-8")
        case "size":
            (unit / "x").write_text("one more", encoding="utf-8")
        case "mode":
            (unit / "x").chmod(0o700)
        case "more":
            (unit / "new").touch()
        case "less":
            (unit / "y").unlink()
        case "kind":
            (unit / "y").unlink()
            (unit / "y").mkdir()
        case _:
            (unit / "link").unlink()
            (unit / "link").symlink_to("y")
    assert equal_parts(root, tree, parts, ours.of, theirs.of) == {"lib/b-1"}


def test_without_a_root_nothing_is_equal(tmp_path: Path) -> None:
    write_files(tmp_path / "tree", {"lib/a-1/x": "one"})
    root, tree = tmp_path / "root", tmp_path / "tree"
    read_ahead(root, tree, Digests(root).of)
    assert equal_parts(root, tree, ["lib/a-1"], Digests(tree).of, Digests(root).of) == set()
