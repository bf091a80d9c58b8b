"""Runs uv, which installs distributions and interpreters; the one file that knows it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

from uv import find_uv_bin

from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

_OTHER_ENVIRONMENTS = re.compile(
    r"CONDA_PREFIX|VIRTUAL_ENV|UV_(?:BREAK_SYSTEM_PACKAGES|COMPILE_BYTECODE|DEV|ENV_FILE|FROZEN|ISOLATED|LINK_MODE"
    r"|LOCKED|NO_DEFAULT_GROUPS|NO_DEV|NO_GROUP|NO_VERIFY_HASHES|PROJECT|PROJECT_ENVIRONMENT|PYTHON"
    r"|REQUIRE_HASHES|SYSTEM_PYTHON|WORKING_DIR|WORKING_DIRECTORY)"
)
"""Variables that choose a project, an environment or what is checked; those of indexes, the cache and the
network are the user's wish and stay."""

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_MESSAGE = re.compile(r"(?:(?P<hint>hint:)|error:|cause:|Caused by:|\xd7|├─▶|╰─▶)\s+(?P<text>.*)")
"""How an error or its cause begins, in both of uv's styles: with a word, or in a tree (`├─▶`)."""
_NO_NETWORK = re.compile(
    r"network (?:was|is) disabled|connectivity is disabled|error sending request|dns error|tcp connect error"
    r"|Connection refused|operation timed out|Could not connect"
)
_LONGEST = 500
"""Characters of uv's own words that still make one line."""


def run_uv(
    arguments: Sequence[str],
    directory: Path,
    *,
    offline: bool = False,
    variables: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """Run uv with `arguments` in `directory`; give its exit code and everything it said.

    Args:
        arguments: The command and its options.
        directory: Where to run: its `[tool.uv]` and that of its parents count.
        offline: Use nothing but uv's cache.
        variables: More of the environment, in place of what is there.

    Raises:
        ReleaseError: When there is no uv.
    """
    command = [
        _program(),
        *arguments,
        "--no-progress",
        "--color",
        "never",
        *(["--offline"] if offline else []),
    ]
    with subprocess.Popen(
        command,
        cwd=directory,
        env={**_environment(), **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        errors="replace",
    ) as child:
        try:
            lines = [_passed_on(line) for line in child.stdout or ()]
        except BaseException:
            child.kill()  # Ctrl-C: nothing is left running behind the user's back
            raise
    return child.returncode, "".join(lines)


def errors_of(output: str) -> tuple[str, str]:
    """The errors in what uv said with their causes on one line, and its hints, each in brackets."""
    messages = list(_messages(output))
    told = ": ".join(text.rstrip(":.") for hint, text in messages if not hint)
    return told, "".join(f" ({text.rstrip('.')})" for hint, text in messages if hint)


def speaks_of_network(message: str) -> bool:
    """Whether uv failed since it could not reach, or was not to reach, the network."""
    return _NO_NETWORK.search(message) is not None


def shortened(text: str) -> str:
    """Cut the words of uv to what makes one line."""
    return text if len(text) <= _LONGEST else text[:_LONGEST].rsplit(" ", 1)[0] + " ..."


def _program() -> str:
    try:
        return find_uv_bin()
    except FileNotFoundError:
        program = shutil.which("uv")
    if program is None:
        raise ReleaseError(
            "uv, which installs the dependencies, was not found: install it with `pip install uv`"
        )
    return program


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not _OTHER_ENVIRONMENTS.fullmatch(name)}
    # A lock may say `editable`; a release that points back at the project's sources would not be one.
    return {**kept, "UV_NO_EDITABLE": "1"}


def _verbose() -> bool:
    value = os.environ.get("HATCH_VERBOSE", "")
    return value.isdigit() and int(value) > 0


def _passed_on(line: str) -> str:
    if _verbose():
        sys.stderr.write(line)
        sys.stderr.flush()
    return line


def _messages(output: str) -> Iterator[tuple[bool, str]]:
    """The errors of uv and their causes, each as whether it is a hint and its text on one line."""
    current: tuple[bool, list[str]] | None = None
    for line in [*_ANSI.sub("", output).splitlines(), ""]:
        told = line.strip(" │")
        found = _MESSAGE.match(told)
        if current and (found or not told or not line.startswith((" ", "│"))):
            yield current[0], " ".join(current[1])
            current = None
        if told in {"[stdout]", "[stderr]"}:
            return  # what a failing build printed
        if found:
            current = (found["hint"] is not None, [found["text"].strip()])
        elif current:
            current[1].append(told)
