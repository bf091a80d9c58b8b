"""The RELEASE_* variables, `env.sh` and `vm.args`."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.runtime.probe import Probe, call, rewrite

if TYPE_CHECKING:
    from collections.abc import Iterator

REPORT = (
    "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k.startswith('RELEASE_')}))"
)
COMMANDS = {
    "start": ["start"],
    "start_repl": ["start_repl"],
    "eval": ["eval", REPORT],
    "run": ["run", "probe"],
}


def _environment(probe: Probe, command: str = "start", **variables: str) -> dict[str, str]:
    """The RELEASE_* variables that a command's process sees."""
    variables = {"RELEASE_NODE": "", **variables}  # the release's own default
    done = call([probe.launcher, *COMMANDS[command]], f"{REPORT}\ndef main(): pass", variables=variables)
    assert (done.returncode, done.stderr) == (0, "")
    environment: dict[str, str] = json.loads(done.stdout)
    return environment


@pytest.mark.parametrize("command", COMMANDS)
def test_defaults(probe: Probe, command: str) -> None:
    version = str(probe.version_path)
    assert _environment(probe, command) == {
        "RELEASE_ROOT": str(probe.root),
        "RELEASE_COMMAND": command,
        "RELEASE_NAME": "probe",
        "RELEASE_VSN": "1.2.0",
        "RELEASE_PROG": "probe",
        "RELEASE_NODE": "probe",
        "RELEASE_SYS_CONFIG": f"{version}/sys",
        "RELEASE_VM_ARGS": f"{version}/vm.args",
        "RELEASE_REMOTE_VM_ARGS": f"{version}/remote.vm.args",
        "RELEASE_TMP": str(probe.root / "tmp"),
        "RELEASE_MODE": "interactive",
        "RELEASE_DISTRIBUTION": "sname",
        "RELEASE_BOOT_SCRIPT": "start",
        "RELEASE_BOOT_SCRIPT_CLEAN": "start_clean",
    }


OVERRIDES = {
    "RELEASE_NAME": "other",
    "RELEASE_NODE": "node@host",
    "RELEASE_COOKIE": "secret $ cookie",
    "RELEASE_SYS_CONFIG": f"{tempfile.gettempdir()}/else where.{os.getpid()}/sys",
    "RELEASE_REMOTE_VM_ARGS": "/else where/remote",
    "RELEASE_TMP": f"{tempfile.gettempdir()}/else where",
    "RELEASE_MODE": "embedded",
    "RELEASE_DISTRIBUTION": "none",
}


@pytest.fixture(scope="module", autouse=True)
def configuration() -> Iterator[None]:
    """The file that RELEASE_SYS_CONFIG names: commands read it, wherever it is."""
    file = Path(f"{OVERRIDES['RELEASE_SYS_CONFIG']}.config")
    file.parent.mkdir()
    file.write_text("{}")
    yield
    shutil.rmtree(file.parent)


@pytest.mark.parametrize("name", OVERRIDES)
def test_overridden_by_the_caller(probe: Probe, name: str) -> None:
    assert _environment(probe, **{name: OVERRIDES[name]})[name] == OVERRIDES[name]


@pytest.mark.parametrize("name", [each for each in OVERRIDES if each != "RELEASE_NAME"])
@pytest.mark.parametrize("command", ["start", "eval"])
def test_overridden_in_env_sh(probe: Probe, name: str, command: str, tmp_path: Path) -> None:
    clone = probe.clone(tmp_path / "root")
    # Not exported: the variables are ours, and reach the system either way.
    rewrite(clone.version_path / "env.sh", f"{name}='{OVERRIDES[name]}'\n")
    assert _environment(clone, command)[name] == OVERRIDES[name]


@pytest.mark.parametrize("name", ["RELEASE_ROOT", "RELEASE_COMMAND", "RELEASE_PROG"])
def test_computed_ones_cannot_be_set(probe: Probe, name: str) -> None:
    assert _environment(probe, **{name: "mine"})[name] != "mine"


def test_name_of_the_node_follows_the_release_s(probe: Probe) -> None:
    assert _environment(probe, RELEASE_NAME="other")["RELEASE_NODE"] == "other"
    assert call([probe.launcher, "version"], RELEASE_NAME="other").stdout == "other 1.2.0\n"


def test_name_changes_nothing_about_where_things_are(probe: Probe) -> None:
    done = probe.start("import sys\ndef main(): print(sys.argv[0])", RELEASE_NAME="other")
    assert done.stdout == f"{probe.launcher}\n"


def test_empty_ones_count_as_unset(probe: Probe) -> None:
    names = ["RELEASE_NAME", "RELEASE_VSN", "RELEASE_NODE", "RELEASE_TMP", "RELEASE_MODE", "RELEASE_VM_ARGS"]
    assert _environment(probe, **dict.fromkeys(names, "")) == _environment(probe)


def test_boot_scripts(probe: Probe, tmp_path: Path) -> None:
    clone = probe.clone(tmp_path / "root")
    shutil.copy(clone.version_path / "start.boot", clone.version_path / "mine.boot")
    program = "import os\ndef main(): print(os.environ['RELEASE_BOOT_SCRIPT'])"
    assert clone.start(program, RELEASE_BOOT_SCRIPT="mine").stdout == "mine\n"
    assert (
        clone.eval("print(1)", RELEASE_BOOT_SCRIPT="no_such", RELEASE_BOOT_SCRIPT_CLEAN="mine").stdout
        == "1\n"
    )
    done = clone.start(program, RELEASE_BOOT_SCRIPT="start_clean")
    assert (done.returncode, done.stderr) == (
        1,
        "ERROR: the boot script start_clean starts no application: set RELEASE_BOOT_SCRIPT to one that does\n",
    )
    done = clone.eval("print(1)", RELEASE_BOOT_SCRIPT_CLEAN="no_such")
    assert done.returncode == 1
    assert done.stderr.startswith(f"ERROR: there is no boot script {clone.version_path}/no_such.boot: ")


SEEN_BY_ENV = ["RELEASE_ROOT", "RELEASE_NAME", "RELEASE_VSN", "RELEASE_COMMAND", "RELEASE_PROG"]


@pytest.mark.parametrize(
    "arguments", [["start"], ["eval", "1"], ["version"], ["versions"], ["rpc", "1"], ["unknown"], []], ids=str
)
def test_env_sh_is_sourced_by_every_command(probe: Probe, arguments: list[str], tmp_path: Path) -> None:
    clone = probe.clone(tmp_path / "root")
    shown = " ".join(f'"{name}=${name}"' for name in SEEN_BY_ENV)
    rewrite(clone.version_path / "env.sh", f"printf '%s\\n' {shown}\n")
    done = call([clone.launcher, *arguments], "def main(): pass")
    command = arguments[0] if arguments else ""
    assert done.stdout.splitlines()[:5] == [
        f"RELEASE_ROOT={clone.root}",
        "RELEASE_NAME=probe",
        "RELEASE_VSN=1.2.0",
        f"RELEASE_COMMAND={command}",
        "RELEASE_PROG=probe",
    ]


@pytest.mark.parametrize("command", ["start", "start_repl", "eval", "run"])
def test_what_env_sh_exports_reaches_the_system(probe: Probe, command: str, tmp_path: Path) -> None:
    clone = probe.clone(tmp_path / "root")
    lines = [
        "case $RELEASE_COMMAND in",
        '  start*) export RELEASE_X="started $HOME" ;;',
        "  *) export RELEASE_X=other ;;",
        "esac",
    ]
    rewrite(clone.version_path / "env.sh", "\n".join(lines))
    expected = "started /h *" if command.startswith("start") else "other"
    assert _environment(clone, command, HOME="/h *")["RELEASE_X"] == expected


@pytest.mark.parametrize("shell", [["dash"], ["bash"], ["busybox", "sh"]], ids=str)
@pytest.mark.parametrize(
    "text",
    [
        "set -e",
        "set -u",
        "set -eu",
        "set -f",
        "IFS=,",
        "each=1; LINE=2; PYTHON=3",
        "cd /",
        "set -- a b",
        "",
        "false",
    ],
)
def test_env_sh_may_do_as_it_likes(probe: Probe, shell: list[str], text: str, tmp_path: Path) -> None:
    if not shutil.which(shell[0]):
        pytest.skip(f"{shell[0]} is not installed")
    clone = probe.clone(tmp_path / "root")
    rewrite(clone.version_path / "env.sh", text)
    rewrite(clone.version_path / "vm.args", "-X dev -W 'error'  # comment\n# another\n\n-O")
    program = (
        "import sys\ndef main(): print(sys.argv[1:], sys.flags.dev_mode, sys.flags.optimize, sys.warnoptions)"
    )
    done = call([*shell, clone.launcher, "start", "x", "y z"], program)
    arguments = ["a", "b"] if text == "set -- a b" else ["x", "y z"]
    assert (done.stdout, done.stderr) == (f"{arguments} True 1 ['default', 'error']\n", "")


OPTIONS = {
    "-O": ["-O"],
    "-O -X dev": ["-O", "-X", "dev"],
    "-O\n-X dev\n": ["-O", "-X", "dev"],
    "  -O  \t -X   dev  ": ["-O", "-X", "dev"],
    "": [],
    "\n\n   \n": [],
    "# nothing\n": [],
    "   # nothing\n-O": ["-O"],
    "-O # why\n": ["-O"],
    "-O #why -X dev\n": ["-O"],
    "-W ignore:a#b": ["-W", "ignore:a#b"],
    "-X 'a b'": ["-X", "a b"],
    '-X "a b"': ["-X", "a b"],
    "-X 'it is \"quoted\"'": ["-X", 'it is "quoted"'],
    '-X "it\'s"': ["-X", "it's"],
    "-X 'a # b' # comment": ["-X", "a # b"],
    "-X a'b c'd": ["-X", "ab cd"],
    "-X ''": ["-X", ""],
    '-X "" -O': ["-X", "", "-O"],
    "-X '*'": ["-X", "*"],
    "-X *": ["-X", "*"],
    "-X /*": ["-X", "/*"],
    "-X [a-z]?": ["-X", "[a-z]?"],
    "-X $HOME": ["-X", "$HOME"],
    '-X "$HOME"': ["-X", "$HOME"],
    "-X `id`$(id)": ["-X", "`id`$(id)"],
    "-X a\\b": ["-X", "a\\b"],
    "-X 'a\\b'": ["-X", "a\\b"],
    "-X a;b&c|d>e": ["-X", "a;b&c|d>e"],
    "-X ä": ["-X", "ä"],
    "-X 'ä ü'": ["-X", "ä ü"],
    "-O\r\n-X dev\r\n": ["-O", "-X", "dev"],
    "-X 'a b'\r\n# c\r\n\r\n": ["-X", "a b"],
}


@pytest.mark.parametrize("shell", [["dash"], ["bash"], ["busybox", "sh"]], ids=str)
@pytest.mark.parametrize("text", OPTIONS)
def test_vm_args(probe: Probe, shell: list[str], text: str, tmp_path: Path) -> None:
    if not shutil.which(shell[0]):
        pytest.skip(f"{shell[0]} is not installed")
    options = tmp_path / "vm.args"
    options.write_bytes(text.encode())
    code = "import sys; print(sys.orig_argv[1:])"
    done = call([*shell, probe.launcher, "eval", code], cwd=probe.root, RELEASE_VM_ARGS=str(options))
    boot = f"{probe.version_path}/start_clean.boot"
    assert (done.stdout, done.stderr) == (f"{['-I', '-S', *OPTIONS[text], boot, 'eval', code]}\n", "")


def test_vm_args_of_the_release_are_used(probe: Probe, tmp_path: Path) -> None:
    clone = probe.clone(tmp_path / "root")
    rewrite(clone.version_path / "vm.args", "-X dev")
    program = "import sys\ndef main(): print(sys.flags.dev_mode)"
    assert clone.start(program).stdout == "True\n"
    assert clone.eval("import sys; print(sys.flags.dev_mode)").stdout == "True\n"
    assert clone.start(program, RELEASE_VM_ARGS="/dev/null").stdout == "False\n"


def test_dynamic_options_by_env_sh(probe: Probe, tmp_path: Path) -> None:
    clone = probe.clone(tmp_path / "root")
    rewrite(clone.version_path / "dev.args", "-X dev\n")
    rewrite(clone.version_path / "env.sh", 'RELEASE_VM_ARGS="$RELEASE_ROOT/releases/$RELEASE_VSN/dev.args"\n')
    assert clone.start("import sys\ndef main(): print(sys.flags.dev_mode)").stdout == "True\n"


@pytest.mark.parametrize("name", ["no such file", "."])
def test_vm_args_that_cannot_be_read(probe: Probe, name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    done = probe.start("def main(): pass", RELEASE_VM_ARGS=str(path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"ERROR: cannot read {path}: set RELEASE_VM_ARGS to a file of interpreter options\n"


def test_quote_that_is_not_closed(probe: Probe, tmp_path: Path) -> None:
    options = tmp_path / "vm.args"
    options.write_text("-X 'dev\n")
    done = probe.start("def main(): pass", RELEASE_VM_ARGS=str(options))
    assert (done.returncode, done.stderr) == (1, f"ERROR: {options} has a quote that is not closed\n")


def test_variables_of_python_are_neither_read_nor_set(each_probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit('read')")
    names = ["PYTHONHOME", "PYTHONPATH", "PYTHONSTARTUP", "LD_LIBRARY_PATH"]
    code = f"import os, sys; print([os.environ.get(name) for name in {names}], {str(tmp_path)!r} in sys.path)"
    assert each_probe.eval(code).stdout == "[None, None, None, None] False\n"
    done = each_probe.eval(code, PYTHONHOME=str(tmp_path), PYTHONPATH=str(tmp_path))
    assert (done.stdout, done.stderr) == (f"{[str(tmp_path), str(tmp_path), None, None]} False\n", "")
