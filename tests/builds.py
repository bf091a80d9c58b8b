"""What tests of a build say again and again: options, failures in one line, no litter, signals in the middle."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import TYPE_CHECKING

from hatch_release.testing import ReleaseProject
from tests.projects import Builder, clean_environment, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.projects import Done

# A shell starts what it puts into the background with SIGINT ignored; what is tested here must not inherit that.
UNIGNORED = "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execv(sys.argv[1], sys.argv[1:])"


def configure(project: Path, options: str) -> Path:
    """Add `options` to the table of the target, which is the last one of the project's file."""
    return ReleaseProject(project).configure(options).root


def replace(project: Path, old: str, new: str, file: str = "pyproject.toml") -> Path:
    """Change a file of the project, in which `old` must be."""
    path = project / file
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    return project


def failure(done: Done) -> str:
    """The one line of a build that failed as it should."""
    lines = [line for line in done.stderr.splitlines() if not line.startswith("Warning: ")]
    assert (done.returncode, len(lines)) == (1, 1), done.stdout + done.stderr
    return lines[0]


def at(project: Path, text: str) -> str:
    """What a message begins with that is about a `text` of the project's file."""
    lines = (project / "pyproject.toml").read_text("utf-8").splitlines()
    return f"pyproject.toml:{next(number for number, line in enumerate(lines, 1) if text in line)}: "


def nothing_written(project: Path) -> bool:
    """Whether a build that was to make the first release left nothing behind."""
    return not (project / "dist").exists() and not list(project.rglob("*.assembling-*"))


def greets(root: Path, version: str = "") -> bool:
    """Whether the installed release `hello` runs, every file of the version as it was assembled."""
    launcher = root / "bin" / "hello"
    greeting = run(launcher, "start", "--name", "you", RELEASE_VSN=version)
    verified = run(launcher, "verify", RELEASE_VSN=version)
    return (greeting.stdout, greeting.stderr, verified.returncode) == ("Hello, you!\n", "", 0)


def interrupted(
    builder: Builder, project: Path, line: str, interrupt: Callable[[subprocess.Popen[str]], None]
) -> Done:
    """Build, call `interrupt` as soon as `line` is printed, and wait for the end."""
    command = [
        sys.executable,
        "-c",
        UNIGNORED,
        str(builder.python),
        "-m",
        "hatchling",
        "build",
        "-t",
        "release",
    ]
    with subprocess.Popen(
        command,
        cwd=project,
        env=clean_environment(HATCH_RELEASE_OVERWRITE="1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        seen = ""
        while line not in seen:
            read = process.stdout.readline()
            assert read, seen
            seen += read
        interrupt(process)
        out, err = process.communicate(timeout=300)
    return subprocess.CompletedProcess(command, process.returncode, seen + out, err)


SIGNALS = {"SIGINT": signal.SIGINT, "SIGTERM": signal.SIGTERM, "SIGHUP": signal.SIGHUP}
