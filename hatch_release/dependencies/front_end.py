"""The project's wheel from whatever build back end it names, built by uv as a PEP 517 front end."""

from __future__ import annotations

import re
import sys
import zipfile
from email.parser import HeaderParser
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, NamedTuple

from packaging.requirements import InvalidRequirement, Requirement

from hatch_release.dependencies.uv import errors_of, run_uv, shortened, speaks_of_network
from hatch_release.doors import WHEEL_ALONE
from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

LEGACY = "setuptools.build_meta:__legacy__"
"""The back end of a project that names none (PEP 517)."""


class Wheel(NamedTuple):
    """A wheel, and what its metadata says."""

    path: Path
    name: str
    version: str
    requires_python: str


def build_wheel(root: Path, pyproject: Mapping[str, Any], directory: Path) -> Wheel:
    """Build the wheel of a project.

    In an environment of its own, or in this one where it has everything that `build-system.requires` names.

    Args:
        root: The project's root.
        pyproject: The tables of its pyproject.toml.
        directory: Where the wheel goes.

    Raises:
        ReleaseError: When the back end fails; says what it said.
    """
    here = ("--no-build-isolation", "--python", sys.executable) if _is_ready(pyproject) else ()
    arguments = ("build", "--wheel", *here, "--out-dir", str(directory), str(root))
    code, output = run_uv(arguments, root, variables={WHEEL_ALONE: "1"})
    found = sorted(directory.glob("*.whl"))
    if code != 0 or len(found) != 1:
        raise ReleaseError(_failed(back_end(pyproject), output))
    return read_wheel(found[0])


def back_end(pyproject: Mapping[str, Any]) -> str:
    """The build back end that a project names.

    Args:
        pyproject: The tables of its pyproject.toml.
    """
    return str(pyproject.get("build-system", {}).get("build-backend", LEGACY))


def read_wheel(path: Path) -> Wheel:
    """What the metadata of a wheel says.

    Args:
        path: The wheel.

    Raises:
        ReleaseError: When it can't be read.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            name = next(each for each in archive.namelist() if each.endswith(".dist-info/METADATA"))
            headers = HeaderParser().parsestr(archive.read(name).decode("utf-8", "replace"))
    except (OSError, zipfile.BadZipFile, StopIteration) as error:
        raise ReleaseError(f"{path} is no wheel: {error}") from error
    return Wheel(path, headers["Name"], headers["Version"], headers.get("Requires-Python", ""))


def _is_ready(pyproject: Mapping[str, Any]) -> bool:
    """Whether this environment has all that building the project requires."""
    required = pyproject.get("build-system", {}).get("requires", [])
    return bool(required) and all(map(_is_installed, required))


def _is_installed(text: str) -> bool:
    try:
        requirement = Requirement(text)
        if requirement.marker is not None and not requirement.marker.evaluate():
            return True
        return not requirement.extras and requirement.specifier.contains(
            version(requirement.name), prereleases=True
        )
    except (InvalidRequirement, PackageNotFoundError):
        return False


def _failed(name: str, output: str) -> str:
    """Why the back end has failed, and what to do."""
    told, _hints = errors_of(output)
    raised = [line.strip() for line in output.splitlines() if re.match(r"\s*([\w.]*Error|error)\b.*: ", line)]
    reasons = dict.fromkeys(
        [*([told] if told else []), *(each for each in raised[-1:] if each[:60] not in told)]
    )
    reason = shortened(": ".join(reasons)) or "it gave no reason"
    what = f"the project's wheel can't be built by {name}: {reason}"
    if speaks_of_network(output):
        return f"{what}: connect to the network, or install what build-system.requires names beside hatch-release"
    return f"{what} (HATCH_VERBOSE=1 shows all of it)"
