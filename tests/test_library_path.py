"""LD_LIBRARY_PATH of whoever calls: a release uses its own libraries, whatever other ones are named there."""

from __future__ import annotations

import json
import shutil
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hatch_release.binaries.libraries import locate
from hatch_release.interpreter.facts import probe
from tests import interpreters
from tests.conftest import copy_fixture
from tests.projects import run

if TYPE_CHECKING:
    from tests.projects import Builder

# What the service computes with, and the parts of the standard library that have libraries; then what is mapped.
CODE = """
import bz2, ctypes, json, lzma, sqlite3, ssl, subprocess, sys, zlib
import numpy, numpy.linalg, sqlalchemy
def mapped(text):
    return sorted({line.split(None, 5)[5] for line in text.splitlines() if ".so" in line})
assert numpy.linalg.det(numpy.eye(3)) == 1.0
assert sqlite3.connect(":memory:").execute("select 42").fetchone() == (42,)
assert ssl.create_default_context().cert_store_stats()["x509_ca"] > 0
child = "import ssl, numpy; print(open('/proc/self/maps').read())"
done = subprocess.run([sys.executable, "-c", child], capture_output=True, text=True, check=True)
print(json.dumps({"own": mapped(open("/proc/self/maps").read()), "child": mapped(done.stdout)}))
"""


@pytest.fixture(scope="module")
def root(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = copy_fixture("webapp", tmp_path_factory.mktemp("library path"))
    return builders[interpreters.running()].release(project)


def honest(directory: Path, names: list[str]) -> None:
    """Libraries that do what they should: those of this machine, which the release has copies of."""
    executable = probe().executable
    for name in names:
        source = locate(name, executable, [Path(str(sysconfig.get_config_var("LIBDIR")))])
        if source is not None:
            shutil.copy(source, directory / name)


def hostile(directory: Path, names: list[str]) -> None:
    """Files that no program can load."""
    for name in names:
        (directory / name).write_bytes(b"no library")


@pytest.mark.parametrize("make", [honest, hostile])
def test_the_releases_own_libraries_are_loaded(root: Path, tmp_path: Path, make: object) -> None:
    names = sorted(path.name for path in root.glob("python-*/lib/*.so*"))
    assert {"libcrypto.so.3", "libffi.so.8", "libgcc_s.so.1", "libsqlite3.so.0", "libstdc++.so.6"} & {*names}
    assert callable(make)
    make(tmp_path, names)
    assert len(list(tmp_path.iterdir())) > len(names) // 2
    done = run(root / "bin" / "webapp", "eval", CODE, LD_LIBRARY_PATH=str(tmp_path))
    assert done.returncode == 0, done.stderr
    for mapped in json.loads(done.stdout).values():
        used = [path for path in map(Path, mapped) if path.name in names]
        assert len(used) >= 2
        assert [path for path in used if root not in path.parents] == []
