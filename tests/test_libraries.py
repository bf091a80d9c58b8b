from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hatch_release.binaries import elf
from hatch_release.binaries.elf import _patchelf
from hatch_release.binaries.libraries import bundle_libraries, foreign_libraries, locate, of_c_library
from hatch_release.interpreter.facts import probe

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="shared libraries of Linux")

EXECUTABLE = probe().executable
LIBRARY = next((name for name in ("libz.so.1", "liblzma.so.5") if locate(name, EXECUTABLE)), None)
needs_library = pytest.mark.skipif(LIBRARY is None, reason="no library to copy on this machine")


def binary(path: Path, *needed: str, runpath: str = "") -> Path:
    """An ELF file that needs the C library and `needed`, and looks for them in `runpath`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(EXECUTABLE, path)
    path.chmod(0o755)
    arguments = [
        part for name in elf.needed(path) if not of_c_library(name) for part in ("--remove-needed", name)
    ]
    arguments += [part for name in needed for part in ("--add-needed", name)]
    # Only replacing a search path wipes the old one out of the file.
    subprocess.run([_patchelf(), "--set-rpath", runpath or "$ORIGIN", path], check=True)
    if arguments:
        subprocess.run([_patchelf(), *arguments, path], check=True)
    if not runpath:
        subprocess.run([_patchelf(), "--remove-rpath", path], check=True)
    return path


@pytest.fixture
def python(tmp_path: Path) -> Path:
    """The interpreter's directory of a release in `tmp_path`."""
    elf.set_rpath(binary(tmp_path / "python-3.0/bin/python3"), "$ORIGIN/../lib")
    (tmp_path / "python-3.0/lib").mkdir()
    return tmp_path / "python-3.0"


def bundle(root: Path) -> tuple[list[str], list[str]]:
    """The libraries copied, apart from the one that glibc opens; and the warnings."""
    warnings: list[str] = []
    copied, _ = bundle_libraries(root, root / "python-3.0", warnings.append)
    return [name for name in copied if name != "libgcc_s.so.1"], warnings


@pytest.mark.parametrize(
    "name",
    [
        *("libc.so.6", "libm.so.6", "libpthread.so.0", "ld-linux-aarch64.so.1", "libnss_files.so.2"),
        *(
            "libc.musl-x86_64.so.1",
            "ld-musl-x86_64.so.1",
            "libmvec.so.1",
            "libresolv.so.2",
            "linux-vdso.so.1",
        ),
    ],
)
def test_the_c_library_stays_the_targets(name: str) -> None:
    assert of_c_library(name)


@pytest.mark.parametrize(
    "name", ["libcrypt.so.1", "libnsl.so.2", "libcap.so.2", "libnss3.so", "libmpdec.so.3"]
)
def test_other_libraries_are_not_the_c_library(name: str) -> None:
    assert not of_c_library(name)


@needs_library
def test_a_missing_library_is_copied_once_for_all(tmp_path: Path, python: Path) -> None:
    assert LIBRARY
    binary(tmp_path / "lib/one-1/one.so", LIBRARY)
    binary(tmp_path / "lib/two-1/two.so", LIBRARY)
    assert bundle(tmp_path) == ([LIBRARY], [])
    copy = python / "lib" / LIBRARY
    assert not copy.is_symlink()
    assert elf.linkage(copy).search == ("$ORIGIN",)
    assert not elf.linkage(copy).runpath
    assert bundle(tmp_path) == ([], [])


@needs_library
def test_a_distributions_own_library_is_used(tmp_path: Path, python: Path) -> None:
    assert LIBRARY
    own = binary(tmp_path / "lib/one-1/one.libs" / LIBRARY)
    module = binary(tmp_path / "lib/one-1/one/one.so", LIBRARY, runpath="$ORIGIN/../one.libs")
    before = module.read_bytes(), own.read_bytes()
    assert bundle(tmp_path) == ([], [])
    assert not (python / "lib" / LIBRARY).exists()
    assert (module.read_bytes(), own.read_bytes()) == before


@needs_library
def test_a_library_inside_another_distribution_does_not_serve_the_interpreter(
    tmp_path: Path, python: Path
) -> None:
    assert LIBRARY
    binary(tmp_path / "lib/one-1/one.libs" / LIBRARY)
    binary(python / "lib/python3.0/lib-dynload/module.so", LIBRARY)
    assert bundle(tmp_path) == ([LIBRARY], [])


@needs_library
def test_a_runpath_does_not_hide_the_copied_libraries(tmp_path: Path, python: Path) -> None:
    assert LIBRARY
    binary(tmp_path / "lib/one-1/one.libs/libone.so")
    module = binary(tmp_path / "lib/one-1/one/one.so", "libone.so", LIBRARY, runpath="$ORIGIN/../one.libs")
    assert elf.linkage(module).runpath
    assert bundle(tmp_path) == ([LIBRARY], [])
    assert (python / "lib" / LIBRARY).exists()
    link = elf.linkage(module)
    assert (link.search, link.runpath) == (("$ORIGIN/../one.libs",), False)


@needs_library
def test_a_search_path_of_the_building_machine_is_followed_and_taken_out(
    tmp_path_factory: pytest.TempPathFactory, tmp_path: Path, python: Path
) -> None:
    private = tmp_path_factory.mktemp("private")
    binary(private / "libprivate.so.1")
    module = binary(tmp_path / "lib/one-1/one.so", "libprivate.so.1", runpath=f"{private}:$ORIGIN/../a")
    assert bundle(tmp_path) == (["libprivate.so.1"], [])
    assert (python / "lib/libprivate.so.1").exists()
    assert elf.linkage(module).search == ("$ORIGIN/../a",)
    assert str(private).encode() not in module.read_bytes()


def test_a_library_that_is_nowhere_is_warned_of(tmp_path: Path, python: Path) -> None:
    binary(tmp_path / "lib/one-1/one.so", "libnowhere.so.9")
    copied, warnings = bundle(tmp_path)
    assert copied == []
    (warning,) = warnings
    assert warning.startswith(
        "lib/one-1/one.so needs libnowhere.so.9, which is neither in the release nor on this"
    )
    assert python.is_dir()


def test_a_graphics_driver_stays_the_targets(tmp_path: Path, python: Path) -> None:
    binary(tmp_path / "lib/one-1/one.so", "libcuda.so.1")
    copied, warnings = bundle(tmp_path)
    assert copied == []
    assert warnings == ["lib/one-1/one.so needs libcuda.so.1, which the target's graphics driver must bring"]
    assert python.is_dir()


def test_what_the_target_must_have_is_told_where_it_brings_the_interpreter(tmp_path: Path) -> None:
    assert LIBRARY
    binary(tmp_path / "lib/one-1/one.libs/libone.so")
    binary(tmp_path / "lib/one-1/one/one.so", "libone.so", "libstdc++.so.6", runpath="$ORIGIN/../one.libs")
    binary(tmp_path / "lib/two-1/two.so", "libstdc++.so.6", "libpq.so.5")
    names = ("lib/one-1/one/one.so", "lib/one-1/one.libs/libone.so", "lib/two-1/two.so")
    assert foreign_libraries(tmp_path) == (
        [tmp_path / name for name in names],
        {"libstdc++.so.6": Path("lib/one-1/one/one.so"), "libpq.so.5": Path("lib/two-1/two.so")},
    )


def test_a_damaged_sample_does_not_stop_the_assembly(tmp_path: Path, python: Path) -> None:
    sample = tmp_path / "lib/one-1/tests/sample.elf"
    sample.parent.mkdir(parents=True)
    sample.write_bytes(b"\x7fELF but no more")
    copied, warnings = bundle(tmp_path)
    assert copied == []
    assert len(warnings) == 1
    assert str(sample) in warnings[0]
    assert python.is_dir()


def test_locate_finds_nothing_for_another_processor(tmp_path: Path) -> None:
    assert locate("libnowhere.so.9", EXECUTABLE, [tmp_path]) is None
    foreign = tmp_path / "libforeign.so"
    data = bytearray(EXECUTABLE.read_bytes())
    data[18:20] = b"\x08\x00" if data[5] == 1 else b"\x00\x08"  # EM_MIPS
    foreign.write_bytes(data)
    assert locate("libforeign.so", EXECUTABLE, [tmp_path]) is None
    assert locate("libforeign.so", foreign, [tmp_path]) == foreign
