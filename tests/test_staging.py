"""Staging: nothing is left behind, nothing is half installed, whatever kills a run."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_release.errors import ReleaseError
from hatch_release.runtime import manifest
from hatch_release.staging.area import Staging, recover
from tests.trees import snapshot, version_files, write_files, write_version

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

# Installs into the root (1) the version (2), and kills itself with the signal (3) at the rename (4).
KILLED = """
import os, signal, sys
from pathlib import Path
from hatch_release.staging.area import Staging, recover
from tests.test_staging import OVERWRITTEN
from tests.trees import write_version

root, version, number, last = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
count = 0
def on_rename(source, target):
    global count
    count += 1
    if count == last:
        os.kill(os.getpid(), number)

with Staging(root, on_rename) as staging:
    write_version(staging.path, version, OVERWRITTEN)
    staging.install(version)
"""

# As above, of `recover`.
KILLED_RECOVERY = """
import os, signal, sys
from pathlib import Path
from hatch_release.staging.area import recover

left = int(sys.argv[2])
def rename(source, target):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    source.rename(target)

recover(Path(sys.argv[1]), rename)
"""

FIRST = version_files(
    "1.0",
    **{"lib/gone-1/gone.pyc": "gone", "etc/demo/old.conf": "old", "etc/kept.conf": "kept", "notes": "1"},
)
OVERWRITTEN = {
    **version_files("1.0", **{"lib/demo-1.0/demo.pyc": "changed", "lib/new-1/new.pyc": "new"}),
    "bin/demo": "#!/bin/sh\necho changed\n",
    "python-3.11.7/lib/added.pyc": "added",
    "etc/kept.conf": "kept",
    "share/all/new": "new",
    "notes": "2",
}
"""The same version again: libraries, files and directories changed, added and gone."""


def install(
    root: Path,
    version: str,
    files: Mapping[str, str] | None = None,
    on_rename: Callable[[Path, Path], None] | None = None,
) -> None:
    with Staging(root, on_rename) as staging:
        write_version(staging.path, version, files)
        staging.install(version)


def run(program: str, *arguments: object) -> int:
    command = [sys.executable, "-c", program, *map(str, arguments)]
    return subprocess.run(
        command, cwd=Path(__file__).parents[1], check=False, stderr=subprocess.DEVNULL
    ).returncode


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with version 1.0, files of a run, and a file of the user's."""
    root = tmp_path / "dist" / "demo"
    install(root, "1.0", FIRST)
    write_files(root, {"tmp/log/demo.log": "started", "etc/mine.conf": "the user's"})
    return root


def test_the_first_version_becomes_the_root(tmp_path: Path) -> None:
    root = tmp_path / "dist/release/demo"
    mask = os.umask(0o077)
    try:
        with Staging(root) as staging:
            assert staging.path.parent.parent == root.parent
            assert staging.recovered == []
            write_files(staging.scratch, {"intermediate": ""})
            write_version(staging.path, "1.0")
            expected = snapshot(staging.path)
            staging.install("1.0")
            assert not staging.path.exists()
    finally:
        os.umask(mask)
    assert snapshot(root) == expected
    assert root.stat().st_mode & 0o777 == 0o755
    assert list(root.parent.iterdir()) == [root]


def test_another_version_comes_beside_it(root: Path) -> None:
    before = snapshot(root)
    install(root, "2.0")
    after = snapshot(root)
    replaced = {name for name in before if before[name] != after[name]}
    assert replaced == {"releases/start.data"}
    assert after["releases/start.data"] == ("-rw-r--r--", b"3.11.7 2.0\n")
    assert set(after) > set(before)
    assert manifest.verify(str(root), "1.0") == []
    assert manifest.verify(str(root), "2.0") == []


def test_what_is_equal_is_left_alone(root: Path) -> None:
    inodes = {path: path.stat().st_ino for path in root.rglob("*")}
    seen: list[str] = []
    with Staging(root, lambda _source, target: seen.append(target.name)) as staging:
        write_version(staging.path, "1.0", FIRST)
        staging.install("1.0")
    assert seen == ["committed"]
    assert {path: path.stat().st_ino for path in root.rglob("*")} == inodes


@pytest.mark.parametrize("change", ["bit", "private", "directory", "link", "kind", "extra"])
def test_what_differs_in_any_way_is_replaced(root: Path, change: str) -> None:
    library = root / "lib/common-1.0"
    with Staging(root) as staging:
        write_version(staging.path, "1.0", FIRST)
        new = staging.path / "lib/common-1.0"
        if change == "bit":
            (new / "common.pyc").chmod(0o755)
        elif change == "private":
            (new / "common.pyc").chmod(0o600)
        elif change == "directory":
            new.chmod(0o750)
        elif change == "extra":
            (new / "empty").mkdir()
        elif change == "link":
            (library / "link").symlink_to("one")
            (new / "link").symlink_to("two")
        else:
            shutil.rmtree(new)
            new.write_text("a file", encoding="utf-8")
        expected = snapshot(staging.path / "lib")
        staging.install("1.0")
    assert snapshot(root / "lib") == expected


def test_overwriting_removes_what_the_version_no_longer_has(root: Path) -> None:
    install(root, "2.0", version_files("2.0", **{"lib/gone-1/gone.pyc": "gone"}))
    install(root, "1.0", OVERWRITTEN)
    assert (root / "lib/gone-1/gone.pyc").exists(), "version 2.0 uses it"
    assert not (root / "etc/demo").exists()
    assert (root / "etc/mine.conf").read_text(encoding="utf-8") == "the user's"
    assert (root / "tmp/log/demo.log").exists()
    assert (root / "lib/new-1/new.pyc").exists()
    install(root, "2.0", version_files("2.0", **{"python-3.11.7/lib/added.pyc": "added"}))
    assert not (root / "lib/gone-1").exists(), "nobody uses it any more"
    assert manifest.verify(str(root), "1.0") == []
    assert manifest.verify(str(root), "2.0") == []


def test_nothing_is_removed_when_a_version_cannot_say_what_it_uses(root: Path) -> None:
    install(root, "2.0")
    (root / "releases/2.0/manifest.sha256").unlink()
    install(root, "1.0", OVERWRITTEN)
    assert (root / "lib/gone-1/gone.pyc").exists()


def test_a_link_as_root_and_as_directory_is_followed(root: Path, tmp_path: Path) -> None:
    (root / "etc").rename(tmp_path / "etc")
    (root / "etc").symlink_to(tmp_path / "etc")
    (tmp_path / "current").symlink_to(root)
    install(tmp_path / "current", "1.0", OVERWRITTEN)
    assert (tmp_path / "current").is_symlink()
    assert (root / "etc").is_symlink()
    assert {path.name for path in (tmp_path / "etc").iterdir()} == {"kept.conf", "mine.conf"}
    assert manifest.verify(str(root), "1.0") == []


def test_a_file_does_not_replace_a_directory(root: Path) -> None:
    before = snapshot(root)
    with pytest.raises(ReleaseError, match="etc is a directory, and the new release has a file of that name"):
        install(root, "2.0", version_files("2.0", etc="a file"))
    assert snapshot(root) == before


@pytest.mark.parametrize("raised", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failed_assembly_leaves_no_litter(tmp_path: Path, raised: type[BaseException]) -> None:
    def assemble() -> None:
        with Staging(tmp_path / "dist/release/demo") as staging:
            write_version(staging.path, "1.0")
            (staging.path / "lib/common-1.0").chmod(0o500)
            raise raised

    with pytest.raises(raised):
        assemble()
    assert list(tmp_path.iterdir()) == []


def count_renames(root: Path, copy: Path) -> int:
    """How many renames it takes to overwrite a copy of the root."""
    shutil.copytree(root, copy / "demo")
    seen: list[Path] = []
    install(copy / "demo", "1.0", OVERWRITTEN, lambda source, _target: seen.append(source))
    return len(seen)


def test_an_error_in_the_middle_undoes_all(root: Path, tmp_path: Path) -> None:
    before = snapshot(root.parent)
    total = count_renames(root, tmp_path / "copy")
    assert total > 8
    for last in range(1, total + 1):
        left = [None] * last

        def fail(_source: Path, target: Path, left: list[None] = left) -> None:
            left.pop()
            if not left:
                raise OSError(errno.EIO, "Input/output error", str(target))

        with pytest.raises(ReleaseError, match=r"1\.0 can't be installed in .*: Input/output error"):
            install(root, "1.0", OVERWRITTEN, fail)
        assert snapshot(root.parent) == before


def test_a_kill_in_the_middle_is_undone_by_the_next_run(root: Path, tmp_path: Path) -> None:
    before = snapshot(root.parent)
    total = count_renames(root, tmp_path / "copy")
    changed = 0
    for last in range(1, total + 1):
        assert run(KILLED, root, "1.0", int(signal.SIGKILL), last) == -signal.SIGKILL
        changed += snapshot(root) != {k[5:]: v for k, v in before.items() if k.startswith("demo/")}
        lines = recover(root)
        assert [line.partition(".demo.assembling-")[0] for line in lines] == [
            "An earlier run was killed: its unfinished installation was undone, and "
        ]
        assert snapshot(root.parent) == before
    assert changed == total - 1, "all but the first kill leave something to undo"
    assert run(KILLED, root, "1.0", int(signal.SIGKILL), total + 1) == 0
    assert snapshot(root) == snapshot(tmp_path / "copy/demo")


def test_a_killed_recovery_is_finished_by_the_next_one(root: Path, tmp_path: Path) -> None:
    before = snapshot(root.parent)
    total = count_renames(root, tmp_path / "copy")
    assert run(KILLED, root, "1.0", int(signal.SIGKILL), total) == -signal.SIGKILL
    left = 0
    while run(KILLED_RECOVERY, root, left + 2) == -signal.SIGKILL:
        left += 1
    assert left > 3
    assert snapshot(root.parent) == before


def test_the_next_run_recovers_by_itself(root: Path, tmp_path: Path) -> None:
    total = count_renames(root, tmp_path / "copy")
    assert run(KILLED, root, "1.0", int(signal.SIGKILL), total // 2) == -signal.SIGKILL
    with Staging(root) as staging:
        assert len(staging.recovered) == 1
        write_version(staging.path, "1.0", OVERWRITTEN)
        staging.install("1.0")
    assert snapshot(root) == snapshot(tmp_path / "copy/demo")
    assert list(root.parent.iterdir()) == [root]


def test_a_run_that_died_while_another_one_was_assembling_is_undone_first(root: Path, tmp_path: Path) -> None:
    total = count_renames(root, tmp_path / "copy")
    with Staging(root) as staging:
        write_version(staging.path, "1.0", OVERWRITTEN)
        assert run(KILLED, root, "1.0", int(signal.SIGKILL), total // 2) == -signal.SIGKILL
        staging.install("1.0")
    assert snapshot(root) == snapshot(tmp_path / "copy/demo")
    assert list(root.parent.iterdir()) == [root]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_undoes_all(root: Path, number: signal.Signals) -> None:
    before = snapshot(root)
    assert run(KILLED, root, "1.0", int(number), 4) == -number
    assert snapshot(root) == before
    recover(root)  # SIGTERM's default action leaves the directory
    assert list(root.parent.iterdir()) == [root]


def test_a_signal_raises_only_when_all_is_undone(root: Path) -> None:
    before = snapshot(root.parent)
    count = 0

    def interrupt(_source: Path, _target: Path) -> None:
        nonlocal count
        count += 1
        if count == 3:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        install(root, "1.0", OVERWRITTEN, interrupt)
    assert snapshot(root.parent) == before
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_living_run_is_left_alone(root: Path) -> None:
    with Staging(root) as staging:
        write_files(staging.path, {"lib/a": "a"})
        assert recover(root) == []
        with Staging(root) as other:
            assert other.recovered == []
            assert other.path != staging.path
        assert (staging.path / "lib/a").exists()


def test_directories_of_other_releases_are_left_alone(root: Path) -> None:
    others = [
        root.parent / ".demo.assembling-x.assembling-abcdefgh",
        root.parent / ".other.assembling-abcdefgh",
    ]
    for other in others:
        other.mkdir()
    (root.parent / ".demo.assembling-abcdefgh").mkdir()
    assert len(recover(root)) == 1
    assert sorted(root.parent.iterdir()) == sorted([root, *others])


def test_two_runs_at_once_both_succeed(root: Path) -> None:
    failures: list[BaseException] = []

    def work(version: str) -> None:
        try:
            for _ in range(5):
                install(root, version)
        except BaseException as error:  # noqa: BLE001 - shown by the test
            failures.append(error)

    threads = [threading.Thread(target=work, args=(version,)) for version in ("1.0", "2.0", "3.0")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    for version in ("1.0", "2.0", "3.0"):
        assert manifest.verify(str(root), version) == []
    assert list(root.parent.iterdir()) == [root]


def test_a_merge_waits_for_another_one(root: Path) -> None:
    with Staging(root) as staging:
        write_version(staging.path, "2.0")
        lock = os.open(root.parent, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        thread = threading.Thread(target=staging.install, args=("2.0",))
        thread.start()
        time.sleep(0.2)
        assert not (root / "releases/2.0").exists()
        os.close(lock)
        thread.join()
    assert (root / "releases/2.0").exists()


def test_an_unwritable_place_is_one_clear_line(tmp_path: Path) -> None:
    # Root may write anywhere, unless the capability to do so is given up.
    command = [sys.executable, "-c", "import sys; from pathlib import Path\n"]
    command[-1] += (
        "from hatch_release.staging.area import Staging\nfrom hatch_release.errors import ReleaseError\n"
    )
    command[-1] += (
        "try:\n    Staging(Path(sys.argv[1])).__enter__()\nexcept ReleaseError as error:\n    print(error)"
    )
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        if not setpriv:
            pytest.skip("root writes anywhere, and there is no setpriv here")
        command = [setpriv, "--inh-caps=-dac_override", "--bounding-set=-dac_override", *command]
    place = tmp_path / "place"
    place.mkdir(mode=0o555)
    for root in (place / "demo", place / "dist/demo"):
        done = subprocess.run(
            [*command, str(root)], cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True
        )
        assert done.stdout.startswith(f"{root} can't be assembled: Permission denied ({place}/")
        assert done.stdout.count("\n") == 1
        assert list(place.iterdir()) == []


def test_a_file_in_the_way_is_one_clear_line(tmp_path: Path) -> None:
    write_files(tmp_path, {"dist": "a file"})
    with pytest.raises(ReleaseError, match="dist/release/demo can't be assembled: Not a directory"):
        install(tmp_path / "dist/release/demo", "1.0")


def test_no_room_while_assembling_is_one_clear_line(tmp_path: Path) -> None:
    def assemble() -> None:
        with Staging(tmp_path / "demo"), Path("/dev/full").open("w", encoding="ascii") as full:
            full.write("x")

    with pytest.raises(ReleaseError, match="demo can't be assembled: No space left on device"):
        assemble()
    assert list(tmp_path.iterdir()) == []


def test_a_root_removed_by_hand_after_a_kill_stays_removed(root: Path) -> None:
    assert run(KILLED, root, "1.0", int(signal.SIGKILL), 5) == -signal.SIGKILL
    shutil.rmtree(root)
    assert len(recover(root)) == 1
    assert list(root.parent.iterdir()) == []


def test_a_kill_before_the_first_installation_leaves_nothing_to_boot(tmp_path: Path) -> None:
    assert run(KILLED, tmp_path / "demo", "1.0", int(signal.SIGKILL), 1) == -signal.SIGKILL
    assert not (tmp_path / "demo").exists()
    assert [line.partition(".demo.assembling-")[0] for line in recover(tmp_path / "demo")] == [
        "An earlier run was killed: "
    ]
    assert list(tmp_path.iterdir()) == []
