"""Starting the assembled release once, to see what it imports and whether anything is missing."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hatch_release.applications.preloading import OPTION, source_path
from hatch_release.cache.store import key_of, tool
from hatch_release.errors import OptionError, ProjectFileError, ReleaseError
from hatch_release.inside import SECONDS, boot_file_of, interpreter_of, last_words, run_boot_file
from hatch_release.runtime import layout
from hatch_release.staging.comparison import read_ahead
from hatch_release.tree.manifest import tree_files

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_release.assembly import Assembly
    from hatch_release.interpreter.facts import Interpreter
    from hatch_release.release import Release
    from hatch_release.tree.boot_index import ModuleIndex

KIND = "start"
INCLUDE = "stdlib-include"


@dataclass(frozen=True)
class Seen:
    """What starting the release showed."""

    modules: list[str]
    """What was imported, in load order."""
    libraries: list[str]
    """Shared libraries that were loaded, relative to the root."""


def run(assembly: Assembly, index: ModuleIndex) -> Seen:
    """Import the applications' modules inside the release, in an empty environment, and what is preloaded.

    What went well once goes well again with the same files, so it is taken from the cache.

    Args:
        assembly: Its release has boot files.
        index: The release's modules.

    Returns:
        What was loaded.

    Raises:
        ReleaseError: When something can't be imported, or nothing ends in `SECONDS`.
    """
    release, cache, interpreter = assembly.release, assembly.cache, assembly.interpreter
    key = _key(release, interpreter)  # before the application runs, which may write into the release
    known = cache.restore(KIND, key)
    if known is None:
        # What comes at the very end is begun while the release runs; what fails of that is done and told there.
        assembly.pool.submit(read_ahead, release.install_path, release.path, release.installed.of)
    report = known.facts if known else _import(release, interpreter.executable)
    if report["error"]:
        _judge(release, report["error"], index)
    elif not known:
        cache.store(KIND, key, report)
    return Seen(report["modules"], sorted(report["libraries"]))


def _key(release: Release, interpreter: Interpreter) -> str:
    """All that is in the release; the cookie is of no consequence."""
    cookie = f"{layout.RELEASES}/{layout.COOKIE}"
    files = [file for file in tree_files(release.path) if file != cookie]
    bundled = bool(release.python_directory)
    return key_of(tool(), release.digests.of(files), None if bundled else interpreter.identity)


def _import(release: Release, host_python: Path) -> dict[str, Any]:
    """What starting the release showed."""
    output = release.scratch / "trial.json"
    directory = release.scratch / "trial"
    directory.mkdir(exist_ok=True)
    # With the hash seed sets are walked in the same order in every build.
    environment = {"RELEASE_ROOT": str(release.path), "RELEASE_NAME": release.name, "PYTHONHASHSEED": "0"}
    try:
        done = run_boot_file(
            interpreter_of(release, host_python),
            boot_file_of(release, layout.START),
            ["_trace", str(output)],
            directory=directory,
            environment=environment,
        )
    except subprocess.TimeoutExpired as error:
        raise ReleaseError(
            f"importing the applications of release '{release.name}' did not end within {SECONDS} s: "
            "check = false skips starting it"
        ) from error
    if not output.is_file():
        raise ReleaseError(
            f"the assembled release '{release.name}' doesn't start (exit code {done.returncode}): {last_words(done)}"
        )
    report: dict[str, Any] = json.loads(output.read_text(encoding="utf-8"))
    return report


def _judge(release: Release, error: dict[str, Any], index: ModuleIndex) -> None:
    """Refuse a release in which something is missing; warn of what may differ where it will run."""
    what = " ".join(f"{error['type']}: {error['message']}".split())
    if "preloading" in error:
        module = error["preloading"]
        path = source_path(module, index.modules[module])
        raise OptionError(
            f"preloading the module {module} of release '{release.name}' fails with {what}: correct it, or take it "
            f'out with preload = ["!{path}"]',
            OPTION,
        )
    who = f"importing application {error['application']} of release '{release.name}'"
    if error["import"]:
        fails = f"{who} fails with {what}: add what is missing to "
        if error["stdlib"]:
            raise OptionError(f"{fails}the option {INCLUDE}, or set check = false", INCLUDE)
        raise ProjectFileError(
            f"{fails}the project's dependencies (and its lock), or set check = false",
            "project",
            "dependencies",
        )
    release.progress.warn(f"{who} in an empty environment raises {what}")
