"""`vm.args`, `remote.vm.args` and `env.sh`: from their templates to what the running system has."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from hatch_release.errors import ReleaseError
from hatch_release.tree.commands import OWN
from hatch_release.tree.vm_args import read_words
from tests import interpreters
from tests.builds import configure, failure, greets, nothing_written
from tests.conftest import copy_fixture
from tests.projects import Builder, run

if TYPE_CHECKING:
    from pathlib import Path

FLAGS = "import json, os, sys; print(json.dumps([sys._xoptions, sys.warnoptions, os.environ.get('PORT')]))"
ENV = """
export GREETED="{{ release.name }} {{ release.version }} {{ release.applications['hello'].mode }}"
RELEASE_TMP=$RELEASE_ROOT/elsewhere
export SEEN="$RELEASE_NAME $RELEASE_VSN $RELEASE_COMMAND $RELEASE_PROG ${RELEASE_MODE-unset} ${RELEASE_VM_ARGS-unset}"
case $RELEASE_COMMAND in
  start*|daemon*)
    PORT=8000
    export PORT
    ;;
  *)
    ;;
esac
"""
VM_ARGS = """# all of it for {{ release.name }}
-X importer={{ release.version }}  # an option of our own
-W "error::DeprecationWarning" -X 'two words'
"""


def with_templates(project: Path, **templates: str) -> Path:
    """The project with templates of its own; dots of their names are written as two underscores."""
    for name, text in templates.items():
        path = project / "rel" / (name.replace("__", ".") + ".j2")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
    return project


@pytest.fixture(scope="module")
def root(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A release whose project has all templates."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("templates"))
    with_templates(project, vm__args=VM_ARGS, remote__vm__args="-X remote\n", env__sh=ENV)
    return builders[interpreters.running()].release(project)


def test_templates_are_evaluated_with_the_release(root: Path) -> None:
    version = root / "releases" / "1.0.0"
    assert (version / "vm.args").read_text() == (
        "# all of it for hello\n"
        "-X importer=1.0.0  # an option of our own\n"
        "-W \"error::DeprecationWarning\" -X 'two words'\n"
    )
    assert (version / "remote.vm.args").read_text() == "-X remote\n"
    assert 'export GREETED="hello 1.0.0 permanent"' in (version / "env.sh").read_text()


def test_vm_args_runs_on_eval_and_start(root: Path) -> None:
    options, warnings, _port = json.loads(run(root / "bin/hello", "eval", FLAGS).stdout)
    assert options == {"importer": "1.0.0", "two words": True}
    assert warnings == ["error::DeprecationWarning"]
    started = json.loads(run(root / "bin/hello", "start", "--json").stdout)
    assert started["warnoptions"] == warnings if "warnoptions" in started else True


def test_vm_args_can_be_elsewhere(root: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("-X mine")
    options, *_ = json.loads(
        run(root / "bin/hello", "eval", FLAGS, RELEASE_VM_ARGS=str(tmp_path / "mine")).stdout
    )
    assert options == {"mine": True}


@pytest.mark.parametrize(
    "command", [["eval", "import os; print(os.environ['SEEN'])"], ["run", "hello", "--json"]]
)
def test_env_sh_runs_for_every_command_before_any_variable_is_used(root: Path, command: list[str]) -> None:
    done = run(root / "bin/hello", *command)
    seen = f"hello 1.0.0 {command[0]} hello unset unset"
    assert seen in done.stdout or command[0] == "run"
    tmp = run(root / "bin/hello", "eval", "import os; print(os.environ['RELEASE_TMP'])").stdout
    assert tmp == f"{root}/elsewhere\n"


def test_a_variable_for_start_alone(root: Path) -> None:
    assert json.loads(run(root / "bin/hello", "eval", FLAGS).stdout)[2] is None
    version = root / "releases" / "1.0.0"
    for command, port in {"start": "8000", "start_repl": "8000", "daemon": "8000", "rpc": "", "": ""}.items():
        script = f'. "{version}/env.sh"; printf %s "${{PORT-}}"'
        done = subprocess.run(
            ["/bin/sh", "-euc", script],
            env={"RELEASE_COMMAND": command, "RELEASE_ROOT": "/r", "RELEASE_NAME": "n", "RELEASE_VSN": "1",
                 "RELEASE_PROG": "p"},
            capture_output=True,
            text=True,
            check=True,
        )  # fmt: skip
        assert done.stdout == port, command


@pytest.mark.parametrize(
    ("template", "text", "message"),
    [
        ("env__sh", "fine\n{{ relase.name }}\n", "rel/env.sh.j2, line 2: 'relase' is undefined"),
        ("env__sh", "\n\n{{ release.nam }}", "rel/env.sh.j2, line 3: "),
        ("vm__args", "{% if release %}\n-X dev\n", "rel/vm.args.j2, line 1: Unexpected end of template."),
        (
            "remote__vm__args",
            "{{ 1 / 0 }}",
            "rel/remote.vm.args.j2, line 1: ZeroDivisionError: division by zero",
        ),
        ("env__sh", "{% include 'nothing' %}", "rel/env.sh.j2, line 1: there is no template 'nothing'"),
    ],
)
def test_an_error_names_file_and_line(
    builder: Builder, project: Path, template: str, text: str, message: str
) -> None:
    with_templates(project, **{template: text})
    assert failure(builder.build(project)).startswith(message)
    assert nothing_written(project)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "-X dev\n-Q\n",
            "rel/vm.args.j2: line 2: Python doesn't take '-Q' as an option before its program: unknown",
        ),
        (
            "-X dev -c pass",
            "line 1: Python doesn't take '-c' as an option before its program: the program of the",
        ),
        ("-X dev\n\nstart", "line 3: Python doesn't take 'start' as an option before its program: "),
        ("-V", "line 1: Python doesn't take '-V'"),
        (
            "-W nonsense",
            "line 1: Python doesn't take '-W' as an option before its program: Invalid -W option ignored",
        ),
        ("-X", "line 1: Python doesn't take '-X' as an option"),
        ('-W "error', "rel/vm.args.j2: line 1 has a quote that is not closed"),
    ],
)
def test_options_that_the_bundled_interpreter_refuses(
    builder: Builder, project: Path, text: str, message: str
) -> None:
    with_templates(project, vm__args=text)
    line = failure(builder.build(project))
    assert message.lower() in line.lower()
    assert nothing_written(project)


def test_what_an_overlay_makes_of_vm_args_is_checked_too(builder: Builder, project: Path) -> None:
    place = project / "rel" / "overlays" / "releases" / "1.0.0"
    place.mkdir(parents=True)
    (place / "remote.vm.args").write_text("-Q")
    assert "releases/1.0.0/remote.vm.args: line 1: Python doesn't take '-Q'" in failure(
        builder.build(project)
    )


def test_templates_elsewhere_with_parts_of_their_own_and_of_ours(builder: Builder, project: Path) -> None:
    place = project / "deploy" / "templates"
    (place / "overlays").mkdir(parents=True)
    (place / "overlays" / "there").touch()
    (place / "env.sh.j2").write_text("{% include 'default/env.sh.j2' %}\n{% include 'part.sh' %}\n")
    (place / "part.sh").write_text("export PART={{ release.name }}\n")
    (place / "vmargs.j2").write_text("-Q")
    configure(project, 'rel-templates-path = "deploy/templates"\ncheck = false')
    done = builder.build(project)
    assert done.returncode == 0, done.stderr
    assert (
        "deploy/templates/vmargs.j2 is not the name of a template, did you mean 'vm.args.j2'?" in done.stderr
    )
    root = project / "dist" / "release" / "hello"
    assert (root / "there").exists()
    text = (root / "releases" / "1.0.0" / "env.sh").read_text()
    assert text.startswith("# Sourced by every command of bin/hello.")
    assert text.rstrip().endswith("export PART=hello")
    assert greets(root)


def test_templates_nowhere(builder: Builder, project: Path) -> None:
    configure(project, 'rel-templates-path = "deploi"')
    assert "the option rel-templates-path is 'deploi', and" in failure(builder.build(project))
    shutil.rmtree(project / "dist", ignore_errors=True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("# nothing", []),
        ("  -X dev # comment", ["-X", "dev"]),
        ("-X a#b", ["-X", "a#b"]),
        ("-W 'a b'c\"d\" ''", ["-W", "a bcd", ""]),
        ("-X dev\r\n-O\r\n", ["-X", "dev", "-O"]),
        ("'#' \"it's\"", ["#", "it's"]),
    ],
)
def test_words_are_read_as_the_launcher_reads_them(
    root: Path, tmp_path: Path, text: str, words: list[str]
) -> None:
    assert [each.text for each in read_words(text)] == words
    launcher = (root / "bin" / "hello").read_text()
    begin, end = launcher.index("# Reads the options of vm.args"), launcher.index("\neval 'set --")
    (tmp_path / "vm.args").write_text(text, newline="")
    script = (
        f'_hr_options="{tmp_path}/vm.args" _hr_variable=X\n_hr_fail() {{ exit 9; }}\n{launcher[begin:end]}\n'
        "eval 'set -- '\"$_hr_words\"\nfor word; do printf '%s\\0' \"$word\"; done\n"
    )
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == words


def test_a_quote_that_is_not_closed() -> None:
    with pytest.raises(ReleaseError, match="line 2 has a quote that is not closed"):
        read_words("-X dev\n-W 'error\n")


def test_the_names_of_the_launcher_s_own_commands_are_known(root: Path) -> None:
    launcher = (root / "bin" / "hello").read_text()
    cases = launcher[
        launcher.index("_hr_boot=$RELEASE_BOOT_SCRIPT_CLEAN\n") : launcher.index("Unknown command")
    ]
    named = {
        word
        for line in re.findall(r"^  ([a-z][a-z_ |]*)\)", cases, re.MULTILINE)
        for word in line.split(" | ")
    }
    assert {"start", "daemon", "eval", "version", "versions"} <= named
    assert named == OWN


@pytest.mark.parametrize("command", [["rpc", "1"], ["pid"], ["stop"]])
def test_what_reaches_a_running_system_has_remote_vm_args(
    root: Path, tmp_path: Path, command: list[str]
) -> None:
    (tmp_path / "bad").write_text("--no-such-option")
    launcher = root / "bin" / "hello"
    refused = run(launcher, *command, RELEASE_REMOTE_VM_ARGS=str(tmp_path / "bad"))
    assert "unknown option --no-such-option" in refused.stderr.lower()
    assert run(launcher, "eval", "print(1)", RELEASE_REMOTE_VM_ARGS=str(tmp_path / "bad")).stdout == "1\n"
    usual = run(launcher, *command, RELEASE_VM_ARGS=str(tmp_path / "bad"))
    assert "no-such-option" not in usual.stderr
