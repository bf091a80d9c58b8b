"""`bin/NAME` as a shell script: commands, versions, places and shells."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.projects import clean_environment, run, write_project
from tests.runtime.probe import FILES, Probe, call, rewrite

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

SHELLS = {"dash": ["dash"], "bash": ["bash"], "bash as sh": ["bash", "--posix"], "busybox": ["busybox", "sh"]}
LATER = [
    "install",
]
COMMANDS = [
    "start",
    "start_repl",
    "daemon",
    "daemon_repl",
    "attach",
    "logs",
    "eval",
    "rpc",
    "remote",
    "restart",
    "stop",
    "pid",
    "info",
    "stacks",
    "run",
    "config",
    "verify",
    "version",
    "versions",
]


@pytest.fixture(params=[*SHELLS, "shebang"])
def shell(request: pytest.FixtureRequest) -> list[str]:
    """What stands in front of `bin/NAME` to run it in each shell; nothing for its first line's own."""
    words = SHELLS.get(str(request.param), [])
    if words and not shutil.which(words[0]):
        pytest.skip(f"{words[0]} is not installed")
    return words


def test_no_command_prints_the_usage(probe: Probe, shell: list[str]) -> None:
    done = call([*shell, probe.launcher])
    assert (done.returncode, done.stdout) == (0, "")
    lines = done.stderr.splitlines()
    assert lines[:4] == ["Usage: probe COMMAND [ARGS]", "", "The known commands are:", ""]
    assert [line.split()[0] for line in lines[4:]] == COMMANDS


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        ("strat", ", did you mean start?"),
        ("verison", ", did you mean version?"),
        ("xyzzy", ""),
        ("--help", ""),
        ("a b", ""),
    ],
)
def test_unknown_command(probe: Probe, shell: list[str], command: str, hint: str) -> None:
    done = call([*shell, probe.launcher, command, "more"])
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("Usage: probe COMMAND [ARGS]\n")
    assert done.stderr.splitlines()[-1] == f"ERROR: Unknown command {command}{hint}"


@pytest.mark.parametrize("command", LATER)
def test_commands_of_later_versions_say_so(probe: Probe, command: str) -> None:
    done = run(probe.launcher, command, "1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"ERROR: the command {command} is not supported yet\n"


def test_version_and_versions(probe: Probe, shell: list[str]) -> None:
    done = call([*shell, probe.launcher, "version"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "probe 1.2.0\n", "")
    done = call([*shell, probe.launcher, "versions"])
    assert (done.returncode, done.stdout, done.stderr) == (0, "1.2.0 (boots)\n", "")


def test_every_command_in_every_shell(probe: Probe, shell: list[str]) -> None:
    program = "import sys\ndef main(): print(sys.argv[1:])"
    assert call([*shell, probe.launcher, "start", "a b", ""], program).stdout == "['a b', '']\n"
    assert call([*shell, probe.launcher, "eval", "print(6 * 7)"]).stdout == "42\n"
    assert call([*shell, probe.launcher, "run", "probe-nested"]).stdout == "nested\n"
    assert call([*shell, probe.launcher, "start_iex"], program).stdout == "[]\n"


def test_nothing_is_forked_but_one_subshell(probe: Probe) -> None:
    # Each process that the launcher starts costs more than all else it does.
    trace = shutil.which("strace")
    if not trace:
        pytest.skip("strace is not installed")
    command = [trace, "-f", "-qq", "-e", "trace=clone,clone3,fork,vfork,execve", "-e", "signal=none"]
    done = call([*command, "sh", probe.launcher, "start"], "def main(): pass")
    # The interpreter's thread is none of them.
    lines = [line for line in done.stderr.splitlines() if "CLONE_THREAD" not in line]
    assert sum("clone" in line or "fork" in line for line in lines) == 1
    assert sum("execve" in line for line in done.stderr.splitlines()) == 2


@pytest.fixture
def two_versions(probe: Probe, tmp_path: Path) -> Probe:
    """A root that holds a second version, which boots from nothing but its own directory."""
    clone = probe.clone(tmp_path / "root")
    other = clone.root / "releases" / "1.10.0rc1"
    shutil.copytree(clone.version_path, other)
    (other / "env.sh").write_text("export FROM=other\n")
    return clone


def test_another_version_is_chosen(two_versions: Probe, shell: list[str]) -> None:
    launcher = two_versions.launcher
    assert call([*shell, launcher, "versions"]).stdout == "1.10.0rc1\n1.2.0 (boots)\n"
    done = call([*shell, launcher, "version"], RELEASE_VSN="1.10.0rc1")
    assert done.stdout == "probe 1.10.0rc1\n"
    code = "import os; print(os.environ['RELEASE_VSN'], os.environ.get('FROM'))"
    assert call([*shell, launcher, "eval", code]).stdout == "1.2.0 None\n"
    assert call([*shell, launcher, "eval", code], RELEASE_VSN="1.10.0rc1").stdout == "1.10.0rc1 other\n"
    rewrite(two_versions.root / "releases" / "start.data", f"{_python(two_versions)} 1.10.0rc1\n")
    assert call([*shell, launcher, "eval", code]).stdout == "1.10.0rc1 other\n"
    assert call([*shell, launcher, "eval", code], RELEASE_VSN="1.2.0").stdout == "1.2.0 None\n"


def _python(probe: Probe) -> str:
    return (probe.version_path / "start.data").read_text().split()[0]


@pytest.mark.parametrize(
    "version", ["9.9", "..", ".", "../releases/1.2.0", "1.2.0/", "*", "1.2", "a b", "COOKIE"]
)
@pytest.mark.parametrize("command", ["version", "start"])
def test_version_that_is_not_installed(two_versions: Probe, version: str, command: str) -> None:
    done = run(two_versions.launcher, command, RELEASE_VSN=version)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"ERROR: RELEASE_VSN is {version}, which is not installed in {two_versions.root}: "
        "the installed versions are 1.10.0rc1 1.2.0\n"
    )


LINKS = ["absolute", "relative", "link to a link", "in a linked directory", "a linked root", "through PATH"]


def _link(kind: str, launcher: Path, directory: Path) -> Path:
    """Make the symlinks of a kind in `directory`, and give the last one."""
    here, far = directory / "here", directory / "far" / "away"
    here.mkdir()
    far.mkdir(parents=True)
    link = far / "called"
    if kind == "absolute":
        link.symlink_to(launcher)
    elif kind == "relative":
        link.symlink_to(os.path.relpath(launcher, far))
    elif kind == "link to a link":
        (here / "one").symlink_to(os.path.relpath(launcher, here))
        (directory / "two").symlink_to(here / "one")
        (far / "three").symlink_to("../../two")
        link.symlink_to("three")
    elif kind == "in a linked directory":
        # The parent of a linked directory is that of its target: `..` is not what the path looks like.
        (far / "real").symlink_to(os.path.relpath(launcher, far))
        (here / "shortcut").symlink_to("../far/away")
        (far / "called").symlink_to("../away/real")
        return here / "shortcut" / "called"
    elif kind == "a linked root":
        (here / "current").symlink_to(launcher.parents[1])
        return here / "current" / "bin" / launcher.name
    else:
        link.symlink_to(launcher)
    return link


@pytest.mark.parametrize("kind", LINKS)
def test_symlinks_from_anywhere(probe: Probe, shell: list[str], kind: str, tmp_path: Path) -> None:
    link = _link(kind, probe.launcher, tmp_path)
    code = "import os; print(os.environ['RELEASE_ROOT'], os.environ['RELEASE_PROG'], os.getcwd())"
    expected = f"{probe.root} {link.name} {{}}\n"
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    done = call([*shell, link, "eval", code], cwd=elsewhere)
    assert (done.stdout, done.stderr) == (expected.format(elsewhere), "")
    done = call([*shell, f"./{link.name}", "eval", code], cwd=link.parent)
    assert done.stdout == expected.format(link.parent.resolve())
    done = call([*shell, os.path.relpath(link, elsewhere), "eval", code], cwd=elsewhere)
    assert done.stdout == expected.format(elsewhere)
    path = f"{link.parent}:{os.environ['PATH']}"
    done = call(["/usr/bin/env", link.name, "eval", code], cwd=elsewhere, PATH=path)
    assert done.stdout == expected.format(elsewhere)


@pytest.mark.parametrize("name", ["dash", "bash", "busybox"])
def test_shell_finds_a_bare_name_in_the_working_directory(probe: Probe, name: str, tmp_path: Path) -> None:
    # A program of the same name is on PATH; the shell was asked to read this file.
    decoy = tmp_path / "bin" / "probe"
    decoy.parent.mkdir()
    decoy.write_text("#!/bin/sh\necho decoy\n")
    decoy.chmod(0o755)
    path = f"{decoy.parent}:{os.environ['PATH']}"
    done = call([*SHELLS[name], "probe", "version"], cwd=probe.launcher.parent, PATH=path)
    assert (done.stdout, done.stderr) == ("probe 1.2.0\n", "")


ODD = [
    "two words",
    "über",
    "日本",
    "$HOME",
    "*",
    "a'b",
    'a"b',
    "a\\b",
    "-n",
    "#x",
    "a;b",
    "`x`",
    "[a]",
    "~",
    "%s",
    "a=b",
]


@pytest.mark.parametrize("name", ODD)
def test_odd_paths(probe: Probe, shell: list[str], name: str, tmp_path: Path) -> None:
    clone = probe.clone(tmp_path / name / name)
    code = "import os, json, probe; print(os.environ['RELEASE_ROOT'], probe.__file__, json.__file__)"
    done = call([*shell, clone.launcher, "eval", code])
    assert done.stderr == ""
    assert done.stdout.startswith(
        f"{clone.root} {clone.root}/lib/probe-1.2.0/probe/__init__.pyc {clone.root}/python-"
    )
    assert call([*shell, "bin/probe", "version"], cwd=clone.root).stdout == "probe 1.2.0\n"
    program = "import probe.tools\ndef main(): print(probe.tools.double(2))"
    assert call([*shell, clone.launcher, "start"], program).stdout == "4\n"


def test_odd_path_on_every_python(each_probe: Probe, tmp_path: Path) -> None:
    clone = each_probe.clone(tmp_path / "ü $x * 'q' \\b")
    done = clone.start("import ssl, sqlite3, ctypes, sys\ndef main(): print(sys.executable)")
    assert (done.stdout, done.stderr) == (f"{clone.root}/python-{_python(clone)}/bin/python3\n", "")


def test_moved_tree_runs(each_probe: Probe, tmp_path: Path) -> None:
    first = each_probe.clone(tmp_path / "first")
    first.root.rename(tmp_path / "second")
    moved = Probe(each_probe.minor, tmp_path / "second", each_probe.plain_python)
    program = (
        "import ssl, sys, probe.sub.deep\ndef main(): print([each for each in sys.path if 'first' in each])"
    )
    done = moved.start(program)
    assert (done.stdout, done.stderr) == ("[]\n", "")
    assert run(moved.launcher, "verify").returncode == 0


def test_read_only_tree(each_probe: Probe) -> None:
    bwrap = shutil.which("bwrap")
    if not bwrap:
        pytest.skip("bwrap is not installed")
    command: list[str | Path] = [bwrap, "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--"]
    program = "import tempfile, probe.tools\ndef main(): print(probe.tools.double(2))"
    for arguments in (["start"], ["eval", "print(4)"]):
        done = call([*command, each_probe.launcher, *arguments], program)
        assert (done.returncode, done.stdout, done.stderr) == (0, "4\n", "")
    usage = call([*command, "bash", each_probe.launcher])
    assert usage.stderr.startswith("Usage: probe")
    assert call([*command, each_probe.launcher, "verify"]).returncode == 0


def test_nothing_is_written_beside(probe: Probe, tmp_path: Path) -> None:
    clone = probe.clone(tmp_path / "root")
    before = sorted(clone.root.rglob("*"))
    clone.start("import probe.sub.deep, json.tool\ndef main(): pass")
    clone.eval("probe.sub.deep.HERE")
    assert sorted(clone.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("file", "error"),
    [
        ("releases/start.data", "cannot read {}: install the release again from its archive"),
        ("releases/1.2.0/env.sh", "cannot read {}: install the release again from its archive"),
        ("releases/1.2.0/vm.args", "cannot read {}: set RELEASE_VM_ARGS to a file of interpreter options"),
        (
            "releases/1.2.0/start.boot",
            "there is no boot script {}: set RELEASE_BOOT_SCRIPT and RELEASE_BOOT_SCRIPT_CLEAN to one of start_clean",
        ),
        ("python-{python}/bin/python3", "cannot run {}: install the release again from its archive"),
    ],
)
def test_missing_files_are_explained(
    probe: Probe, shell: list[str], file: str, error: str, tmp_path: Path
) -> None:
    clone = probe.clone(tmp_path / "root")
    path = clone.root / file.format(python=_python(clone))
    path.unlink()
    done = call([*shell, clone.launcher, "start"])
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"ERROR: {error.format(path)}\n")


@pytest.fixture(scope="module")
def without_python(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`bin/probe` of a release that runs on the target's own interpreter."""
    option = "include-python = false\n"
    files = FILES | {"pyproject.toml": FILES["pyproject.toml"] + option}
    project = write_project(tmp_path_factory.mktemp("without-python") / "probe", files)
    return builders[interpreters.running()].release(project) / "bin" / "probe"


def test_interpreter_of_the_target_is_found(without_python: Path, shell: list[str], tmp_path: Path) -> None:
    found = interpreters.find(interpreters.running())
    assert found is not None
    program = "import probe.tools\ndef main(): print(probe.tools.double(2))"
    done = call([*shell, without_python, "start"], program, RELEASE_PYTHON=str(found))
    assert (done.stdout, done.stderr) == ("4\n", "")
    (tmp_path / "python3").symlink_to(found.resolve())
    done = call([*shell, without_python, "eval", "print(1)"], PATH=f"{tmp_path}:/usr/bin:/bin")
    assert (done.stdout, done.stderr) == ("1\n", "")


def test_interpreter_that_differs_is_refused(without_python: Path, tmp_path: Path) -> None:
    assembled = platform.python_version()
    done = call([without_python, "start"], PATH=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        f"ERROR: this release was assembled for Python {assembled}, found none: "
        "install that version or name one in RELEASE_PYTHON\n"
    )
    others = [each for each in interpreters.available() if each != interpreters.running()]
    if not others:
        pytest.skip("there is one version of Python only")
    other = interpreters.find(others[0])
    done = call([without_python, "start"], PATH=str(tmp_path), RELEASE_PYTHON=str(other))
    assert done.returncode == 1
    start = f"ERROR: this release was assembled for Python {assembled}, found Python {others[0]}."
    assert done.stderr.startswith(start)
    assert f" at {other}: install that version" in done.stderr
    done = call([without_python, "strat"], PATH=str(tmp_path))
    assert done.stderr.splitlines()[-1] == "ERROR: Unknown command strat"


def test_launcher_is_what_a_linter_of_shells_accepts(probe: Probe) -> None:
    for words in SHELLS.values():
        if shutil.which(words[0]):
            done = subprocess.run(
                [*words, "-n", str(probe.launcher)],
                env=clean_environment(),
                capture_output=True,
                text=True,
                check=False,
            )
            assert (done.returncode, done.stderr) == (0, "")


def test_program_may_start_itself_anew(each_probe: Probe) -> None:
    program = (
        "import os, sys\n"
        "def main():\n"
        "    if 'ANEW' in os.environ: print(os.getpid() == int(os.environ['ANEW']), sys.argv[1:]); return 7\n"
        "    os.environ['ANEW'] = str(os.getpid())\n"
        "    os.execv(sys.executable, [sys.executable, *sys.argv])\n"
    )
    done = each_probe.start(program, "a b", "*")
    assert (done.returncode, done.stdout, done.stderr) == (7, "True ['a b', '*']\n", "")


def test_launcher_is_sound_shell_and_sound_python(probe: Probe, shell: list[str]) -> None:
    text = probe.launcher.read_text()
    compile(text, "launcher", "exec")
    if shell:
        assert call([*shell, "-n", probe.launcher]).stderr == ""
