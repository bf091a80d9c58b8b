"""A staging directory whose run fails, is killed, or is in the way of another run."""

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

import pytest

from hatch_release.errors import ReleaseError
from hatch_release.runtime import manifest
from hatch_release.staging.area import Staging, recover
from tests.staged import (
    KILLED,
    KILLED_RECOVERY,
    OVERWRITTEN,
    count_renames,
    install,
    installed_root,
    run,
)
from tests.trees import snapshot, write_files, write_version


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A root with version 1.0."""
    return installed_root(tmp_path)


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
