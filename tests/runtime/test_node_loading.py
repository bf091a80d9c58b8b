"""What is loaded when, which boot script is meant, and where the node's own lines go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.projects import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.runtime.nodes import Nodes

EVERY_MODULE = {"applications.hard", "applications.modes", "applications.shapes", "applications.stuck"}


def test_embedded_mode_imports_all_modules_before_anything_starts(nodes: Nodes) -> None:
    node = nodes.start("looking").until("looking")
    line = node.line("looking")
    assert line["environment"]["RELEASE_MODE"] == "embedded"
    assert set(line["modules"]) >= EVERY_MODULE
    assert line["frozen"] > 10_000
    assert node.stop()[0] == 0


def test_interactive_mode_imports_what_is_asked_for(nodes: Nodes) -> None:
    node = nodes.start("looking", RELEASE_MODE="interactive").until("looking")
    line = node.line("looking")
    assert line["environment"]["RELEASE_MODE"] == "interactive"
    assert set(line["modules"]) == {"applications", "applications.looking", "applications.shapes"}
    assert node.stop()[0] == 0


def test_applications_see_the_system_s_variables(nodes: Nodes, node_root: Path) -> None:
    node = nodes.start("looking").until("looking")
    seen = node.line("looking")["environment"]
    assert seen["RELEASE_ROOT"] == str(node_root)
    assert (seen["RELEASE_NAME"], seen["RELEASE_VSN"], seen["RELEASE_COMMAND"]) == (
        "applications",
        "0.1.0",
        "start",
    )
    assert "RELEASE_COOKIE" not in seen
    assert node.stop()[0] == 0


@pytest.mark.parametrize(
    ("name", "command"), [("RELEASE_BOOT_SCRIPT", "start"), ("RELEASE_BOOT_SCRIPT_CLEAN", "eval")]
)
def test_an_unknown_boot_script(node_root: Path, name: str, command: str) -> None:
    done = run(node_root / "bin" / "applications", command, "1", cwd=None, **{name: "strat"})
    assert done.returncode == 1
    assert done.stdout == ""
    line = done.stderr
    assert line.startswith("ERROR: there is no boot script ")
    assert "set RELEASE_BOOT_SCRIPT and RELEASE_BOOT_SCRIPT_CLEAN to one of " in line
    assert {"start", "start_clean", "start_looking"} <= set(
        line.rpartition(" to one of ")[2].strip().split(", ")
    )


def test_a_boot_script_that_starts_nothing(nodes: Nodes) -> None:
    code, err = nodes.start("nothing").end()
    assert code == 1
    assert err.startswith("ERROR: the boot script start_nothing starts no application: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize("logging", ["root", "dict", "file"])
def test_the_program_s_logging_takes_the_node_s_lines(nodes: Nodes, logging: str) -> None:
    node = nodes.start("logs", LOGGING=logging).until("mode up")
    code, err = node.stop()
    assert code == 0, err
    # What started before has told it in the node's own form; from here on nothing is said twice.
    before, *own = err.splitlines()
    assert before.endswith(" INFO context started")
    assert own[0] == "own hatch_release started logs"
    assert "own hatch_release signal None" in own
    ended = ("soon_restarted", "logs", "context", None)
    assert own[-4:] == [f"own hatch_release stopped {name}" for name in ended]
    assert all(line.startswith("own ") for line in own)


def test_structured_logs_have_what_the_node_s_lines_are_about(nodes: Nodes) -> None:
    node = nodes.start("logs", LOGGING="json").until("mode up")
    code, err = node.stop()
    assert code == 0, err
    lines = [json.loads(line) for line in err.splitlines()[1:]]
    assert lines[0] == {
        "event": "logs started",
        "level": "INFO",
        "release_event": "started",
        "release_application": "logs",
    }
    assert {
        "event": "SIGTERM received, stopping",
        "level": "INFO",
        "release_event": "signal",
        "release_application": None,
    } in lines


@pytest.mark.parametrize(
    ("difference", "reason"),
    [
        (1, "has format 3, and its launcher reads format 2"),
        (-1, "has format 1, and its launcher reads format 2"),
    ],
)
def test_a_boot_file_of_another_format_is_refused(node_root: Path, difference: int, reason: str) -> None:
    data = (node_root / "releases" / "0.1.0" / "start.boot").read_bytes()
    at = len(data) - 17
    other = node_root / "releases" / "0.1.0" / f"other{difference}.boot"
    other.write_bytes(data[:at] + bytes([data[at] + difference]) + data[at + 1 :])
    try:
        done = run(node_root / "bin" / "applications", "start", RELEASE_BOOT_SCRIPT=other.stem)
    finally:
        other.unlink()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"ERROR: {other} {reason}: install the release again from its archive\n"


def test_a_module_that_fails_at_boot_is_named_with_its_cause(nodes: Nodes) -> None:
    node = nodes.start("looking", BROKEN="1")
    code, err = node.end()
    assert code == 1
    assert node.said() == []
    *trace, line = err.splitlines()
    assert line == (
        "ERROR: the module applications.broken can't be preloaded (LookupError: no such thing): correct it, leave it "
        "out by the option preload, or set RELEASE_MODE=interactive"
    )
    assert trace[-1] == "LookupError: no such thing"
    assert nodes.start("looking", BROKEN="1", RELEASE_MODE="interactive").until("looking").stop()[0] == 0


def test_the_readable_script_names_what_starts(node_root: Path) -> None:
    script = json.loads((node_root / "releases" / "0.1.0" / "start_child.script").read_text("utf-8"))
    text = json.dumps(script)
    assert "applications-child" in text
