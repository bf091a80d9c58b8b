"""Which distributions share a directory, shown on installed wheels."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path, PurePosixPath

import pytest

from hatch_release.dependencies.colocation import Ties, conflicting_files, read_ties, shared_directories
from hatch_release.dependencies.distributions import Distribution


def distribution(site: Path, name: str, *files: str, content: str = "") -> Distribution:
    """A distribution that owns `files`, which are written unless they are there."""
    for file in files:
        (site / file).parent.mkdir(parents=True, exist_ok=True)
        if not (site / file).exists():
            (site / file).write_text(content)
    return Distribution(
        name=name,
        version="1.0",
        directory=f"{name}-1.0",
        info=f"{name}-1.0.dist-info",
        files=tuple(PurePosixPath(file) for file in files),
        requires=(),
        entry_points={},
    )


def shared(site: Path, *distributions: Distribution) -> dict[str, str]:
    return shared_directories({each.name: each for each in distributions}, ties(site, *distributions))


def ties(site: Path, *distributions: Distribution) -> dict[str, Ties]:
    return {each.name: read_ties(each, site) for each in distributions}


def test_two_inside_one_regular_package_share(tmp_path: Path) -> None:
    library = distribution(tmp_path, "qt", "qt/libs/core.txt")
    binding = distribution(tmp_path, "binding", "qt/__init__.py", "qt/core.py")
    other = distribution(tmp_path, "other", "other/__init__.py")
    assert shared(tmp_path, library, binding, other) == {
        "qt": "binding-1.0",
        "binding": "binding-1.0",
    }


def test_namespace_packages_do_not_share(tmp_path: Path) -> None:
    one = distribution(tmp_path, "one", "space/one/__init__.py")
    two = distribution(tmp_path, "two", "space/two/__init__.py")
    assert shared(tmp_path, one, two) == {}


@pytest.mark.parametrize(
    "line",
    [
        "__path__ = __import__('pkgutil').extend_path(__path__, __name__)",
        "__import__('pkg_resources').declare_namespace(__name__)",
    ],
)
def test_older_namespace_packages_do_not_share(tmp_path: Path, line: str) -> None:
    one = distribution(tmp_path, "one", "space/__init__.py", content=line)
    two = distribution(tmp_path, "two", "space/__init__.py", "space/two.py")
    assert shared(tmp_path, one, two) == {}
    assert conflicting_files([one, two], ties(tmp_path, one, two)) == {}


def test_a_file_of_two_owners_is_named(tmp_path: Path) -> None:
    one = distribution(tmp_path, "one", "thing.py")
    two = distribution(tmp_path, "two", "thing.py")
    assert conflicting_files([one, two], ties(tmp_path, one, two)) == {
        PurePosixPath("thing.py"): ["one", "two"]
    }


@pytest.mark.skipif(not shutil.which("gcc"), reason="needs a compiler")
def test_a_library_found_by_a_relative_path_is_shared(tmp_path: Path) -> None:
    gcc = shutil.which("gcc") or "gcc"
    (tmp_path / "vendor" / "lib").mkdir(parents=True)
    (tmp_path / "a.c").write_text("int answer(void) { return 42; }")
    library = tmp_path / "vendor" / "lib" / "libanswer.so"
    subprocess.run([gcc, "-shared", "-fPIC", "-o", library, tmp_path / "a.c"], check=True)
    (tmp_path / "user").mkdir()
    extension = tmp_path / "user" / "ext.so"
    link = ["-Wl,-rpath,$ORIGIN/../vendor/lib", f"-L{library.parent}", "-Wl,--no-as-needed", "-lanswer"]
    subprocess.run([gcc, "-shared", "-fPIC", "-o", extension, tmp_path / "a.c", *link], check=True)
    vendor = distribution(tmp_path, "vendor", "vendor/lib/libanswer.so")
    user = distribution(tmp_path, "user", "user/ext.so", "user/__init__.py")
    assert set(shared(tmp_path, vendor, user).values()) == {"user-1.0"}
