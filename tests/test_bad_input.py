"""What may be wrong with a project or a machine: one clear line, exit code 1, and nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.builds import at, configure, failure, greets, nothing_written, replace
from tests.projects import Builder, clean_environment, run
from tests.wheels import locked, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = 'hello = "hello.__main__:main"'


def depend(project: Path, requirement: str, lock: str) -> Path:
    """The project with one dependency and a lock."""
    replace(project, "dependencies = []", f'dependencies = ["{requirement}"]')
    (project / "requirements.lock").write_text(lock)
    return project


UNSHARE = shutil.which("unshare") or ""


# What there is to start


def test_no_console_script(builder: Builder, project: Path) -> None:
    replace(project, f"[project.scripts]\n{SCRIPT}", "")
    message = failure(builder.build(project))
    place = at(project, "[project]")
    assert message.startswith(
        f"{place}project 'hello' has no console script, so there is nothing for `start` to run: add one"
    )
    assert nothing_written(project)


def test_two_console_scripts_and_none_of_the_project_s_name(builder: Builder, project: Path) -> None:
    replace(project, SCRIPT, 'one = "hello.__main__:main"\ntwo = "hello.release_tasks:migrate"')
    message = failure(builder.build(project))
    assert message.startswith(at(project, "[project.scripts]"))
    assert "has the console scripts one, two, none of its own name" in message
    assert nothing_written(project)
    # The line says what to write; written as it says, it works.
    option = message.partition("choose with ")[2].partition(" in [tool.")[0]
    assert option == 'applications = { hello = { start = "hello.__main__:main" } }'
    configure(project, option.replace("hello.__main__:main", "hello.release_tasks:migrate"))
    root = builder.release(project)
    started = run(root / "bin" / "hello", "start")
    assert (started.stdout, started.stderr, started.returncode) == ("migrated\n", "", 0)
    assert run(root / "bin" / "hello", "run", "one").stdout == "Hello, world!\n"


def test_an_application_of_another_name(builder: Builder, project: Path) -> None:
    configure(project, 'applications = { hallo = "permanent" }')
    assert "(a new application needs start or command), did you mean 'hello'?" in failure(
        builder.build(project)
    )
    assert nothing_written(project)


# Where it goes


@pytest.mark.parametrize("path", ["taken", "taken/below", "dangling"])
def test_a_file_in_place_of_the_path(builder: Builder, project: Path, path: str) -> None:
    (project / "taken").write_text("mine")
    (project / "dangling").symlink_to("nowhere/at/all")
    configure(project, f'path = "{path}"')
    message = failure(builder.build(project))
    assert f"{project / path.partition('/')[0]} is no directory" in message
    assert (project / "taken").read_text() == "mine"
    assert nothing_written(project)


def test_a_path_that_nothing_can_be_written_to(builder: Builder, project: Path) -> None:
    message = failure(builder.build(project, HATCH_RELEASE_PATH="/proc/release/hello"))
    assert message.startswith("/proc/release/hello can't be assembled: ")
    assert message.endswith("or set the option path to another place")
    if os.geteuid() != 0:
        closed = project / "closed"
        closed.mkdir(mode=0o500)
        assert "Permission denied" in failure(builder.build(project, HATCH_RELEASE_PATH="closed/hello"))
    assert nothing_written(project)


FULL_DISK = """
mount -t tmpfs -o size=100m tmpfs disk || exit 77
export HATCH_RELEASE_PATH=disk/hello
"$@" || exit 78
for room in 0 5 15; do
  rm -f disk/filler
  set -- $(df -k --output=avail disk) "$@"
  head -c $((($2 - room * 1024) * 1024)) /dev/zero > disk/filler
  shift 2
  HATCH_RELEASE_VERSION=2 "$@" && exit 79
  disk/hello/bin/hello start && disk/hello/bin/hello verify || exit 80
  ls -A disk disk/hello/releases
done >told 2>errors
"""


@pytest.mark.skipif(not UNSHARE, reason="needs unshare")
def test_a_full_disk(builder: Builder, project: Path) -> None:
    (project / "disk").mkdir()
    build = [str(builder.python), "-m", "hatchling", "build", "-t", "release"]
    done = subprocess.run(
        [UNSHARE, "--map-root-user", "--mount", "sh", "-c", FULL_DISK, "sh", *build],
        cwd=project,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode in {1, 77}:
        pytest.skip(f"this machine allows no mounts: {done.stderr}")
    told, errors = (project / "told").read_text(), (project / "errors").read_text().splitlines()
    assert done.returncode == 0, told
    # A system that has no room for its control endpoint runs, and says so.
    errors = [line for line in errors if not line.startswith("Warning: rpc, stop and the like won't reach")]
    assert len(errors) == 3, errors
    assert all("No space left on device" in line for line in errors)
    for attempt in told.split("Assembling hello 2\n")[1:]:
        assert attempt.endswith(AFTER_FULL_DISK), attempt


AFTER_FULL_DISK = """Hello, world!
hello 1.0.0: every file is as it was assembled
disk:
filler
hello

disk/hello/releases:
1.0.0
COOKIE
start.data
"""


# What it is made of


def test_an_interpreter_that_the_project_excludes(builder: Builder, project: Path) -> None:
    replace(project, ">=3.10", ">=3.99")
    message = failure(builder.build(project))
    assert message.startswith(
        f"{at(project, '>=3.99')}project 'hello' requires Python >=3.99, and the release would run on 3."
    )
    assert message.endswith("or set HATCH_RELEASE_NO_PYTHON_VERSION_CHECK=1")
    assert nothing_written(project)


def test_a_wrong_hash(builder: Builder, project: Path, tmp_path: Path) -> None:
    lock = locked("other", make_wheel(tmp_path, "other"))
    digest = lock.rpartition(":")[2].strip()
    depend(project, "other", lock.replace(digest, "0" * 64))
    message = failure(builder.build(project))
    assert "requirements.lock" in message
    assert "hash" in message
    assert nothing_written(project)


def test_a_lock_that_lacks_a_dependency(builder: Builder, project: Path, tmp_path: Path) -> None:
    depend(project, "other>=1", locked("another", make_wheel(tmp_path, "another")))
    message = failure(builder.build(project))
    assert message.startswith(
        f"{at(project, 'other>=1')}hello 1.0.0 requires other>=1, but it is not locked: make requirements.lock again, "
        "for example with "
    )
    assert nothing_written(project)


def test_a_lock_that_is_missing_or_has_no_hashes(builder: Builder, project: Path) -> None:
    configure(project, 'lock = "prod.lock"')
    place = at(project, "prod.lock")
    assert failure(builder.build(project)).startswith(
        f"{place}the option lock names 'prod.lock', which is no file"
    )
    (project / "prod.lock").write_text("idna==3.10\n")
    assert "has no hash: make one with `uv pip compile" in failure(builder.build(project))
    assert nothing_written(project)


def test_no_network_and_an_empty_cache(builder: Builder, project: Path, tmp_path: Path) -> None:
    depend(project, "idna", "idna==3.10 --hash=sha256:" + "0" * 64)
    variables = {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_DEFAULT_INDEX": "http://127.0.0.1:9/simple"}
    message = failure(builder.build(project, UV_HTTP_RETRIES="0", **variables))
    assert message.startswith("the package index cannot be reached and uv's cache does not hold ")
    assert nothing_written(project)


def test_a_source_that_does_not_build(builder: Builder, project: Path, tmp_path: Path) -> None:
    source = tmp_path / "broken-1.0"
    source.mkdir()
    (source / "pyproject.toml").write_text(
        '[project]\nname = "broken"\nversion = "1.0"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    (source / "backend.py").write_text(
        "import subprocess\nsubprocess.run(['no-such-compiler'], check=True)\n"
    )
    archive = tmp_path / "broken-1.0.tar.gz"
    with tarfile.open(archive, "w:gz") as stream:
        stream.add(source, source.name)
    depend(project, "broken", locked("broken", archive))
    message = failure(builder.build(project))
    assert "has no wheel that fits and its source does not build: install what its build needs" in message
    assert nothing_written(project)


@pytest.mark.parametrize("kind", ["dangling", "forbidden"])
def test_a_source_file_that_cannot_be_read(builder: Builder, project: Path, kind: str) -> None:
    file = project / "hello" / "unreadable.py"
    if kind == "dangling":
        file.symlink_to("nowhere.py")
    elif os.geteuid() == 0:
        pytest.skip("nothing is forbidden to root")
    else:
        file.touch(mode=0)
    message = failure(builder.build(project))
    assert message.startswith("the project's wheel can't be built: ")
    assert "unreadable.py" in message
    assert nothing_written(project)


def test_a_build_hook_that_fails(builder: Builder, project: Path) -> None:
    replace(project, "[project]", '[tool.hatch.build.hooks.custom]\npath = "hook.py"\n[project]')
    (project / "hook.py").write_text(
        "from hatchling.builders.hooks.plugin.interface import BuildHookInterface\n"
        "class Hook(BuildHookInterface):\n"
        "    def initialize(self, version, build_data):\n"
        "        if self.target_name == 'wheel': raise RuntimeError('no compiler\\nfound')\n"
    )
    message = failure(builder.build(project))
    assert message == "the project's wheel can't be built: no compiler found"
    assert nothing_written(project)


# What the project's code does


def test_an_import_that_is_missing_at_start(builder: Builder, project: Path) -> None:
    replace(project, "import argparse", "import argparse\nimport no_such_library", "hello/__main__.py")
    message = failure(builder.build(project))
    assert "fails with ModuleNotFoundError: No module named 'no_such_library': add what is missing" in message
    assert message.endswith("or set check = false")
    assert nothing_written(project)
    configure(project, "check = false")
    done = builder.build(project)
    assert (done.returncode, "Starting the release once" in done.stdout) == (0, False)
    assert run(project / "dist/release/hello/bin/hello", "start").returncode == 1


def test_code_that_is_broken_elsewhere(builder: Builder, project: Path, tmp_path: Path) -> None:
    """What may be meant so is a warning: a file that doesn't compile, an import that raises."""
    files = {"other/__init__.py": "", "other/template.py": "class {{ name }}:\n"}
    depend(project, "other", locked("other", make_wheel(tmp_path, "other", files=files)))
    (project / "hello" / "broken.py").write_text("x = 1\ndef f(:\n")
    replace(
        project, "import argparse", "import argparse\nimport os\nos.environ['DATABASE']", "hello/__main__.py"
    )
    done = builder.build(project)
    assert done.returncode == 0, done.stderr
    warnings = [line for line in done.stderr.splitlines() if line.startswith("Warning: ")]
    assert warnings[0] == "Warning: hello/broken.py can't be compiled: line 2: invalid syntax"
    assert warnings[1].endswith("in an empty environment raises KeyError: 'DATABASE'")
    assert len(warnings) == 2
    root = project / "dist" / "release" / "hello"
    assert run(root / "bin" / "hello", "start", DATABASE="x").stdout == "Hello, world!\n"
    # Whatever imports it is told what is wrong, as from its source.
    done = run(root / "bin" / "hello", "eval", "import hello.broken")
    assert (done.returncode, "SyntaxError" in done.stderr) == (1, True)


def test_everything_bad_leaves_the_installed_release(builder: Builder, project: Path) -> None:
    root = builder.release(project)
    for old, new, message in [
        (SCRIPT, 'a = "hello:b"\nc = "hello:d"', "none of its own name"),
        ("dependencies = []", 'dependencies = ["other"]', "but it is not locked"),
        ("[project]", "[project", "this is no TOML"),
    ]:
        replace(project, old, new)
        assert message in failure(builder.build(project, HATCH_RELEASE_OVERWRITE="1"))
        replace(project, new, old)
    assert greets(root)
    assert [path.name for path in root.parent.iterdir()] == ["hello"]
    assert interpreters.running() in next(root.glob("python-*")).name
