"""`hatch-release inspect` and `verify`: of directories and of archives, whole and damaged."""

from __future__ import annotations

import json
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests import interpreters
from tests.builds import configure, replace
from tests.conftest import copy_fixture
from tests.projects import Builder, run
from tests.test_commands import hatch_release

FORMATS = ("tar.zst", "tar.gz", "zip")


@pytest.fixture(scope="module")
def dist(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with one version of `hello` in `hello/`, and archives of it."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("inspected"))
    configure(project, 'steps = ["assemble", "tar"]\narchive = "tar.zst"')
    (project / "rel" / "overlays").mkdir(parents=True)
    builder = builders[interpreters.running()]
    for number, form in enumerate(FORMATS):
        if number:
            replace(project, FORMATS[number - 1], form)
        builder.release(project, HATCH_RELEASE_OVERWRITE="1")
    return project / "dist" / "release"


@pytest.fixture
def root(dist: Path, tmp_path: Path) -> Path:
    """A copy of the release, to damage."""
    return Path(shutil.copytree(dist / "hello", tmp_path / "my release ü", symlinks=True))


def archive(dist: Path, form: str) -> Path:
    (found,) = dist.glob(f"hello-*.{form}")
    return found


def inspected(*arguments: str | Path) -> dict[str, Any]:
    done = hatch_release("inspect", *map(str, arguments), "--json")
    assert (done.returncode, done.stderr) == (0, "")
    value: dict[str, Any] = json.loads(done.stdout)
    return value


def test_a_directory(dist: Path) -> None:
    found = inspected(dist / "hello")
    assert found["format"] == "directory"
    files = [path for path in (dist / "hello").rglob("*") if path.is_file() and not path.is_symlink()]
    assert found["size"] == sum(path.stat().st_size for path in files)
    (version,) = found["versions"]
    assert (version["name"], version["version"], version["boots"]) == ("hello", "1.0.0", True)
    assert version["size"] == found["size"]
    assert version["target"].endswith("-linux-gnu")
    assert version["glibc"] >= "2."
    assert version["python"]["version"].startswith(interpreters.running())
    assert version["applications"] == [
        {
            "name": "hello",
            "distribution": "hello",
            "kind": "script",
            "mode": "permanent",
            "start": "hello.__main__:main",
        }
    ]
    assert {part["name"] for part in version["parts"]} == {
        "hello",
        "Python",
        "hatch-release runtime",
        "boot files and scripts",
    }
    own = next(part for part in version["parts"] if part["name"] == "hello")
    assert (own["version"], own["mode"], own["why"]) == ("1.0.0", "permanent", ["the project"])
    assert set(own["kinds"]) == {"code", "metadata"}
    python = next(part for part in version["parts"] if part["name"] == "Python")
    assert {"stdlib", "interpreter", "native libraries"} <= set(python["kinds"])
    assert sum(version["kinds"].values()) == sum(part["size"] for part in version["parts"]) == found["size"]
    reasons = json.loads((dist / "hello/releases/1.0.0/consolidated/stdlib.json").read_text())
    assert version["stdlib"] == {key: len(value) for key, value in reasons.items()}


@pytest.mark.parametrize("form", FORMATS)
def test_an_archive_is_told_as_its_directory_is(dist: Path, form: str, tmp_path: Path) -> None:
    # Whatever it is called.
    source = Path(shutil.copy(archive(dist, form), tmp_path / "delivery"))
    packed = inspected(source)
    assert (packed["format"], packed["packed"]) == (form, source.stat().st_size)
    plain = inspected(dist / "hello")
    for part in (*packed["versions"][0]["parts"], *plain["versions"][0]["parts"]):
        if part["type"] == "release":  # the option `archive` is not the same
            part["size"] = part["kinds"] = 0
    assert packed["versions"][0]["parts"] == plain["versions"][0]["parts"]
    assert list(tmp_path.iterdir()) == [source]


def test_the_table(dist: Path) -> None:
    done = hatch_release("inspect", str(archive(dist, "tar.gz")))
    assert (done.returncode, done.stderr) == (0, "")
    assert "tar.gz" in done.stdout.splitlines()[0]
    assert "hello 1.0.0 (boots)" in done.stdout
    for title in ("target", "Python", "application", "kind", "what takes the room", "stdlib"):
        assert title in done.stdout
    assert max(map(len, done.stdout.splitlines()[1:])) < 100


def test_without_a_name_it_is_the_one_in_dist(dist: Path, tmp_path: Path) -> None:
    project = dist.parents[1]
    assert "hello 1.0.0" in hatch_release("inspect", cwd=project).stdout
    assert "every file is as it was assembled" in hatch_release("verify", cwd=project).stdout
    done = hatch_release("inspect", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (
        1,
        "Error: there is no release in dist/release: build one, or name its directory or archive\n",
    )
    for name in ("one", "two"):
        (tmp_path / "dist/release" / name / "releases").mkdir(parents=True)
        (tmp_path / "dist/release" / name / "releases/start.data").write_text("3 1\n")
    done = hatch_release("inspect", cwd=tmp_path)
    assert "name one: dist/release/one, dist/release/two" in done.stderr


# Why something is in


def test_why_a_module_is_in(dist: Path) -> None:
    reasons = json.loads((dist / "hello/releases/1.0.0/consolidated/stdlib.json").read_text())["included"]
    module = next(name for name, reason in reasons.items() if reasons.get(reason) == "the interpreter")
    done = hatch_release("inspect", str(dist / "hello"), "--why", module)
    assert done.stdout == f"{module} <- {reasons[module]} <- the interpreter\n"
    chain = inspected(archive(dist, "zip"), "--why", module)
    assert chain == {"1.0.0": [module, reasons[module], "the interpreter"]}


def test_why_a_module_of_the_project_brings_one_in(dist: Path) -> None:
    chain = inspected(dist / "hello", "--why", "argparse")["1.0.0"]
    assert chain == ["argparse", "hello.__main__ (in hello)", "the project"]


def test_why_something_is_not_in(dist: Path) -> None:
    done = hatch_release("inspect", str(dist / "hello"), "--why", "tkinter")
    assert (done.returncode, done.stdout) == (1, "")
    assert 'stdlib-include = ["tkinter"] brings it' in done.stderr
    done = hatch_release("inspect", str(dist / "hello"), "--why", "argprase")
    assert (done.returncode, done.stdout) == (1, "")
    assert "did you mean 'argparse'?" in done.stderr


def test_why_a_distribution_is_in(builder: Builder, tmp_path: Path) -> None:
    root = builder.release(copy_fixture("cli", tmp_path))
    assert hatch_release("inspect", str(root), "--why", "HTTPX").stdout == "httpx <- cli <- the project\n"
    assert hatch_release("inspect", str(root), "--why", "idna").stdout.endswith(
        "httpx <- cli <- the project\n"
    )
    # A module that a dependency names.
    done = hatch_release("inspect", str(root), "--why", "zlib")
    assert done.stdout.endswith("the project\n") or done.stdout.endswith("shell\n")


def test_distributions_that_share_a_directory_are_told_apart(builder: Builder, tmp_path: Path) -> None:
    root = builder.release(copy_fixture("colocated", tmp_path))
    parts = {part["name"]: part for part in inspected(root)["versions"][0]["parts"]}
    paths = [part["path"] for part in parts.values() if part["type"] == "distribution"]
    (shared,) = {path for path in paths if paths.count(path) > 1}
    together = [part for part in parts.values() if part["path"] == shared]
    assert all(part["files"] > 3 for part in together)  # more than its metadata
    size = sum(path.lstat().st_size for path in (root / shared).rglob("*") if path.is_file())
    assert sum(part["size"] for part in together) == size


# Several versions


def test_several_versions(builder: Builder, tmp_path: Path) -> None:
    project = copy_fixture("hello", tmp_path)
    root = builder.release(project)
    replace(project, 'version = "1.0.0"', 'version = "2.0.0"')
    builder.release(project)
    first, second = inspected(root)["versions"]
    assert [first["version"], second["version"]] == ["1.0.0", "2.0.0"]
    assert [first["boots"], second["boots"]] == [False, True]
    names = [{part["path"] for part in each["parts"] if part["name"] == "hello"} for each in (first, second)]
    assert names == [{"lib/hello-1.0.0"}, {"lib/hello-2.0.0"}]
    # The interpreter counts for both.
    assert inspected(root)["size"] < first["size"] + second["size"]
    (only,) = inspected(root, "--vsn", "1.0.0")["versions"]
    assert only == first
    done = hatch_release("inspect", str(root), "--vsn", "3")
    assert (done.returncode, done.stderr) == (1, f"Error: {root} has no version 3, but 1.0.0, 2.0.0\n")
    assert hatch_release("verify", str(root)).stdout == (
        f"{root} 1.0.0: every file is as it was assembled\n{root} 2.0.0: every file is as it was assembled\n"
    )
    (root / "lib/hello-1.0.0/hello/__main__.pyc").write_bytes(b"")
    done = hatch_release("verify", str(root))
    assert (done.returncode, done.stdout) == (1, f"{root} 2.0.0: every file is as it was assembled\n")
    assert hatch_release("verify", str(root), "--vsn", "2.0.0").returncode == 0


# Against the manifest


@pytest.mark.parametrize("form", ["directory", *FORMATS])
def test_a_whole_one_is_verified(dist: Path, form: str) -> None:
    source = dist / "hello" if form == "directory" else archive(dist, form)
    done = hatch_release("verify", "--strict", str(source))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{source} 1.0.0: every file is as it was assembled\n"


def packed_again(root: Path, form: str, target: Path) -> Path:
    """An archive that somebody else has made."""
    if form == "zip":
        with zipfile.ZipFile(target, "w") as made:
            for path in sorted(root.rglob("*")):
                made.write(path, path.relative_to(root).as_posix())
    elif form == "tar.gz":
        subprocess.run(["tar", "-C", str(root), "-czf", str(target), "."], check=True)  # noqa: S607
    else:
        return root
    return target


@pytest.mark.parametrize("form", ["directory", "tar.gz", "zip"])
def test_what_differs_is_told(root: Path, form: str, tmp_path: Path) -> None:
    changed, missing = "lib/hello-1.0.0/hello/__init__.pyc", "lib/hello-1.0.0/hello/__main__.pyc"
    (root / changed).write_bytes(b"other")
    (root / missing).unlink()
    (root / "lib/hello-1.0.0/hello/added.pyc").write_bytes(b"new")
    source = packed_again(root, form, tmp_path / "again")
    done = hatch_release("verify", str(source))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "not in the manifest: lib/hello-1.0.0/hello/added.pyc",
        f"changed: {changed}",
        f"missing: {missing}",
        f"Error: {source} 1.0.0: 2 files differ from the manifest",
    ]
    told = json.loads(hatch_release("verify", str(source), "--json").stdout)
    assert told == {
        "source": str(source),
        "problems": {"1.0.0": [f"changed: {changed}", f"missing: {missing}"]},
        "unlisted": ["lib/hello-1.0.0/hello/added.pyc"],
    }


def test_what_is_not_in_the_manifest_fails_when_strict(root: Path) -> None:
    (root / "note.txt").write_text("mine")
    assert hatch_release("verify", str(root)).returncode == 0
    done = hatch_release("verify", "--strict", str(root))
    assert (done.returncode, done.stderr) == (1, "not in the manifest: note.txt\n")


def test_what_a_running_release_writes_is_its_own(root: Path) -> None:
    assert run(root / "bin" / "hello", "start").returncode == 0
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp" / "something").write_text("x")
    assert hatch_release("verify", "--strict", str(root)).returncode == 0


# What can't be read


@pytest.mark.parametrize("command", ["inspect", "verify"])
@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("damage", ["cut", "byte"])
def test_a_damaged_archive(dist: Path, tmp_path: Path, form: str, command: str, damage: str) -> None:
    data = bytearray(archive(dist, form).read_bytes())
    source = tmp_path / "damaged"
    if damage == "byte":
        data[len(data) // 2] ^= 0xFF
    source.write_bytes(data if damage == "byte" else data[: len(data) // 2])
    done = hatch_release(command, str(source))
    if (form, command, damage) == ("zip", "inspect", "byte"):
        return  # the files that say what it is are whole
    assert done.returncode == 1
    assert done.stderr.startswith("Error: ")
    assert len(done.stderr.splitlines()) == 1
    assert str(source) in done.stderr


@pytest.mark.parametrize("command", ["inspect", "verify"])
def test_what_is_no_release(tmp_path: Path, command: str, dist: Path) -> None:
    (tmp_path / "text").write_text("text")
    (tmp_path / "empty").mkdir()
    with tarfile.open(tmp_path / "other.tar.gz", "w:gz") as made:
        made.add(tmp_path / "text", "text")
    with tarfile.open(tmp_path / "inside.tar.gz", "w:gz") as made:
        made.add(dist / "hello", "hello")
    for name, expected in {
        "text": "is neither a release's directory nor an archive of one (tar.zst, tar.gz or zip)",
        "empty": "holds no release: there is no releases/start.data in it",
        "other.tar.gz": "holds no release: there is no releases/start.data in it",
        "missing": "can't be read: No such file or directory",
        "inside.tar.gz": "holds a release in hello/: pack what is in that directory, without the directory",
    }.items():
        done = hatch_release(command, str(tmp_path / name))
        assert (done.returncode, done.stdout, done.stderr) == (
            1,
            "",
            f"Error: {tmp_path / name} {expected}\n",
        )
    done = hatch_release(command, str(dist))
    assert done.stderr == f"Error: {dist} is no release's root, did you mean '{dist / 'hello'}'?\n"


@pytest.mark.parametrize("file", ["hello.rel", "start.script", "manifest.sha256", "consolidated/stdlib.json"])
def test_a_damaged_description(root: Path, file: str) -> None:
    path = root / "releases" / "1.0.0" / file
    path.write_text("{")
    done = hatch_release("inspect", str(root))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {root}: releases/1.0.0/{file} is damaged (")
    if file != "consolidated/stdlib.json":
        path.unlink()
        done = hatch_release("verify" if file == "manifest.sha256" else "inspect", str(root))
        assert done.returncode == 1
        assert len(done.stderr.splitlines()) == 1
