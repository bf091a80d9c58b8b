from __future__ import annotations

import importlib.util
import json
import os
import shutil
import stat
import subprocess
import sys
import venv
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from elftools.elf.elffile import ELFFile
from packaging.markers import default_environment

from hatch_release.binaries import elf
from hatch_release.binaries.libraries import bundle_libraries, locate
from hatch_release.errors import ReleaseError
from hatch_release.interpreter.copying import copy_interpreter
from hatch_release.interpreter.facts import Interpreter, probe
from tests import interpreters

if TYPE_CHECKING:
    from collections.abc import Iterator

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="copies are made for Linux")
SYSTEM = Path("/usr/bin/python3")
EVERYTHING = "ssl, sqlite3, ctypes, lzma, bz2, hashlib, zlib, curses, readline, uuid, decimal, asyncio"
C_LIBRARY = (
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
)
PLACE = "mnt/Grüße an alle"


def _sources() -> list[str]:
    return [*interpreters.available(), *(["system"] if SYSTEM.exists() else [])]


class Copy:
    """A copied interpreter with its libraries."""

    def __init__(self, source: Interpreter, root: Path) -> None:
        self.source = source
        self.root = root
        self.python = root / f"python-{source.version}"
        self.stdlib = self.python / "lib" / source.stdlib.name
        self.warnings: list[str] = []
        copy_interpreter(source, self.python)
        self.libraries, _ = bundle_libraries(root, self.python, self.warnings.append)

    def run(self, *arguments: str) -> str:
        """Run it on this machine without any variable, and give what it prints."""
        command = [str(self.python / "bin/python3"), "-B", *arguments]
        return subprocess.run(command, env={}, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module", params=_sources())
def copied(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Copy]:
    executable = SYSTEM if request.param == "system" else interpreters.find(request.param)
    root = tmp_path_factory.mktemp("release") / "somewhere else é"
    yield Copy(probe(executable), root)
    shutil.rmtree(root)


@pytest.fixture(scope="module")
def bare_root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A root directory with the C library and nothing else."""
    root, program = tmp_path_factory.mktemp("root"), probe().executable
    for directory in ("lib", "proc", "dev", "tmp", PLACE):
        (root / directory).mkdir(parents=True)
    (root / "lib64").symlink_to("lib")
    with program.open("rb") as stream:
        segments = [part for part in ELFFile(stream).iter_segments() if part["p_type"] == "PT_INTERP"]
        loader = Path(os.fsdecode(segments[0].data().rstrip(b"\0")))
    shutil.copy(loader, root / "lib" / loader.name)
    for name in C_LIBRARY:
        if found := locate(name, program):
            shutil.copy(found, root / "lib" / name)
    return root


def in_bare_root(root: Path, copy: Copy, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the copy, mounted elsewhere and read-only, where there is only the C library."""
    command = ["bwrap", "--unshare-all", "--clearenv", "--die-with-parent"]
    command += ["--ro-bind", str(root), "/", "--ro-bind", str(copy.python), f"/{PLACE}"]
    command += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--chdir", "/tmp"]  # noqa: S108 - empty
    command += [f"/{PLACE}/bin/python3", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def test_probe_describes_this_interpreter() -> None:
    this = probe()
    assert this.executable == Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    assert this.version.startswith(".".join(map(str, sys.version_info[:3])))
    assert this.minor == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert this.magic == importlib.util.MAGIC_NUMBER
    assert this.cache_tag == sys.implementation.cache_tag
    assert this.prefix == Path(sys.base_prefix)
    assert this.markers == {**default_environment()}
    assert {"sys", "builtins", "_frozen_importlib", "zipimport"} <= set(this.frozen)
    assert "json" not in this.frozen


def test_probe_of_a_virtual_environment_gives_the_interpreter_behind_it(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv", symlinks=True)
    assert probe(tmp_path / "venv/bin/python") == probe()


def test_probe_ignores_the_variables_and_files_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise RuntimeError")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONHOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert probe().prefix == Path(sys.base_prefix)


@pytest.mark.parametrize("minor", interpreters.available())
def test_modules_called_frozen_have_no_file(minor: str) -> None:
    this = probe(interpreters.find(minor))
    code = (
        "import importlib.util, json, sys; names = json.loads(sys.argv[1]);"
        "print([name for name in names if importlib.util.find_spec(name.partition('.')[0]).origin"
        " not in ('built-in', 'frozen', None)])"
    )
    names = [name for name in this.frozen if "." not in name and not name.startswith("__")]
    done = subprocess.run(
        [this.executable, "-I", "-S", "-c", code, json.dumps(names)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("platform", "libc", "target"),
    [
        ("linux-x86_64", "gnu", "x86_64-unknown-linux-gnu"),
        ("linux-aarch64", "musl", "aarch64-unknown-linux-musl"),
        ("linux-armv7l", "gnu", "armv7-unknown-linux-gnueabihf"),
        ("macosx-11.0-arm64", "", "aarch64-apple-darwin"),
        ("win-amd64", "", "x86_64-pc-windows-msvc"),
    ],
)
def test_target_triples(platform: str, libc: str, target: str) -> None:
    assert replace(probe(), platform=platform, libc=libc).target == target


def _script(path: Path, text: str) -> Path:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


@pytest.mark.parametrize(
    ("script", "message"),
    [
        pytest.param(
            'case "$*" in *-c*) echo CPython 3.8.1 ;; *) exit 1 ;; esac', r"is CPython 3\.8\.1: ", id="old"
        ),
        pytest.param(
            'case "$*" in *-c*) echo PyPy 3.11.11 ;; *) exit 1 ;; esac',
            r"is PyPy 3\.11\.11: ",
            id="another make",
        ),
        pytest.param("echo hello", r"\(it printed nothing of use\): ", id="another program"),
        pytest.param("echo no such version >&2; exit 127", r"\(no such version\): ", id="fails"),
    ],
)
def test_what_is_no_usable_interpreter_is_refused_in_one_line(
    tmp_path: Path, script: str, message: str
) -> None:
    with pytest.raises(ReleaseError, match=rf"^\S+/python3 .*{message}take CPython 3\.10 or newer$"):
        probe(_script(tmp_path / "python3", script))


def test_an_absent_interpreter_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match=r"python3 can't be run \(No such file or directory\)"):
        probe(tmp_path / "python3")


@linux
def test_what_is_no_program_is_not_copied(tmp_path: Path) -> None:
    broken = replace(probe(), executable=_script(tmp_path / "python3", ""))
    with pytest.raises(ReleaseError, match="isn't a Linux program"):
        copy_interpreter(broken, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


@linux
def test_a_copy_finds_its_own_files_alone(copied: Copy) -> None:
    report = json.loads(
        copied.run(
            "-c",
            "import json, sys, os; print(json.dumps([sys.prefix, sys.exec_prefix, os.__file__, *sys.path]))",
        )
    )
    assert report[:3] == [str(copied.python)] * 2 + [str(copied.stdlib / "os.py")]
    assert all(path.startswith(str(copied.python)) for path in report[3:] if path)
    assert copied.warnings == []


@linux
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap isn't installed")
def test_a_copy_runs_where_there_is_only_the_c_library(copied: Copy, bare_root: Path) -> None:
    code = f"""
import multiprocessing, {EVERYTHING}
print(ssl.create_default_context().verify_mode.name)
print(sqlite3.connect(":memory:").execute("select 6 * 7").fetchone())
print(lzma.decompress(lzma.compress(b"a")), bz2.decompress(bz2.compress(b"b")), hashlib.sha256(b"").name)
print(ctypes.CFUNCTYPE(ctypes.c_int)(lambda: 5)())
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pool.map(len, ["abc"]), asyncio.run(asyncio.sleep(0, "slept")))
"""
    done = in_bare_root(bare_root, copied, "-c", code)
    assert done.stderr == ""
    assert done.stdout == "CERT_REQUIRED\n(42,)\nb'a' b'b' sha256\n5\n[3] slept\n"


@linux
@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap isn't installed")
def test_ending_with_daemon_threads_needs_no_library_of_the_target(copied: Copy, bare_root: Path) -> None:
    code = """
import threading, time
def loop():
    while True: time.sleep(0.00001)
for _ in range(30): threading.Thread(target=loop, daemon=True).start()
time.sleep(0.1)
"""
    done = in_bare_root(bare_root, copied, "-c", code)
    assert (done.returncode, done.stderr) == (0, "")


@linux
def test_a_copy_shows_no_path_of_the_building_machine(copied: Copy) -> None:
    system = ("/usr", "/build/")
    shown = [path.encode() for path in copied.source.build_paths if not path.startswith(system)]
    shown += [str(path).encode() for path in [copied.root, Path.home()] if str(path) != "/"]
    shown += [path.decode().encode("utf-32-le") for path in shown]
    bundled = set(copied.libraries)  # the system's own, compiled elsewhere
    for path in sorted(copied.root.rglob("*")):
        if path.is_file() and path.name not in bundled:
            data = path.read_bytes()
            assert [text for text in shown if text in data] == [], path


@linux
def test_a_copy_has_no_tests_caches_links_or_symbols(copied: Copy) -> None:
    paths = [path.relative_to(copied.stdlib).as_posix() for path in copied.stdlib.rglob("*")]
    names = {path.partition("/")[0] for path in paths}
    unwanted = {
        "__pycache__",
        "test",
        "site-packages",
        "EXTERNALLY-MANAGED",
        "tkinter",
        "ensurepip",
        "sitecustomize.py",
    }
    assert not unwanted & names
    assert {"os.py", "json", "lib-dynload", "pydoc.py", "encodings"} <= names
    assert any(name.startswith("_sysconfigdata_") for name in names)
    assert not [
        path for path in paths if "/test/" in path or "/tests/" in path or "lib-dynload/_test" in path
    ]
    for path in copied.root.rglob("*"):
        assert not path.is_symlink()
        assert path.stat().st_mode & stat.S_IWUSR
        if elf.is_elf(path):
            assert not elf.linkage(path).runpath
            assert elf.strip(path) == 0


@linux
def test_sysconfig_speaks_of_the_copy(copied: Copy) -> None:
    code = "import sysconfig as s; print(s.get_config_var('EXT_SUFFIX'), s.get_path('stdlib'), sep='\\n')"
    assert copied.run("-c", code).splitlines() == [copied.source.extension_suffixes[0], str(copied.stdlib)]
    if not copied.source.prefix.is_relative_to("/usr"):
        code = (
            "import sysconfig as s; print(s.get_config_var('prefix'), s.get_config_var('LIBDIR'), sep='\\n')"
        )
        assert copied.run("-c", code).splitlines() == [str(copied.python), str(copied.python / "lib")]


@linux
def test_two_copies_are_equal(copied: Copy, tmp_path: Path) -> None:
    copy_interpreter(copied.source, tmp_path / copied.python.name)
    bundle_libraries(tmp_path, tmp_path / copied.python.name)
    for path in sorted(copied.python.rglob("*")):
        twin = tmp_path / copied.python.name / path.relative_to(copied.python)
        assert path.is_dir() or path.read_bytes() == twin.read_bytes(), path


@linux
def test_copying_without_strip_keeps_tests_and_symbols_and_hides_paths_all_the_same(tmp_path: Path) -> None:
    this = probe()
    copy_interpreter(this, tmp_path / "python", strip=False)
    home = tmp_path / "python/lib" / this.stdlib.name
    for name in ("test", "tkinter", "ensurepip"):
        assert (home / name).exists() == (this.stdlib / name).exists()
    assert not (home / "site-packages").exists()
    assert not (home / "__pycache__").exists()
    shown = [path.encode() for path in this.build_paths if not path.startswith(("/usr", "/build/"))]
    for path in [tmp_path / "python/bin/python3", *(tmp_path / "python/lib").glob("libpython*")]:
        data = path.read_bytes()
        assert path.stat().st_size >= this.executable.stat().st_size
        assert [text for text in shown if text in data] == []


@linux
def test_a_module_in_use_is_kept_with_what_it_needs(tmp_path: Path) -> None:
    this = probe()
    if not (this.stdlib / "turtle.py").exists():
        pytest.skip("the interpreter has no turtle")
    copy_interpreter(this, tmp_path / "python", keep=frozenset({"turtle"}))
    home = tmp_path / "python/lib" / this.stdlib.name
    assert (home / "turtle.py").exists()
    assert (home / "tkinter/__init__.py").exists()
    assert not (home / "idlelib").exists()
