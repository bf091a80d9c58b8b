"""The main job on real input: projects become releases that run where there is neither Python nor network."""

from __future__ import annotations

import json
import re
import subprocess
import tarfile
from dataclasses import dataclass
from pathlib import Path

import pytest
import zstandard

from tests import bare_root, interpreters
from tests.conftest import copy_fixture
from tests.projects import Builder, run

VERSIONS = {"hello": "1.0.0", "cli": "2.1.0", "webapp": "0.3.0"}
MODULES = [
    "ssl",
    "sqlite3",
    "ctypes",
    "lzma",
    "bz2",
    "hashlib",
    "zlib",
    "curses",
    "readline",
    "uuid",
    "decimal",
    "asyncio",
    "multiprocessing",
]
WITH_ARCHIVE = f"""
[tool.hatch.build.targets.release]
steps = ["assemble", "tar"]
stdlib-include = {MODULES!r}
"""


@dataclass(frozen=True)
class Built:
    """A fixture, assembled with one version of Python."""

    name: str
    minor: str
    project: Path
    root: Path
    """The assembled tree."""
    archive: Path
    unpacked: Path
    """The archive's contents, elsewhere."""
    bare: Path
    """A root file system for bubblewrap."""

    def inside(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the unpacked release in the bare root."""
        return bare_root.run(self.bare, self.unpacked, f"{bare_root.PLACE}/bin/{self.name}", *arguments)


@pytest.fixture(scope="module", params=interpreters.available())
def minor(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module", params=VERSIONS)
def built(
    request: pytest.FixtureRequest,
    minor: str,
    builders: dict[str, Builder],
    tmp_path_factory: pytest.TempPathFactory,
) -> Built:
    name = str(request.param)
    directory = tmp_path_factory.mktemp(f"{name}-{minor}")
    project = copy_fixture(name, directory)
    with (project / "pyproject.toml").open("a") as stream:
        stream.write(WITH_ARCHIVE)
    root = builders[minor].release(project)
    archive = next(root.parent.glob("*.tar.zst"))
    unpacked = directory / "unpacked"
    with (
        archive.open("rb") as packed,
        zstandard.open(packed, "rb") as tar,
        tarfile.open(fileobj=tar, mode="r|") as files,
    ):
        files.extractall(unpacked, filter="tar")
    bare = bare_root.make(directory / "bare")
    return Built(name, minor, project, root, archive, unpacked, bare)


def test_version_and_verify(built: Built) -> None:
    version = VERSIONS[built.name]
    assert built.inside("version").stdout == f"{built.name} {version}\n"
    assert built.inside("versions").stdout == f"{version} (boots)\n"
    done = built.inside("verify")
    assert (done.returncode, done.stderr) == (0, "")


def test_manifest_is_what_sha256sum_reads(built: Built) -> None:
    manifest = f"releases/{VERSIONS[built.name]}/manifest.sha256"
    done = subprocess.run(
        ["/usr/bin/sha256sum", "--check", "--quiet", "--strict", manifest],
        cwd=built.unpacked,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_application_answers_on_a_bare_root(built: Built) -> None:
    if built.name == "webapp":
        done = bare_root.run(built.bare, built.unpacked, shell_code=WEB_SESSION)
        assert done.returncode == 0, done.stdout + done.stderr
        page, items, stats = done.stdout.split("-----\n")
        assert "<html" in page
        assert "tea" in page
        assert {row["name"] for row in json.loads(items)} >= {"tea", "bread"}
        assert json.loads(stats)["mean"] == pytest.approx(5.2375)
    elif built.name == "cli":
        done = built.inside("start", "--version")
        assert (done.stdout, done.stderr) == (f"cli, version {VERSIONS['cli']}\n", "")
        assert "Jupiter" in built.inside("start", "table").stdout
        assert {"csv", "json", "rich"} <= set(built.inside("start", "plugins").stdout.split())
    else:
        done = built.inside("start", "--name", "ä b")
        assert "ä b" in done.stdout
        assert done.returncode == 0, done.stderr


# Runs inside the bare root: the service in the background, and a client from the same release.
WEB_SESSION = f"""
release='{bare_root.PLACE}/bin/webapp'
"$release" start --port 8123 >/dev/null 2>&1 &
server=$!
"$release" eval '
import time, urllib.request
def get(path):
    for attempt in range(100):
        try:
            return urllib.request.urlopen("http://127.0.0.1:8123" + path).read().decode()
        except OSError:
            time.sleep(0.1)
    raise SystemExit("no answer")
print(get("/"), get("/items"), get("/stats"), sep="\\n-----\\n")
' || exit 1
kill $server
wait $server
exit 0
"""


def test_eval_and_run_on_a_bare_root(built: Built) -> None:
    done = built.inside("eval", "import sys; print(sys.argv[1:], sys.version_info[:2])", "a", "b c")
    assert done.stdout == f"['a', 'b c'] {tuple(map(int, built.minor.split('.')))}\n"
    script, arguments = {
        "hello": ("hello", ["--name", "run"]),
        "cli": ("cli-report", []),
        "webapp": ("uvicorn", ["--version"]),
    }[built.name]
    done = built.inside("run", script, *arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_standard_library_is_whole_on_a_bare_root(built: Built) -> None:
    done = built.inside("eval", f"import {', '.join(MODULES)}; print(ssl.OPENSSL_VERSION)")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("OpenSSL")


def test_nothing_names_the_building_machine(built: Built) -> None:
    base = interpreters.find(built.minor)
    assert base is not None
    # Not the home directory alone: on a machine where that is /root, the wheels' own builders had the same.
    cache = Path.home() / ".cache"
    names = [built.project.parents[1], base.resolve().parents[1], cache, "/tmp/python-build"]  # noqa: S108
    paths = [str(name).encode() for name in names if str(name) != "/usr"]
    with zstandard.open(built.archive, "rb") as stream:
        archived = stream.read()
    assert [path for path in paths if path in archived] == []
    for file in built.root.rglob("*"):
        if file.is_file():
            data = file.read_bytes()
            assert [path for path in paths if path in data] == [], file


def test_code_names_files_relative_to_the_release(built: Built) -> None:
    module = "cli.report" if built.name == "cli" else f"{built.name}.__main__"
    code = f"import {module} as m; f = getattr(m.main, 'callback', m.main)"
    code += "; print(f.__code__.co_filename, m.__file__)"
    done = built.inside("eval", code)
    name, file = done.stdout.split(maxsplit=1)
    assert name == f"lib/{built.name}-{VERSIONS[built.name]}/{module.replace('.', '/')}.py"
    assert file.strip() == f"{bare_root.PLACE}/{name}c"


def test_tree_is_as_designed(built: Built) -> None:
    version = VERSIONS[built.name]
    python = next(built.unpacked.glob("python-*")).name
    assert re.fullmatch(rf"python-{re.escape(built.minor)}\.\d+", python)
    assert {path.name for path in built.unpacked.iterdir()} == {"bin", "lib", "releases", python}
    own = {path.name for path in (built.unpacked / "releases" / version).iterdir()}
    boot = {
        "start.boot",
        "start.script",
        "start_clean.boot",
        "start_clean.script",
        "start.data",
        "consolidated",
    }
    options = {"sys.config", "vm.args", "remote.vm.args", "env.sh"}
    assert own == {f"{built.name}.rel", *boot, *options, "manifest.sha256", "shared.sha256"}
    description = json.loads((built.unpacked / "releases" / version / f"{built.name}.rel").read_text())
    assert description["target"] == "x86_64-unknown-linux-gnu"
    for application in description["applications"]:
        assert (built.unpacked / application["path"]).is_dir()
        assert list((built.unpacked / application["path"]).glob("*.dist-info"))
    # Sources are there where programs may read them by their path, and nowhere else.
    sources = list(built.unpacked.rglob("*.py"))
    owners = {path.relative_to(built.unpacked).parts[1].partition("-")[0] for path in sources}
    assert owners <= {"numpy"}
    caches = {path.parent for path in built.unpacked.rglob("__pycache__")}
    assert caches <= {path.parent for path in sources}
    cookie = built.unpacked / "releases" / "COOKIE"
    assert cookie.stat().st_mode & 0o777 == 0o600
    names = {path.name.rpartition("-")[0] for path in (built.unpacked / "lib").iterdir()}
    assert names.isdisjoint({"hatchling", "hatch_release", "pip", "setuptools", "tomli_w"})


def test_archive_is_named_for_its_target(built: Built) -> None:
    assert built.archive.name == f"{built.name}-{VERSIONS[built.name]}-x86_64-unknown-linux-gnu.tar.zst"


def test_every_module_is_an_index_lookup(built: Built) -> None:
    # An unknown name still reaches Python's own finders, a known one never does.
    code = (
        "import sys; finder = sys.meta_path[0]; print(type(finder).__name__);"
        f"spec = finder.find_spec({built.name!r}); print(spec.origin == __import__({built.name!r}).__file__);"
        "print(finder.find_spec('no_such_module'))"
    )
    assert run(built.root / "bin" / built.name, "eval", code).stdout == "IndexFinder\nTrue\nNone\n"
