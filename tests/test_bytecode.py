"""What is compiled, by whom and how; and releases that keep sources or run on the target's own Python."""

from __future__ import annotations

import importlib.util
import json
import marshal
import re
import subprocess
import sys
from pathlib import Path

import pytest

from hatch_release.units.bytecode import compile_tree, rename_code
from tests import interpreters
from tests.builds import configure, greets
from tests.conftest import copy_fixture
from tests.projects import Builder, run

PYTHON = Path(sys.executable)
SOURCE = '''
"""A module."""

def outer():
    def inner():
        return inner.__code__.co_filename
    return inner

class Thing:
    names = {"a", "b", "c"}
    attributes = [lambda: 1, (i for i in range(3))]
'''
FILES = "import hello; print(hello.__file__, hello.greeting.__code__.co_filename)"


def write(root: Path, **files: str) -> list[Path]:
    """Modules in `lib/demo-1`."""
    directory = root / "lib" / "demo-1"
    directory.mkdir(parents=True)
    for name, text in files.items():
        (directory / f"{name}.py").write_text(text)
    return sorted(directory.iterdir())


def names_of_files(pyc: Path) -> set[str]:
    """The file names in compiled code, those of functions and classes included."""
    names, codes = set(), [marshal.loads(pyc.read_bytes()[16:])]  # noqa: S302 - compiled here
    while codes:
        code = codes.pop()
        names.add(code.co_filename)
        codes += [each for each in code.co_consts if isinstance(each, type(code))]
    return names


def test_sources_are_replaced_by_unchecked_hash_based_files(tmp_path: Path) -> None:
    files = write(tmp_path, one=SOURCE, two="x = 1\n")
    steps: list[tuple[int, int]] = []
    failed = compile_tree(tmp_path, files, PYTHON, progress=lambda done, total: steps.append((done, total)))
    assert failed == {}
    assert steps[-1] == (2, 2)
    assert sorted(path.name for path in (tmp_path / "lib" / "demo-1").iterdir()) == ["one.pyc", "two.pyc"]
    data = (tmp_path / "lib" / "demo-1" / "one.pyc").read_bytes()
    assert data[:4] == importlib.util.MAGIC_NUMBER
    assert data[4:8] == b"\1\0\0\0"  # PEP 552: hash-based, not checked
    assert data[8:16] == importlib.util.source_hash(SOURCE.encode())
    assert names_of_files(tmp_path / "lib" / "demo-1" / "one.pyc") == {"lib/demo-1/one.py"}


def test_sources_are_kept_when_asked_for(tmp_path: Path) -> None:
    files = write(tmp_path, one=SOURCE)
    compile_tree(tmp_path, files, PYTHON, dropped=lambda _file: ())
    assert files[0].read_text() == SOURCE
    (pyc,) = (tmp_path / "lib" / "demo-1" / "__pycache__").iterdir()
    assert pyc.name == f"one.{sys.implementation.cache_tag}.pyc"
    assert names_of_files(pyc) == {"lib/demo-1/one.py"}


def test_what_does_not_compile_is_left_alone_and_told(tmp_path: Path) -> None:
    files = write(tmp_path, good="x = 1\n", bad="x = 1\n\ndef f(:\n", null="x = '\0'\n")
    failed = compile_tree(tmp_path, files, PYTHON)
    assert set(failed) == {"lib/demo-1/bad.py", "lib/demo-1/null.py"}
    assert failed["lib/demo-1/bad.py"] == "line 3: invalid syntax"
    assert "null bytes" in failed["lib/demo-1/null.py"]
    assert sorted(path.name for path in (tmp_path / "lib" / "demo-1").iterdir()) == [
        "bad.py",
        "good.pyc",
        "null.py",
    ]


def test_the_same_source_gives_the_same_bytes_whatever_is_compiled_beside(tmp_path: Path) -> None:
    alone = tmp_path / "alone"
    compile_tree(alone, write(alone, one=SOURCE), PYTHON)
    crowd = tmp_path / "crowd"
    more = {f"m{number}": SOURCE + f"x{number} = 'Thing'\n" for number in range(40)}
    compile_tree(crowd, write(crowd, one=SOURCE, **more), PYTHON)
    assert (alone / "lib/demo-1/one.pyc").read_bytes() == (crowd / "lib/demo-1/one.pyc").read_bytes()


CODE_FILES = """
import marshal, sys
pending = [marshal.loads(open(sys.argv[1], "rb").read()[16:])]
for code in pending:
    print(code.co_filename)
    pending += [each for each in code.co_consts if isinstance(each, type(code))]
exec(pending[0])
print(outer()(), Thing.names)
"""


@pytest.mark.parametrize("minor", interpreters.available())
def test_code_is_renamed_with_its_directory(tmp_path: Path, minor: str) -> None:
    python = interpreters.find(minor)
    assert python is not None
    compile_tree(tmp_path, write(tmp_path, one=SOURCE), python)
    directory = (tmp_path / "lib" / "demo-1").rename(tmp_path / "lib" / "demo-1.0123abcd")
    (directory / "foreign.pyc").write_bytes(b"of another Python")
    rename_code(tmp_path, "lib/demo-1", "lib/demo-1.0123abcd", python)
    command = [str(python), "-I", "-S", "-c", CODE_FILES, str(directory / "one.pyc")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "0"})
    *files, called = done.stdout.splitlines()
    assert len(files) >= 6
    assert set(files) == {"lib/demo-1.0123abcd/one.py"}
    assert called.startswith("lib/demo-1.0123abcd/one.py {")
    assert (directory / "foreign.pyc").read_bytes() == b"of another Python"


# In releases


def test_sources_and_the_whole_standard_library(builder: Builder, project: Path) -> None:
    configure(project, 'strip = false\nstdlib = "full"')
    root = builder.release(project)
    assert greets(root)
    library = root / "lib" / "hello-1.0.0" / "hello"
    assert (library / "__init__.py").read_text() == (project / "hello" / "__init__.py").read_text()
    assert list((library / "__pycache__").glob("__init__.*.pyc"))
    assert not list(library.glob("*.pyc"))
    done = run(root / "bin" / "hello", "eval", FILES)
    # Where there are sources, Python itself lets code name them, so that a traceback shows their lines.
    assert done.stdout == f"{library}/__init__.py {library}/__init__.py\n"
    code = "import hello, inspect, turtledemo, ensurepip, idlelib; print(inspect.getsource(hello.greeting))"
    done = run(root / "bin" / "hello", "eval", code)
    assert (done.returncode, "def greeting(name" in done.stdout) == (0, True), done.stderr
    # Nothing is compiled again by running it.
    assert greets(root)


@pytest.fixture(scope="module")
def without_python(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The root of a release without an interpreter of its own."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("without"))
    configure(project, "include-python = false")
    return builders[interpreters.running()].release(project)


def base() -> Path:
    """The interpreter that the tests run on, outside of any environment."""
    found = interpreters.find(interpreters.running())
    assert found is not None
    return found


def directory_with(tmp_path: Path, **programs: Path) -> str:
    """A PATH that holds nothing but these programs and what the launcher needs."""
    directory = tmp_path / "path"
    directory.mkdir()
    for name, program in programs.items():
        (directory / name.replace("_", ".")).symlink_to(program)
    return str(directory)


def test_a_release_without_an_interpreter(without_python: Path, tmp_path: Path) -> None:
    assert sorted(path.name for path in without_python.iterdir()) == ["bin", "lib", "releases"]
    launcher = without_python / "bin" / "hello"
    path = directory_with(tmp_path, python3=base())
    done = run(launcher, "start", "--json", PATH=path)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert Path(report["executable"]).resolve() == base().resolve()
    assert report["file"].endswith("/lib/hello-1.0.0/hello/__main__.pyc")
    assert run(launcher, "verify", PATH=path).returncode == 0
    assert run(launcher, "start", PATH="/nowhere", RELEASE_PYTHON=str(base())).stdout == "Hello, world!\n"
    description = json.loads((without_python / "releases/1.0.0/hello.rel").read_text())
    assert description["python"] == {"version": "{}.{}.{}".format(*sys.version_info[:3]), "included": False}


def test_another_version_is_refused(without_python: Path, tmp_path: Path) -> None:
    others = [each for each in interpreters.available() if each != interpreters.running()]
    if not others:
        pytest.skip("only one version of Python here")
    other = interpreters.find(others[0])
    assert other is not None
    path = directory_with(tmp_path, python3=other)
    done = run(without_python / "bin" / "hello", "start", PATH=path)
    own = "{}.{}.{}".format(*sys.version_info[:3])
    pattern = (
        rf"ERROR: this release was assembled for Python {re.escape(own)}, "
        rf"found Python {re.escape(others[0])}\.\d+ at {path}/python3: install .*\n"
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(pattern, done.stderr), done.stderr
    done = run(without_python / "bin" / "hello", "start", PATH="/nowhere")
    assert (done.returncode, "found none" in done.stderr) == (1, True)


def test_versions_with_and_without_an_interpreter_in_one_root(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    root = builder.release(project)
    configure(project, "include-python = false\ncheck = false")
    done = builder.build(project, HATCH_RELEASE_VERSION="2")
    assert done.returncode == 0, done.stderr
    assert greets(root, "1.0.0")
    # The first is still to be run where there is no Python at all.
    assert (
        run(root / "bin" / "hello", "start", RELEASE_VSN="1.0.0", PATH="/nowhere").stdout == "Hello, world!\n"
    )
    path = directory_with(tmp_path, python3=base())
    assert run(root / "bin" / "hello", "start", RELEASE_VSN="2", PATH=path).stdout == "Hello, world!\n"
