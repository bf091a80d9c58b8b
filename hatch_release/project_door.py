"""The door for projects with any build back end: options from pyproject.toml, the wheel from the back end."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name, parse_wheel_filename

from hatch_release.dependencies.front_end import Wheel, back_end, build_wheel, read_wheel
from hatch_release.errors import ProjectFileError, ReleaseError
from hatch_release.options.kinds import found
from hatch_release.options.lines import PYPROJECT, located, read_pyproject
from hatch_release.options.reading import TABLE
from hatch_release.progress import Progress
from hatch_release.project import Project
from hatch_release.report import reporting
from hatch_release.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from hatch_release.report import Report

DIRECTORY = "dist"


def assemble_project(
    root: Path,
    names: Sequence[str],
    environ: Mapping[str, str],
    tell: Callable[[str], None] | None = None,
) -> None:
    """Assemble releases of a project.

    Args:
        root: The project's root, where its `pyproject.toml` is.
        names: The releases; none: the default one.
        environ: The environment, of which `HATCH_RELEASE_*` counts.
        tell: Given at the end what became of the build, as JSON, also when it failed.

    Raises:
        ReleaseError: When anything fails; what was installed before is then as it was.
    """
    with (
        reporting(root, environ, tell) as report,
        tempfile.TemporaryDirectory(prefix="hatch-release-") as place,
        located(root),
    ):
        _assemble(root, names, environ, report, Path(place))


def _assemble(
    root: Path, names: Sequence[str], environ: Mapping[str, str], report: Report, place: Path
) -> None:
    """Assemble releases; the wheel is built in the directory `place`."""
    pyproject = _read(root / PYPROJECT)
    table = _table(pyproject, TABLE)
    directory = root / str(_table(pyproject, "tool.hatch.build").get("directory", DIRECTORY))
    name, wheel = _name(pyproject), None
    if not name:
        quiet = environ.get("HATCH_RELEASE_QUIET", "") == "1"
        wheel = _built(root, pyproject, place, quiet=quiet)
        name = wheel.name
    request = Request(root, table, name, names, environ)
    for release, options in request.options.items():
        if options.no_compile:
            used = _newest(directory, name)
        else:
            used = wheel = wheel or _built(root, pyproject, place, quiet=options.quiet)
        request.make(release, _project(root, pyproject, used), directory, report)


def _read(file: Path) -> dict[str, Any]:
    """The tables of pyproject.toml."""
    try:
        return read_pyproject(file)
    except FileNotFoundError as error:
        raise ReleaseError(f"{file} does not exist: call it in the directory of a project") from error
    except OSError as error:
        raise ReleaseError(f"{file} can't be read: {error.strerror}") from error


def _table(pyproject: Mapping[str, Any], dotted: str) -> Mapping[str, Any]:
    """A table of pyproject.toml, empty when it isn't there."""
    table: Any = pyproject
    done: list[str] = []
    for key in dotted.split("."):
        table = table.get(key, {})
        done.append(key)
        if not isinstance(table, dict):
            raise ProjectFileError(f"{'.'.join(done)}: expected a table, found {found(table)}", *done)
    result: Mapping[str, Any] = table
    return result


def _name(pyproject: Mapping[str, Any]) -> str:
    """The project's name, where pyproject.toml tells it."""
    for table in ("project", "tool.poetry"):
        name = _table(pyproject, table).get("name")
        if isinstance(name, str) and name:
            return name
    return ""


def _built(root: Path, pyproject: Mapping[str, Any], place: Path, *, quiet: bool) -> Wheel:
    """The project's wheel, built."""
    with Progress(quiet=quiet).stage(f"Building the wheel by {back_end(pyproject)}"):
        return build_wheel(root, pyproject, place)


def _newest(directory: Path, name: str) -> Wheel:
    """The wheel that was built before, for `--no-compile`."""
    wheels = [
        each
        for each in directory.glob("*.whl")
        if parse_wheel_filename(each.name)[0] == canonicalize_name(name)
    ]
    if not wheels:
        raise ReleaseError(
            f"--no-compile takes the newest wheel of {name} in {directory}, and there is none: build one, or leave "
            "it out"
        )
    return read_wheel(max(wheels, key=lambda path: path.stat().st_mtime))


def _project(root: Path, pyproject: Mapping[str, Any], wheel: Wheel) -> Project:
    """The project as plain data; its metadata is that of the wheel."""
    return Project(
        root=root,
        name=wheel.name,
        version=wheel.version,
        requires_python=wheel.requires_python,
        pyproject=pyproject,
        build_wheel=lambda directory: Path(shutil.copy(wheel.path, directory)),
    )
