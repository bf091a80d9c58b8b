"""Builds that find, share, damage or lack the cache."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from hatch_release.cache import upkeep as cache_upkeep
from hatch_release.cache.store import ENTRY, TREE, Cache
from hatch_release.options.table import Options
from hatch_release.stages import STAGES
from tests.builds import configure, greets, replace
from tests.projects import clean_environment
from tests.trees import snapshot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.projects import Builder, Done

UNSHARE = shutil.which("unshare")
KINDS = ["distribution", "installation", "interpreter", "library", "recent", "start"]
AGAIN = {"HATCH_RELEASE_OVERWRITE": "1"}


def used(directory: Path) -> dict[Path, float]:
    """When each entry was used last."""
    return {each.place: each.used for each in cache_upkeep.entries(Cache(directory))}


def built(root: Path) -> dict[str, object]:
    """The release as plain data."""
    found = snapshot(root)
    assert greets(root)
    return found


def test_a_second_build_takes_everything_from_the_cache(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    private = {"HATCH_RELEASE_CACHE_DIR": str(tmp_path / "own"), **AGAIN}
    first = built(builder.release(project, **private))
    before = used(tmp_path / "own")
    assert {place.parent.name for place in before} == set(KINDS)
    assert built(builder.release(project, **private)) == first
    after = used(tmp_path / "own")
    assert after.keys() == before.keys()
    assert all(after[place] > before[place] for place in before)


def test_a_changed_file_is_in_the_next_release(builder: Builder, project: Path) -> None:
    builder.release(project, **AGAIN)
    replace(project, "Hello, ", "Good day, ", "hello/__init__.py")
    root = builder.release(project, **AGAIN)
    done = subprocess.run([root / "bin" / "hello", "start"], capture_output=True, text=True, check=True)
    assert done.stdout == "Good day, world!\n"


def test_options_are_part_of_what_is_remembered(builder: Builder, project: Path) -> None:
    builder.release(project, **AGAIN)
    root = builder.release(configure(project, 'strip = { keep = ["source"] }'), **AGAIN)
    assert list(root.glob("lib/hello-1.0.0/hello/__init__.py"))
    assert list(root.glob("python-*/lib/python*/os.py"))


def test_what_the_build_before_had_is_in_no_other_release(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    """A build begins to copy what the one before had, which may be too much, too little, or not there any more."""
    private = {"HATCH_RELEASE_CACHE_DIR": str(tmp_path / "own"), **AGAIN}
    anew = {"HATCH_RELEASE_CACHE_DIR": str(tmp_path / "other"), "HATCH_RELEASE_FORCE": "1", **AGAIN}
    before = (project / "pyproject.toml").read_text("utf-8")
    builder.release(project, **private)
    for options in ('stdlib = "full"', 'stdlib-include = ["turtle"]', "include-python = false", ""):
        (project / "pyproject.toml").write_text(before, "utf-8")
        configure(project, options)
        for place in used(tmp_path / "own"):
            if place.parent.name == "distribution":
                shutil.rmtree(place)
                break
        found = built(builder.release(project, **private))
        assert found == built(builder.release(project, **anew))
    assert not list(project.glob("dist/release/.*"))


def test_force_makes_everything_anew(builder: Builder, project: Path, tmp_path: Path) -> None:
    private = {"HATCH_RELEASE_CACHE_DIR": str(tmp_path / "own"), **AGAIN}
    first = built(builder.release(project, **private))
    before = {place: place.stat().st_ino for place in used(tmp_path / "own")}
    assert built(builder.release(project, HATCH_RELEASE_FORCE="1", **private)) == first
    after = {place: place.stat().st_ino for place in used(tmp_path / "own")}
    assert after.keys() == before.keys()
    assert all(after[place] != before[place] for place in before)


def test_a_damaged_cache_costs_time_only(builder: Builder, project: Path, tmp_path: Path) -> None:
    private = {"HATCH_RELEASE_CACHE_DIR": str(tmp_path / "own"), **AGAIN}
    first = built(builder.release(project, **private))
    for place in used(tmp_path / "own"):
        for file in [file for file in (place / TREE).rglob("*") if file.is_file()][:1] or [place / ENTRY]:
            file.write_bytes(file.read_bytes()[:-1] + b"?")
    done = builder.build(project, **private)
    assert done.returncode == 0
    damaged = [line for line in done.stderr.splitlines() if "is damaged" in line]
    assert len(damaged) == len(used(tmp_path / "own"))
    assert "Traceback" not in done.stderr
    assert built(project / "dist" / "release" / "hello") == first
    assert "is damaged" not in builder.build(project, **private).stderr


def test_what_a_release_leaves_out_is_not_copied_from_the_cache(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    private = {"HATCH_RELEASE_CACHE_DIR": str(tmp_path / "own"), **AGAIN}
    (project / "hello" / "tests").mkdir()
    (project / "hello" / "tests" / "__init__.py").write_text("import hello\n", "utf-8")
    first = built(builder.release(project, **private))
    (kept,) = (tmp_path / "own").rglob("hello/tests/__init__.pyc")
    for _ in range(2):  # the first takes what the build before wanted, the second what this one noted
        kept.write_bytes(b"damaged")
        done = builder.build(project, **private)
        assert (done.returncode, "is damaged" in done.stderr) == (0, False)
        assert built(project / "dist" / "release" / "hello") == first
    configure(project, 'strip = { keep = ["tests"] }')
    (tests,) = builder.release(project, **private).rglob("hello/tests/__init__.pyc")
    assert tests.read_bytes() != b"damaged"


STEP = """
import os
from pathlib import Path

def spoil(release):
    (home,) = release.path.glob("lib/hello-*")
    (home / "stranger.txt").write_text("not of the next release")
    (code,) = home.glob("hello/__init__.pyc")
    code.write_bytes(code.read_bytes() + b"spoilt")
    (python,) = release.path.glob("python-*/bin/python3")
    python.chmod(0o700)
    (boot,) = release.path.glob("python-*/lib/python*/abc.pyc")
    os.link(boot, Path(os.environ["OUTSIDE"]) / "linked")
    return release
"""


def test_what_steps_have_done_to_a_release_is_not_in_the_next_one(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    private = {"HATCH_RELEASE_CACHE_DIR": str(tmp_path / "own"), **AGAIN}
    first = built(builder.release(project, **private))
    before = (project / "pyproject.toml").read_text("utf-8")
    (project / "steps.py").write_text(STEP, "utf-8")
    configure(project, 'steps = ["assemble", "steps:spoil"]')
    for number in range(2):
        outside = tmp_path / str(number)
        outside.mkdir()
        builder.release(project, OUTSIDE=str(outside), **private)
        assert list(project.glob("dist/release/hello/lib/hello-*/stranger.txt"))
    (project / "pyproject.toml").write_text(before, "utf-8")
    for _ in range(2):
        assert built(builder.release(project, **private)) == first
    assert not list(project.glob("dist/release/.*"))


LINKS = """
import os
import shutil
from pathlib import Path

def link(release):
    outside = Path(os.environ["OUTSIDE"])
    (home,) = release.path.glob("lib/hello-*")
    (share,) = release.path.glob("python-*/share")
    (library,) = release.path.glob("python-*/lib/python*")
    for path in (home, share, library / "json", library / "abc.pyc"):
        if not (outside / path.name).exists():
            shutil.copytree(path, outside / path.name) if path.is_dir() else shutil.copy(path, outside / path.name)
        shutil.rmtree(path) if path.is_dir() else path.unlink()
        path.symlink_to(outside / path.name)
    return release
"""


def test_what_steps_have_put_links_to_is_left_alone(builder: Builder, project: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    private = {"HATCH_RELEASE_CACHE_DIR": str(tmp_path / "own"), "OUTSIDE": str(outside), **AGAIN}
    module = project / "hello" / "__init__.py"
    module.write_text(f"{module.read_text('utf-8')}\nimport zoneinfo\n", "utf-8")
    first = built(builder.release(project, **private))
    before = (project / "pyproject.toml").read_text("utf-8")
    (project / "steps.py").write_text(LINKS, "utf-8")
    configure(project, 'steps = ["assemble", "steps:link"]')
    builder.release(project, **private)
    linked = snapshot(outside)
    assert any("Paris" in str(path) for path in linked)
    for _ in range(2):
        builder.release(project, **private)
        assert snapshot(outside) == linked
    (project / "pyproject.toml").write_text(before, "utf-8")
    for _ in range(2):
        assert built(builder.release(project, **private)) == first
        assert snapshot(outside) == linked


def test_what_a_build_has_copied_is_there_for_the_next_one(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    private = {"HATCH_RELEASE_CACHE_DIR": str(tmp_path / "own"), **AGAIN}
    first = built(builder.release(project, **private))

    def left() -> dict[str, int]:
        """The files that the next build begins with."""
        (recent,) = (place for place in used(tmp_path / "own") if place.parent.name == "recent")
        files = (path for path in recent.rglob("python-*/lib/python*/**/*") if path.is_file())
        return {path.relative_to(recent).as_posix(): path.stat().st_ino for path in files}

    assert left() == {}  # all of the first became the release
    assert built(builder.release(project, **private)) == first
    before = left()
    assert len(before) > 100
    assert built(builder.release(project, **private)) == first
    after = left()
    assert after == before  # no file was made
    info = command(builder, "cache", "info", directory=tmp_path / "own").stdout
    (size,) = [line.split()[2] for line in info.splitlines() if line.startswith("recent ")]
    assert float(size) > 5


def test_time_zones_come_from_the_cache(builder: Builder, project: Path, tmp_path: Path) -> None:
    private = {"HATCH_RELEASE_CACHE_DIR": str(tmp_path / "own"), **AGAIN}
    module = project / "hello" / "__init__.py"
    module.write_text(f"{module.read_text('utf-8')}\nimport zoneinfo\n", "utf-8")
    first = built(builder.release(project, **private))
    (zones,) = (place for place in used(tmp_path / "own") if place.parent.name == "zones")
    (zones / TREE / "Europe" / "Paris").write_bytes(b"damaged")
    done = builder.build(project, **private)
    assert (done.returncode, "is damaged (Europe/Paris has changed)" in done.stderr) == (0, True)
    assert built(project / "dist" / "release" / "hello") == first
    assert built(builder.release(project, **private)) == first


def test_an_unlocked_project_is_installed_every_time(builder: Builder, project: Path) -> None:
    (project / "requirements.lock").unlink(missing_ok=True)
    done = [builder.build(project, **AGAIN) for _ in range(2)]
    assert [each.returncode for each in done] == [0, 0]
    assert all("no lock found" in each.stderr for each in done)


def mounted(script: str, builder: Builder, project: Path) -> Done:
    """Run `script`, to which the build is given, where it may mount."""
    if UNSHARE is None:
        pytest.skip("needs unshare")
    build = [str(builder.python), "-m", "hatchling", "build", "-t", "release"]
    done = subprocess.run(
        [UNSHARE, "--map-root-user", "--mount", "sh", "-c", script, "sh", *build],
        cwd=project,
        env=clean_environment(HATCH_RELEASE_CACHE_DIR=str(project / "kept"), **AGAIN),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode in {1, 77} and "Warning" not in done.stderr:
        pytest.skip(f"this machine allows no mounts: {done.stderr}")
    return done


READ_ONLY = 'mount --bind kept kept && mount -o remount,ro,bind kept || exit 77; "$@"'


@pytest.mark.parametrize("filled", [True, False])
def test_a_read_only_cache(builder: Builder, project: Path, *, filled: bool) -> None:
    (project / "kept").mkdir()
    if filled:
        builder.release(project, HATCH_RELEASE_CACHE_DIR=str(project / "kept"))
    before = snapshot(project / "kept")
    done = mounted(READ_ONLY, builder, project)
    assert done.returncode == 0, done.stderr
    told = [line for line in done.stderr.splitlines() if line.startswith("Warning: the cache")]
    if filled:
        assert told == []
    else:
        (line,) = told
        assert line == (
            f"Warning: the cache {project / 'kept'} can't be written (Read-only file system): "
            "later builds will take longer; HATCH_RELEASE_CACHE_DIR names another"
        )
    assert snapshot(project / "kept") == before
    assert greets(project / "dist" / "release" / "hello")


def test_a_full_cache(builder: Builder, project: Path) -> None:
    (project / "kept").mkdir()
    done = mounted('mount -t tmpfs -o size=3m tmpfs kept || exit 77; "$@"', builder, project)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("Warning: the cache")]
    assert "can't be written (No space left on device)" in line
    assert greets(project / "dist" / "release" / "hello")


def lines_of(process: subprocess.Popen[str]) -> Iterator[str]:
    assert process.stdout is not None
    yield from process.stdout


def test_after_a_kill_in_any_stage_the_next_build_works(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    private = {"HATCH_RELEASE_CACHE_DIR": str(tmp_path / "own"), **AGAIN}
    configure(project, 'steps = ["assemble", "tar"]')
    # The first one finds an empty cache, later ones what those before them had made when they were killed.
    for title in (*(each.title for each in STAGES if each.wanted(Options())), "Packing", "Release hello"):
        with subprocess.Popen(
            [str(builder.python), "-m", "hatchling", "build", "-t", "release"],
            cwd=project,
            env=clean_environment(**private),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        ) as process:
            told = []
            for line in lines_of(process):
                told.append(line)
                if line.startswith(title):
                    os.killpg(process.pid, signal.SIGKILL)
            assert any(line.startswith(title) for line in told), "".join(told)
            assert not [line for line in told if "is damaged" in line or "Error" in line], "".join(told)
    done = builder.build(project, **private)
    assert done.returncode == 0, done.stderr
    assert "is damaged" not in done.stderr
    assert greets(project / "dist" / "release" / "hello")
    names = sorted(path.name for path in (project / "dist" / "release").iterdir())
    assert [name.partition("-")[0] for name in names] == ["hello", "hello"]


def test_two_builds_at_once_with_an_empty_cache(builder: Builder, project: Path, tmp_path: Path) -> None:
    other = shutil.copytree(project, tmp_path / "other" / "hello")
    environment = clean_environment(HATCH_RELEASE_CACHE_DIR=str(tmp_path / "own"))
    running = [
        subprocess.Popen(
            [str(builder.python), "-m", "hatchling", "build", "-t", "release"],
            cwd=directory,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        for directory in (project, other)
    ]
    for each in running:
        assert "the cache" not in each.communicate()[1]
        assert each.returncode == 0
    assert greets(project / "dist" / "release" / "hello")
    assert greets(other / "dist" / "release" / "hello")


def command(builder: Builder, *arguments: str, directory: Path) -> Done:
    """Run `hatch-release`."""
    return subprocess.run(
        [str(builder.python.with_name("hatch-release")), *arguments],
        env=clean_environment(HATCH_RELEASE_CACHE_DIR=str(directory)),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_command(builder: Builder, project: Path, tmp_path: Path) -> None:
    directory = tmp_path / "own"
    assert command(builder, "cache", "dir", directory=directory).stdout == f"{directory}\n"
    builder.release(project, HATCH_RELEASE_CACHE_DIR=str(directory))
    number = len(used(directory))
    *kinds, total = command(builder, "cache", "info", directory=directory).stdout.splitlines()
    assert [line.split()[0] for line in kinds] == KINDS
    assert total.split()[:2] == ["all", str(number)]
    assert "removed 0 entries" in command(builder, "cache", "prune", directory=directory).stdout
    removed = command(builder, "cache", "prune", "--gigabytes", "0.001", directory=directory).stdout
    assert removed.startswith("removed ")
    assert 0 < len(used(directory)) < number
    cleared = command(builder, "cache", "clear", directory=directory)
    assert cleared.returncode == 0
    assert used(directory) == {}
    assert greets(builder.release(project, HATCH_RELEASE_CACHE_DIR=str(directory), **AGAIN))


def test_a_misspelt_command_gets_the_nearest(builder: Builder, tmp_path: Path) -> None:
    done = command(builder, "cache", "prun", directory=tmp_path)
    assert done.returncode == 2
    assert "did you mean 'prune'?" in done.stderr
