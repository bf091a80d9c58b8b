"""What is left out of a release, and how a user learns of it."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.conftest import copy_fixture
from tests.projects import run, write_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

ALWAYS = (
    "asyncio",
    "cProfile",
    "dis",
    "encodings.idna",
    "encodings.cp932",
    "inspect",
    "pdb",
    "pprint",
    "timeit",
)


@pytest.fixture(scope="module")
def release(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The smallest fixture, whose code names `xml.dom` in a string behind a computed import."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("pruning"))
    (project / "hello" / "computed.py").write_text(
        "import importlib\n\ndef load(name='wave'):\n    return importlib.import_module(name)\n"
    )
    (project / "hello" / "tests").mkdir()
    (project / "hello" / "tests" / "__init__.py").write_text("import turtle\n")
    return builders[interpreters.running()].release(project)


PROJECT = """
[project]
name = "{name}"
version = "1.0.0"

[project.scripts]
{name} = "{name}:main"
"""
# What hashes inside the standard library, without being asked to.
SEEDS = """
import asyncio, random, tempfile, uuid
from concurrent.futures import ThreadPoolExecutor

async def read():
    return (await asyncio.to_thread(random.Random("a seed").random)).hex()

def main():
    print(random.Random(b"another").getrandbits(64), uuid.uuid3(uuid.NAMESPACE_DNS, "example.org"))
    print(uuid.uuid5(uuid.NAMESPACE_URL, "example.org"), asyncio.run(read()), len(tempfile.gettempdir()))
    with ThreadPoolExecutor(2) as pool:
        print(*pool.map(len, ["one", "three"]))
"""
# What asks for OpenSSL, for processes and for XML in the ways that only the rules for them see.
ASKS = """
import asyncio, hashlib, hmac, secrets
from concurrent import futures
from multiprocessing import connection
from decimal import Decimal

async def connect():
    try:
        await asyncio.open_connection("127.0.0.1", 9, ssl=True)
    except OSError as error:
        return type(error).__name__

def main():
    print(sorted(hashlib.algorithms_available), len(secrets.token_hex(8)))
    for name in sorted(hashlib.algorithms_guaranteed - {"shake_128", "shake_256"}):
        print(name, hashlib.new(name, b"text").hexdigest(), hmac.new(b"key", b"text", "sha256").hexdigest())
    print(hashlib.scrypt(b"word", salt=b"salt", n=16, r=8, p=1).hex(), hashlib.sha256.__module__)
    print(hashlib.pbkdf2_hmac("sha512", b"word", b"salt", 9).hex(), Decimal(1) / 7)
    print(asyncio.run(connect()), connection.XmlListener(("127.0.0.1", 0)).address[0])
    with futures.ProcessPoolExecutor(1) as pool:
        print(*pool.map(len, ["one", "three"]))
"""
PROGRAMS = {"seeds": SEEDS, "asks": ASKS}


@pytest.fixture(scope="module", params=PROGRAMS)
def pair(
    request: pytest.FixtureRequest, builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Path, Path]:
    """A program, the environment's Python that it can run on as it is, and its release."""
    name = request.param
    project = tmp_path_factory.mktemp("program") / name
    write_project(project, {"pyproject.toml": PROJECT.format(name=name), f"{name}.py": PROGRAMS[name]})
    builder = builders[interpreters.running()]
    return name, builder.python, builder.release(project)


def test_a_program_says_the_same_in_its_release(pair: tuple[str, Path, Path]) -> None:
    name, python, release = pair
    expected = run(python, "-c", f"import {name}; {name}.main()", cwd=release.parents[2])
    seen = run(release / "bin" / name, "start")
    assert (seen.returncode, seen.stdout, seen.stderr) == (0, expected.stdout, expected.stderr)


def test_openssl_is_in_for_those_who_hash(pair: tuple[str, Path, Path]) -> None:
    name, _, release = pair
    included = reasons(release)["included"].keys()
    asked = {
        "_hashlib",
        "_ssl",
        "ssl",
        "concurrent.futures.process",
        "multiprocessing",
        "xmlrpc.client",
        "_decimal",
    }
    builtin = set(sys.builtin_module_names)
    assert asked & included == (asked - builtin if name == "asks" else asked & set(required(release)))
    assert bool(list(release.glob("python-*/lib/libcrypto*"))) == ("_ssl" in included)


def required(release: Path) -> list[str]:
    """What the interpreter itself asks for, beyond what version 3.11 does: `_pylong` does, for long numbers."""
    included = reasons(release)["included"]
    return ["_decimal"] if "_pylong" in included else []


def evaluate(release: Path, code: str) -> tuple[int, str, str]:
    done = run(release / "bin" / "hello", "eval", code)
    return done.returncode, done.stdout, done.stderr


def reasons(release: Path) -> dict[str, dict[str, str]]:
    text = (release / "releases" / "1.0.0" / "consolidated" / "stdlib.json").read_text()
    loaded: dict[str, dict[str, str]] = json.loads(text)
    return loaded


@pytest.mark.parametrize("name", ALWAYS)
def test_what_an_operator_types_stays(release: Path, name: str) -> None:
    assert evaluate(release, f"import {name}") == (0, "", "")


def test_each_module_says_why_it_is_in(release: Path) -> None:
    included = reasons(release)["included"]
    assert included["argparse"] == "hello.__main__"
    assert included["wave"] == "hello.computed"
    assert included["pdb"] == "an operator's shell"


def test_every_included_module_can_be_imported(release: Path) -> None:
    skipped = {"antigravity", "this", "idlelib", "__phello__"}
    names = [name for name in reasons(release)["included"] if name.partition(".")[0] not in skipped]
    code = (
        f"import importlib, sys\nfor name in {names!r}:\n"
        "    try: importlib.import_module(name)\n"
        "    except ModuleNotFoundError as error: print(name, error)\n"
        "    except Exception: pass\n"
    )
    status, output, _ = evaluate(release, code)
    # Only modules for other systems are named and not there: in a plain Python they are missing too.
    foreign = {
        "_winapi",
        "msvcrt",
        "winreg",
        "nt",
        "_scproxy",
        "_overlapped",
        "java",
        "vms_lib",
        "winsound",
        "org",
    }
    assert status == 0
    assert {line.split("'")[1].partition(".")[0] for line in output.splitlines()} <= foreign


def test_what_nothing_names_goes_and_is_told(release: Path) -> None:
    status, _, errors = evaluate(release, "import wsgiref")
    assert status == 1
    assert errors.splitlines()[-2:] == [
        "ModuleNotFoundError: No module named 'wsgiref'",
        "Hint: this release leaves wsgiref out, since nothing in it names it: add it to stdlib-include",
    ]
    assert not list(release.glob("python-*/lib/python*/wsgiref"))


def test_libraries_of_what_goes_go_too(release: Path) -> None:
    assert "_sqlite3" in reasons(release)["left out"]
    assert not list(release.glob("python-*/lib/libsqlite3*"))


def test_a_module_that_is_nowhere_has_no_hint(release: Path) -> None:
    assert evaluate(release, "import no_such_module")[2].splitlines()[-1].startswith("ModuleNotFoundError")


def test_tests_go_with_what_only_they_name(release: Path) -> None:
    assert not (release / "lib" / "hello-1.0.0" / "hello" / "tests").exists()
    assert "turtle" not in reasons(release)["included"]


def test_neither_openssl_nor_what_only_it_needs_comes_with_a_program_without_it(release: Path) -> None:
    left_out = reasons(release)["left out"]
    assert {"ssl", "multiprocessing", "unittest", "doctest", "http.server"} <= set(left_out)
    assert not list(release.glob("python-*/share/certificates.pem"))
    assert not list(release.glob("python-*/share/zoneinfo"))
    assert not list(release.glob("python-*/lib/libssl*"))
    assert evaluate(release, "import hashlib; print(hashlib.sha256(b'').hexdigest()[:8])")[1] == "e3b0c442\n"


def test_the_release_still_verifies_itself(release: Path) -> None:
    done = run(release / "bin" / "hello", "verify")
    assert done.returncode == 0, done.stderr
    file = release / "lib" / "hello-1.0.0" / "hello" / "__main__.pyc"
    before = file.read_bytes()
    file.write_bytes(b"changed")
    assert run(release / "bin" / "hello", "verify").returncode == 1
    file.write_bytes(before)
