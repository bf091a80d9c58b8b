from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import tarfile
import textwrap
import time
from pathlib import Path

import pytest
import uv
from uv import find_uv_bin

from hatch_release.dependencies.installer import _explanation, install
from hatch_release.dependencies.lock import Lock, find_lock
from hatch_release.errors import ReleaseError
from tests.wheels import locked, make_wheel

PYTHON = Path(sys.executable)
PYPROJECT = """
[project]
name = "demo"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["idna==3.10"]

[project.optional-dependencies]
web = ["sniffio==1.3.1"]

[dependency-groups]
dev = ["iniconfig==2.0.0"]
ops = ["mdurl==0.1.2"]

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""
MAKE = {
    "pylock": [
        *["export", "--format", "pylock.toml", "-o", "pylock.toml"],
        *["--all-extras", "--no-default-groups", "--group", "ops"],
    ],
    "uv": ["lock"],
    "requirements": [
        *["pip", "compile", "pyproject.toml", "--generate-hashes", "--universal", "-o", "requirements.txt"],
        *["--all-extras", "--group", "ops"],
    ],
}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    root = tmp_path / "pröject root"
    root.mkdir()
    (root / "pyproject.toml").write_text(PYPROJECT, "utf-8")
    return root


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    requires = ["idna==3.10", "sniffio==1.3.1; extra == 'web'"]
    return make_wheel(tmp_path / "dist folder", "demo", requires=requires, extras=["web"])


@pytest.fixture
def closed_index() -> str:
    """The address of an index that nobody serves."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/simple"


def make_lock(root: Path, kind: str) -> Lock:
    subprocess.run([find_uv_bin(), "-q", *MAKE[kind], "--python", PYTHON], cwd=root, check=True)
    if kind == "pylock":
        (root / "uv.lock").unlink()
    lock = find_lock(root, None)
    assert lock is not None
    assert lock.kind == kind
    return lock


def requirements_lock(root: Path, text: str) -> Lock:
    (root / "requirements.txt").write_text(text, "utf-8")
    return Lock(root / "requirements.txt", "requirements")


def installed(site: Path) -> set[str]:
    return {path.name.removesuffix(".dist-info") for path in site.glob("*.dist-info")}


def failure(*, wheel: Path, lock: Lock | None, root: Path, offline: bool = False) -> str:
    """The line that a user sees when the installation fails."""
    with pytest.raises(ReleaseError) as caught:
        install(wheel=wheel, lock=lock, python=PYTHON, destination=root / "site", root=root, offline=offline)
    message = str(caught.value)
    assert "\n" not in message
    return message


@pytest.mark.parametrize("kind", MAKE)
def test_everything_locked_is_installed_beside_the_project(
    project: Path, wheel: Path, tmp_path: Path, kind: str
) -> None:
    lock = make_lock(project, kind)
    before = sorted(project.iterdir())
    site = tmp_path / "site"
    install(
        wheel=wheel,
        lock=lock,
        python=PYTHON,
        destination=site,
        extras=["web"],
        groups=["ops"],
        root=project,
    )
    assert installed(site) == {"demo-1.0", "idna-3.10", "sniffio-1.3.1", "mdurl-0.1.2"}
    assert (site / "demo.py").read_text("utf-8") == "NAME = 'demo'\n"
    assert sorted(project.iterdir()) == before
    assert not (site / ".lock").exists()


def test_uv_lock_gives_only_the_extras_and_groups_asked_for(
    project: Path, wheel: Path, tmp_path: Path
) -> None:
    lock = make_lock(project, "uv")
    install(wheel=wheel, lock=lock, python=PYTHON, destination=tmp_path / "site", root=project)
    assert installed(tmp_path / "site") == {"demo-1.0", "idna-3.10"}


def test_constraints_of_the_project_do_not_stand_in_the_way_of_a_lock(
    project: Path, wheel: Path, tmp_path: Path
) -> None:
    settings = '[tool.uv]\nconstraint-dependencies = ["idna<4"]\n'
    (project / "pyproject.toml").write_text(PYPROJECT + settings, "utf-8")
    lock = make_lock(project, "requirements")
    install(wheel=wheel, lock=lock, python=PYTHON, destination=tmp_path / "site", root=project)
    assert "idna-3.10" in installed(tmp_path / "site")


def test_a_workspace_member_in_uv_lock_is_installed_from_its_directory(
    project: Path, wheel: Path, tmp_path: Path
) -> None:
    member = project / "members" / "part"
    member.mkdir(parents=True)
    (member / "part.py").touch()
    (member / "pyproject.toml").write_text(
        PYPROJECT.replace('"demo"', '"part"').replace("idna==3.10", "mdurl"), "utf-8"
    )
    settings = '[tool.uv]\nworkspace.members = ["members/*"]\nsources.part.workspace = true\n'
    text = PYPROJECT.replace('["idna==3.10"]', '["idna==3.10", "part"]') + settings
    (project / "pyproject.toml").write_text(text, "utf-8")
    lock = make_lock(project, "uv")
    install(wheel=wheel, lock=lock, python=PYTHON, destination=tmp_path / "site", root=project)
    assert installed(tmp_path / "site") >= {"demo-1.0", "idna-3.10", "part-1.0"}
    assert (tmp_path / "site" / "part.py").exists()


def test_without_a_lock_the_metadata_decides(project: Path, wheel: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    install(
        wheel=wheel,
        lock=None,
        python=PYTHON,
        destination=site,
        extras=["web"],
        groups=["ops"],
        root=project,
    )
    assert installed(site) == {"demo-1.0", "idna-3.10", "sniffio-1.3.1", "mdurl-0.1.2"}


def test_settings_of_another_environment_do_not_matter(
    project: Path, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = make_lock(project, "uv")
    for name in ("VIRTUAL_ENV", "UV_PROJECT", "UV_PYTHON", "UV_PROJECT_ENVIRONMENT"):
        monkeypatch.setenv(name, str(tmp_path / "nowhere"))
    for name in ("UV_LOCKED", "UV_SYSTEM_PYTHON", "UV_NO_VERIFY_HASHES"):
        monkeypatch.setenv(name, "1")
    monkeypatch.setenv("UV_LINK_MODE", "symlink")
    install(wheel=wheel, lock=lock, python=PYTHON, destination=tmp_path / "site", root=project)
    assert installed(tmp_path / "site") == {"demo-1.0", "idna-3.10"}
    assert not any(path.is_symlink() for path in (tmp_path / "site").rglob("*"))


@pytest.mark.parametrize("kind", MAKE)
def test_a_wrong_hash(project: Path, wheel: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    monkeypatch.setenv("UV_NO_VERIFY_HASHES", "1")
    lock = make_lock(project, kind)
    text = lock.path.read_text("utf-8")
    wrong = re.sub(r'(sha256(?::| = "))[0-9a-f]{4}', r"\g<1>0000", text)
    lock.path.write_text(wrong, "utf-8")
    message = failure(wheel=wheel, lock=lock, root=project)
    assert message.startswith("the file that the index serves for ")
    assert f"has a hash that {lock.path.name} does not hold" in message
    assert re.search("(idna==3.10|sniffio==1.3.1|mdurl==0.1.2) has a hash", message)


def test_no_network_and_an_empty_cache(
    project: Path, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    message = failure(wheel=wheel, lock=None, root=project, offline=True)
    assert "the package index cannot be reached and uv's cache does not hold idna: " in message


def test_a_locked_file_without_network(
    project: Path, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = make_lock(project, "pylock")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_OFFLINE", "1")
    message = failure(wheel=wheel, lock=lock, root=project)
    assert message.startswith("the package index cannot be reached and uv's cache does not hold ")


def test_an_index_that_does_not_answer(
    project: Path, wheel: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, closed_index: str
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("UV_DEFAULT_INDEX", closed_index)
    monkeypatch.setenv("UV_HTTP_RETRIES", "0")
    message = failure(wheel=wheel, lock=None, root=project)
    assert "the package index cannot be reached" in message
    assert f"does not hold {closed_index}/idna/: " in message


def test_no_version_fits(project: Path, tmp_path: Path) -> None:
    wheel = make_wheel(tmp_path, "demo", requires=["idna==99.1"])
    message = failure(wheel=wheel, lock=None, root=project)
    assert "the metadata of demo-1.0-py3-none-any.whl cannot be installed for this interpreter: " in message
    assert "there is no version of idna==99.1" in message


def test_no_wheel_fits(project: Path, wheel: Path) -> None:
    lock = Lock(project / "pylock.toml", "pylock")
    lock.path.write_text(
        'lock-version = "1.0"\ncreated-by = "test"\n[[packages]]\nname = "six"\nversion = "1.16.0"\n'
        'wheels = [{ url = "https://index.invalid/six-1.16.0-cp27-cp27m-win32.whl", '
        f'hashes = {{ sha256 = "{"0" * 64}" }} }}]\n',
        "utf-8",
    )
    message = failure(wheel=wheel, lock=lock, root=project)
    assert "pylock.toml" in message
    assert "`six`" in message


def broken_source(directory: Path) -> Path:
    """The source distribution of an extension module that no compiler accepts."""
    source = directory / "broken-1.0"
    source.mkdir(parents=True)
    (source / "PKG-INFO").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n", "utf-8")
    (source / "broken.c").write_text("int main( { this_is_no_c\n", "utf-8")
    (source / "setup.py").write_text(
        "from setuptools import Extension, setup\n"
        "setup(name='broken', version='1.0', ext_modules=[Extension('broken', ['broken.c'])])\n",
        "utf-8",
    )
    with tarfile.open(directory / "broken-1.0.tar.gz", "w:gz") as archive:
        archive.add(source, "broken-1.0")
    return directory / "broken-1.0.tar.gz"


def test_a_source_that_does_not_compile(
    project: Path,
    wheel: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    lock = requirements_lock(project, locked("broken", broken_source(tmp_path / "sdist")))
    monkeypatch.delenv("HATCH_VERBOSE", raising=False)
    message = failure(wheel=wheel, lock=lock, root=project)
    assert message.startswith("broken")
    assert "has no wheel that fits and its source does not build" in message
    assert capfd.readouterr() == ("", "")
    monkeypatch.setenv("HATCH_VERBOSE", "1")
    assert failure(wheel=wheel, lock=lock, root=project) == message
    assert "this_is_no_c" in capfd.readouterr().err


def test_any_other_failure_is_one_line_as_well(project: Path, wheel: Path) -> None:
    lock = requirements_lock(project, "this is no requirement --hash=sha256:0123\n")
    message = failure(wheel=wheel, lock=lock, root=project)
    assert message.startswith("uv could not install from requirements.txt: ")
    assert "in `requirements.txt` at position 0" in message
    assert message.endswith("; HATCH_VERBOSE=1 shows all that it said")


OLDER_UV = """\
\x1b[2mResolved \x1b[1m1 package\x1b[0m in 9ms\x1b[0m
  \x1b[31m\xd7\x1b[0m Failed to build `broken==1.0`
  \x1b[31m├─▶ \x1b[0mThe build backend returned an error
  \x1b[31m╰─▶ \x1b[0mCall to `setuptools.build_meta.build_wheel` failed (exit
  \x1b[31m    \x1b[0mstatus: 1)

      [stderr]
      error: Connection refused by the compiler
"""


def test_the_tree_that_older_uv_draws_is_read_too() -> None:
    assert _explanation(OLDER_UV, "uv.lock", 1).startswith("broken==1.0 has no wheel that fits and ")
    told = _explanation(OLDER_UV.replace("build", "parse"), "uv.lock", 1)
    assert told == (
        "uv could not install from uv.lock: Failed to parse `broken==1.0`: "
        "The parse backend returned an error: "
        "Call to `setuptools.parse_meta.parse_wheel` failed (exit status: 1); "
        "HATCH_VERBOSE=1 shows all that it said"
    )


def test_a_failure_without_a_word() -> None:
    assert "it ended with exit code -9 and no message" in _explanation("", "uv.lock", -9)


def test_without_uv(tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", bare], check=True)
    code = textwrap.dedent(
        """
        import sys
        sys.path += sys.argv[1:]
        import uv
        from pathlib import Path
        from hatch_release.errors import ReleaseError
        from hatch_release.dependencies.installer import install
        here = Path(sys.prefix)
        try:
            wheel = here / "demo-1.0-py3-none-any.whl"
            wheel.touch()
            install(wheel=wheel, lock=None, python=here, destination=here, root=here)
        except ReleaseError as error:
            print(error)
        """
    )
    copied = tmp_path / "uv"
    copied.mkdir()
    for module in Path(uv.__path__[0]).glob("*.py"):
        (copied / module.name).write_bytes(module.read_bytes())
    path = [str(tmp_path), str(Path(__file__).parents[1]), *sys.path]
    done = subprocess.run(
        [bare / "bin" / "python", "-I", "-c", code, *path],
        env={**os.environ, "PATH": str(tmp_path), "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert (
        done.stdout
        == "uv, which installs the dependencies, was not found: install it with `pip install uv`\n"
    )


def test_an_interrupt_ends_uv_and_is_passed_on(project: Path, tmp_path: Path) -> None:
    with socket.socket() as silent:  # an index that takes the connection and never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        wheel = make_wheel(tmp_path, "demo", requires=["idna"])
        code = textwrap.dedent(
            f"""
            import sys
            from pathlib import Path
            from hatch_release.dependencies.installer import install
            try:
                install(wheel=Path({str(wheel)!r}), lock=None, python=Path(sys.executable),
                        destination=Path({str(tmp_path / "site")!r}), root=Path({str(project)!r}))
            except KeyboardInterrupt:
                print("interrupted")
            """
        )
        index = f"http://127.0.0.1:{silent.getsockname()[1]}/simple"
        env = {**os.environ, "UV_DEFAULT_INDEX": index, "UV_CACHE_DIR": str(tmp_path / "cache")}
        command = [sys.executable, "-c", code]
        root = Path(__file__).parents[1]
        with subprocess.Popen(command, cwd=root, env=env, stdout=subprocess.PIPE, text=True) as child:
            silent.settimeout(30)
            connection, _ = silent.accept()
            with connection:
                started = time.monotonic()
                child.send_signal(signal.SIGINT)
                out, _ = child.communicate(timeout=30)
                assert time.monotonic() - started < 10
                connection.settimeout(10)
                while connection.recv(4096):  # ends when uv, its other end, has ended
                    pass
    assert out == "interrupted\n"
    assert child.returncode == 0
