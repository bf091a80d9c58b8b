"""Running the build-time configuration, and `init` of the providers, inside the release that is being assembled."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_release.errors import OptionError, ReleaseError
from hatch_release.inside import SECONDS, boot_file_of, interpreter_of, last_words, run_boot_file
from hatch_release.runtime import layout
from hatch_release.runtime.config import plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hatch_release.assembly import Assembly
    from hatch_release.release import Release

ENVIRONMENT_VARIABLE = "RELEASE_ENV"
DEFAULT_ENVIRONMENT = "prod"


class _Inside(Exception):  # noqa: N818 - shown as the cause of an error
    """What was raised inside the release, as its traceback."""


@dataclass(frozen=True)
class Evaluated:
    """What is known of the configuration when the release is assembled. Values are encoded as in `plain.py`."""

    environment: str
    values: dict[str, Any]
    origins: list[tuple[list[str], str]]
    """What has set each value, by its path."""
    providers: list[tuple[str, Any]]
    """Names of the providers in order, each with what its `init` gave."""
    compiled: list[tuple[list[str], Any]]
    """What `compile_env` reads, each with its value."""
    secrets: list[list[str]]
    """The paths of values that are marked as secret."""


def evaluate(
    assembly: Assembly,
    files: tuple[Path | None, Path | None],
    providers: Sequence[tuple[str, Any]],
    compiled: Sequence[tuple[str, ...]],
) -> Evaluated:
    """Evaluate the configuration with the release's own interpreter and libraries.

    Args:
        assembly: Has its boot files.
        files: The build-time configuration, which is run, and the run-time one, which is compiled.
        providers: Each with its argument for `init`.
        compiled: What `compile_env` reads: application and keys.

    Raises:
        ReleaseError: When a file or a provider fails.
    """
    release = assembly.release
    environment = os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_ENVIRONMENT
    job = {
        "root": str(release.project.root),
        "config": str(files[0]) if files[0] else None,
        "runtime": str(files[1]) if files[1] else None,
        "environment": environment,
        "providers": [[name, plain.encode(init)] for name, init in providers],
        "compiled": [list(each) for each in compiled],
        "path": [
            str(each)
            for each in (assembly.interpreter.stdlib, assembly.interpreter.dynload)
            if each is not None
        ],
    }
    report = _run(assembly, job)
    if report["error"]:
        inside = _Inside("\n" + report["trace"]) if report["trace"] else None
        raise _error(report, release, first=0 if files[1] is None else 1) from inside
    return Evaluated(
        environment, *(report[key] for key in ("values", "origins", "providers", "compiled", "secrets"))
    )


def _error(report: dict[str, Any], release: Release, first: int) -> ReleaseError:
    """What was found wrong inside the release; `first` is the number of the first provider of the option."""
    number = report["provider"]
    if number is None or not 0 <= number - first < len(release.options.config_providers):
        return ReleaseError(report["error"])
    return OptionError(report["error"], "config-providers", number - first)


def _run(assembly: Assembly, job: dict[str, Any]) -> dict[str, Any]:
    """Do a job inside the release (`runtime/config/assembling.py`), and give its report."""
    release = assembly.release
    job_file, report_file = release.scratch / "configure.json", release.scratch / "configured.json"
    job_file.write_text(json.dumps(job), encoding="utf-8")
    try:
        done = run_boot_file(
            interpreter_of(release, assembly.interpreter.executable),
            boot_file_of(release, layout.START_CLEAN),
            ["_configure", str(job_file), str(report_file)],
            directory=release.project.root,
            environment=_environment(assembly),
        )
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(
            f"evaluating the configuration of release '{release.name}' did not end within {SECONDS} s"
        ) from error
    for line in (done.stdout + done.stderr).splitlines() if report_file.is_file() else ():
        release.progress.say(f"configuration: {line}")
    if not report_file.is_file():
        raise ReleaseError(
            f"evaluating the configuration of release '{release.name}' ended with exit code {done.returncode}: "
            f"{last_words(done)}"
        ) from _Inside("\n" + done.stderr)
    report: dict[str, Any] = json.loads(report_file.read_text(encoding="utf-8"))
    return report


def _environment(assembly: Assembly) -> dict[str, str]:
    """The user's, but for what would steer the interpreter; with a hash seed, so that each build gives the same."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "RELEASE_"))}
    more = {ENVIRONMENT_VARIABLE: os.environ.get(ENVIRONMENT_VARIABLE) or DEFAULT_ENVIRONMENT}
    release = assembly.release
    return {
        **kept,
        **more,
        "RELEASE_ROOT": str(release.path),
        "RELEASE_NAME": release.name,
        "RELEASE_VSN": release.version,
        "PYTHONHASHSEED": "0",
    }
