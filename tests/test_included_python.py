"""Releases on interpreters of every make, each run where there is nothing but the C library and busybox.

Beside those of this machine, TEST_PYTHON_STATIC and TEST_PYTHON_FREE_THREADED may name executables of a build
without libpython and of one without the global lock.
"""

from __future__ import annotations

import functools
import json
import os
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hatch_release.binaries import elf
from hatch_release.binaries.libraries import bundle_libraries
from hatch_release.interpreter.copying import copy_interpreter
from hatch_release.interpreter.facts import Interpreter, probe
from tests import bare_root, interpreters
from tests.projects import write_project

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.projects import Builder

SYSTEM = Path("/usr/bin/python3")
KINDS = ("shared", "static", "free-threaded", "debian", "install_only", "full")
PYPROJECT = """
[project]
name = "witness"
version = "1.0"
dependencies = ["markupsafe"]

[project.scripts]
witness = "witness.__main__:main"

[tool.hatch.build.targets.release]
include-python = "{path}"
"""
# What it imports is compiled against that very interpreter: markupsafe's wheel and half of the standard library.
WITNESS = """
import bz2, ctypes, decimal, hashlib, json, lzma, multiprocessing, sqlite3, ssl, subprocess, sys, uuid, zlib
import markupsafe._speedups

CHILD = "import json, site, sys, sysconfig; json.dump([sys.path, sysconfig.get_paths()], sys.stdout)"


def double(number):
    return 2 * number


def main():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        doubled = pool.map(double, [21])
    child = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, check=True)
    found, places = json.loads(child.stdout)
    report = {
        "version": sys.version,
        "doubled": doubled,
        "prefix": sys.prefix,
        "lock": getattr(sys, "_is_gil_enabled", lambda: True)(),
        "sqlite3": sqlite3.connect(":memory:").execute("select 6 * 7").fetchone(),
        "ssl": ssl.create_default_context().verify_mode.name,
        "packed": [each.decompress(each.compress(b"a")).decode() for each in (bz2, lzma, zlib)],
        "ctypes": ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 5)(),
        "hash": hashlib.new("sha3_256", b"").hexdigest()[:8],
        "suffix": markupsafe._speedups.__file__.rpartition("/")[2].partition(".")[2],
        "paths": [*sys.path, *filter(None, found), *places.values()],
    }
    json.dump(report, sys.stdout)
"""


def _executable(kind: str) -> Path | None:
    """An interpreter of that make on this machine; archives are made of a shared one."""
    if kind == "debian":
        return SYSTEM if SYSTEM.exists() and Path("/etc/debian_version").exists() else None
    if named := os.environ.get(f"TEST_PYTHON_{kind.upper().replace('-', '_')}"):
        return Path(named)
    if kind == "free-threaded":
        return None
    found = (interpreters.find(minor) for minor in reversed(interpreters.available()))
    return next((path for path in found if path and _is_static(path) == (kind == "static")), None)


@functools.cache
def _is_static(executable: Path) -> bool:
    return not any(name.startswith("libpython") for name in elf.needed(probe(executable).executable))


def _archive(interpreter: Interpreter, directory: Path, kind: str) -> Path:
    """An archive in one of the two layouts of python-build-standalone."""
    home = directory / "python" / ("install" if kind == "full" else "")
    copy_interpreter(interpreter, home, strip=False)
    bundle_libraries(home, home)
    (home / "bin" / f"python{interpreter.minor}").symlink_to("python3")
    if kind == "full":
        (directory / "python/PYTHON.json").write_text(json.dumps({"version": "8", "build_info": {}}))
        (directory / "python/build").mkdir()
        (directory / "python/build/core.o").write_bytes(b"object")
        plain = directory / "full.tar"
        with tarfile.open(plain, "w") as packed:
            packed.add(directory / "python", "python")
        zstandard = pytest.importorskip("zstandard")
        (directory / "full.tar.zst").write_bytes(zstandard.compress(plain.read_bytes(), 1))
        return directory / "full.tar.zst"
    with tarfile.open(directory / "some.tar.gz", "w:gz", compresslevel=1) as packed:
        packed.add(directory / "python", "python")
    return directory / "some.tar.gz"


class Witnessed:
    """A release on one interpreter, and what its program saw in the bare root."""

    def __init__(self, interpreter: Interpreter, root: Path, bare: Path) -> None:
        self.interpreter = interpreter
        self.root = root
        done = bare_root.run(bare, root, f"{bare_root.PLACE}/bin/witness", "start")
        assert (done.returncode, done.stderr) == (0, "")
        self.saw: dict[str, Any] = json.loads(done.stdout)


@pytest.fixture(scope="module")
def witness(
    tmp_path_factory: pytest.TempPathFactory, builders: dict[str, Builder]
) -> Callable[[str], Witnessed]:
    bare = bare_root.make(tmp_path_factory.mktemp("bare"), "busybox")

    @functools.cache
    def made(kind: str) -> Witnessed:
        executable = _executable(kind)
        if executable is None:
            pytest.skip(f"there is no {kind} interpreter on this machine")
        interpreter = probe(executable)
        path = interpreter.executable
        if kind in {"install_only", "full"}:
            path = _archive(interpreter, tmp_path_factory.mktemp(kind), kind)
        files = {
            "pyproject.toml": PYPROJECT.format(path=path),
            "witness/__init__.py": "",
            "witness/__main__.py": WITNESS,
        }
        project = write_project(tmp_path_factory.mktemp("project") / "witness", files)
        return Witnessed(interpreter, builders[interpreters.running()].release(project), bare)

    return made


@pytest.mark.parametrize("kind", KINDS)
def test_a_release_runs_on_the_interpreter_that_was_named(
    witness: Callable[[str], Witnessed], kind: str
) -> None:
    found = witness(kind)
    interpreter = found.interpreter
    paths = found.saw.pop("paths")
    assert found.saw == {
        "version": interpreter.build,
        "doubled": [42],
        "prefix": f"{bare_root.PLACE}/python-{interpreter.version}",
        "lock": kind != "free-threaded",
        "sqlite3": [42],
        "ssl": "CERT_REQUIRED",
        "packed": ["a", "a", "a"],
        "ctypes": 5,
        "hash": "a7ffc6f8",
        "suffix": interpreter.extension_suffixes[0].removeprefix("."),
    }
    assert [path for path in paths if not path.startswith(f"{bare_root.PLACE}/")] == []


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_described_is_the_interpreter_that_was_named(
    witness: Callable[[str], Witnessed], kind: str
) -> None:
    found = witness(kind)
    described = json.loads((found.root / "releases/1.0/witness.rel").read_text())
    assert described["python"] == {"version": found.interpreter.version, "included": True}
    assert described["target"] == found.interpreter.target


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_but_the_interpreter_is_taken_from_where_it_is(
    witness: Callable[[str], Witnessed], kind: str
) -> None:
    python = witness(kind).root / f"python-{witness(kind).interpreter.version}"
    names = {path.name for path in python.rglob("*")}
    assert not {"dist-packages", "apport_python_hook.pyc", "EXTERNALLY-MANAGED"} & names
    (site_packages,) = python.glob("lib/python*/site-packages")
    assert [path.suffix for path in site_packages.iterdir()] == [".pth"]
    assert not any(path.is_symlink() for path in python.rglob("*"))
    libpython = [name for name in names if name.startswith("libpython")]
    assert bool(libpython) == (not _is_static(witness(kind).interpreter.executable))


@pytest.mark.parametrize("kind", ["shared", "install_only", "full"])
def test_a_release_shows_no_path_of_where_it_was_unpacked(
    witness: Callable[[str], Witnessed], kind: str
) -> None:
    for path in witness(kind).root.rglob("*"):
        if path.is_file():
            assert b".assembling-" not in path.read_bytes(), path


def test_debian_s_own_distributions_do_not_count(builders: dict[str, Builder], tmp_path: Path) -> None:
    executable = _executable("debian")
    if executable is None:
        pytest.skip("this isn't Debian")
    listed = subprocess.run(
        [executable, "-c", "import importlib.metadata as m; print(*(d.name for d in m.distributions()))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    if "six" not in listed:
        pytest.skip("Debian's six is not installed")
    module = "def main():\n    import six\n    print(six.__file__)\n"
    files = {
        "pyproject.toml": PYPROJECT.format(path=executable).replace('["markupsafe"]', "[]"),
        "witness/__init__.py": "",
        "witness/__main__.py": module,
    }
    project = write_project(tmp_path / "witness", files)
    root = builders[interpreters.running()].release(project)
    done = subprocess.run([root / "bin/witness", "start"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "No module named 'six'" in done.stderr
