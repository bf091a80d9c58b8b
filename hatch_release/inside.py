"""Running a release's own interpreter on its boot file, for what only the release itself can tell."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from hatch_release.runtime import layout

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hatch_release.release import Release

SECONDS = 300
"""How long it may take."""


def run_boot_file(  # noqa: PLR0913 - all but the first three by name
    python: Path,
    boot_file: Path,
    arguments: Sequence[str],
    *,
    directory: Path,
    environment: Mapping[str, str],
    options: Sequence[str] = (),
) -> subprocess.CompletedProcess[str]:
    """Run a command of a boot file to its end, with empty input.

    It is run without -I, so that a hash seed in the environment counts.

    Args:
        python: The interpreter.
        boot_file: Of the release.
        arguments: The command and its own arguments.
        directory: Where it runs.
        environment: All its variables.
        options: More for the interpreter.

    Raises:
        OSError: When the interpreter can't be run.
        subprocess.TimeoutExpired: When it takes longer than `SECONDS`.
    """
    return subprocess.run(
        [str(python), *options, "-S", "-s", str(boot_file), *arguments],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=SECONDS,
        check=False,
    )


def interpreter_of(release: Release, host: Path) -> Path:
    """The release's own interpreter, or `host` where it has none."""
    bundled = release.path / release.python_directory / "bin" / "python3"
    return bundled if release.python_directory else host


def boot_file_of(release: Release, script: str) -> Path:
    """The boot file of one of the release's boot scripts."""
    return release.version_path / (script + layout.BOOT_SUFFIX)


def last_words(done: subprocess.CompletedProcess[str]) -> str:
    """The last line that a program has written to standard error."""
    return (done.stderr.strip().splitlines() or ["no message"])[-1]
