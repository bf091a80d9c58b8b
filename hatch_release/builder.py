"""hatchling's door: the builder `release`."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.constants import BuildEnvVars
from hatchling.builders.plugin.interface import BuilderInterface
from hatchling.plugin.manager import PluginManager

from hatch_release.doors import collector_at_rest, ending_signals, verbose, wheel_alone
from hatch_release.errors import INTERRUPTED, ProjectFileError, ReleaseError, in_one_line
from hatch_release.project import Project

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Mapping

    from hatch_release.options.reading import Options
    from hatch_release.report import Report
    from hatch_release.request import Request


VERSIONS = ("tool", "hatch", "build", "targets", "release", "versions")
_FIELD = re.compile(r"`((?:project|tool)\.[A-Za-z0-9_.-]+)`")
"""How hatchling's messages name what is wrong."""


class ReleaseBuilder(BuilderInterface[BuilderConfig, PluginManager]):
    """Builds releases; a version of the target, in hatchling's sense, is a release's name."""

    PLUGIN_NAME = "release"

    wheel: Path | None = None
    """The project's wheel, where there is one already; None: it is built."""
    environ: Mapping[str, str] = os.environ
    """The environment, of which `HATCH_RELEASE_*` counts."""
    _request: Request
    _report: Report

    def get_version_api(self) -> dict[str, Callable[..., str]]:
        """The function that builds each of the releases asked for."""
        return {name: self._function(name) for name in self._request.options}

    def get_default_versions(self) -> list[str]:
        """Nothing: which release is the default depends on the options, and `build` decides it."""
        return []

    def clean(self, directory: str, versions: list[str]) -> None:
        """Remove the releases `versions` from where they are installed."""
        for name in versions:
            self._request.remove(name, Path(directory))

    def build(self, **arguments: Any) -> Generator[str, None, None]:  # noqa: ANN401 - hatchling's interface
        """Build the releases that `versions` names, or the default one; one line for every error.

        Args:
            arguments: hatchling's own, of which `versions` holds names of releases.
        """
        root = Path(self.root)
        try:
            with ending_signals(), collector_at_rest():
                from hatch_release.interpreter.facts import ask_ahead  # noqa: PLC0415 - as in `_build`
                from hatch_release.options.lines import located  # noqa: PLC0415
                from hatch_release.report import reporting  # noqa: PLC0415

                ask_ahead()
                with reporting(root, self.environ) as self._report, located(root):
                    yield from self._build(self._project_name(), arguments)
        except KeyboardInterrupt:
            self.app.abort("interrupted: what was not finished is as it was before", INTERRUPTED)
        except Exception as error:  # all errors end here, those of hatchling and of its plugins too
            if verbose():
                raise
            self.app.abort(str(error) if isinstance(error, ReleaseError) else _unexpected(error, root))

    def _build(self, project_name: str, arguments: dict[str, Any]) -> Generator[str, None, None]:
        """Build what was asked for."""
        # hatchling loads every plugin for every build: what assembles is imported when it is asked for.
        from hatch_release.request import Request  # noqa: PLC0415

        with self._target_directory(arguments):
            names = arguments.get("versions") or self._configured_versions()
            root = Path(self.root)
            self._request = Request(root, self.target_config, project_name, names, self.environ)
            # hatchling does it too, and fails when another build does it at the same moment.
            Path(arguments["directory"]).mkdir(parents=True, exist_ok=True)
            arguments["versions"] = list(self._request.options)
            yield from super().build(**arguments)

    @contextlib.contextmanager
    def _target_directory(self, arguments: dict[str, Any]) -> Iterator[None]:
        """Settle which directory artifacts go to; what is made of it and stays empty is removed."""
        if arguments.get("directory") is None:
            location = os.environ.get(BuildEnvVars.LOCATION)
            given = self.config.normalize_build_directory(location) if location else self.config.directory
            arguments["directory"] = given
        directory = Path(arguments["directory"])
        missing = [each for each in (directory, *directory.parents) if not each.exists()]
        try:
            yield
        finally:
            for each in missing:
                with contextlib.suppress(OSError):
                    each.rmdir()

    def _configured_versions(self) -> list[str]:
        """The releases that hatchling's own option `versions` names."""
        versions: object = self.target_config.get("versions", [])
        if isinstance(versions, list) and all(isinstance(each, str) for each in versions):
            return versions
        raise ProjectFileError(
            f"{'.'.join(VERSIONS)}: expected a list of names, found {versions!r}", *VERSIONS
        )

    def _project_name(self) -> str:
        """The project's name; what is wrong with its metadata is an error like any other."""
        try:
            self.metadata.validate_fields()
            return str(self.metadata.core.raw_name)
        except (ValueError, TypeError, OSError) as error:
            raise self._invalid(error) from error

    def _invalid(self, error: Exception) -> ReleaseError:
        """The error for metadata that hatchling refuses, which names the field where hatchling does."""
        from hatch_release.options.lines import read_pyproject  # noqa: PLC0415 - as in `_build`

        file = Path(self.root) / "pyproject.toml"
        with contextlib.suppress(OSError):
            read_pyproject(file)  # raises when that is no TOML
        return ProjectFileError(
            f"the project's metadata in {file} is not valid: {in_one_line(error)}", *_field(error)
        )

    def _function(self, name: str) -> Callable[..., str]:
        """What hatchling calls to build the release `name`."""

        def build_release(directory: str, **_build_data: object) -> str:
            project = self._project(self._request.options[name], Path(directory))
            quiet = self.app.verbosity < 0
            return str(self._request.make(name, project, Path(directory), self._report, quiet=quiet))

        return build_release

    def _project(self, options: Options, directory: Path) -> Project:
        """The project as plain data."""
        found = options.no_compile and self.wheel is None
        wheel = partial(self._find_wheel, directory) if found else self._build_wheel
        return Project(
            root=Path(self.root),
            name=str(self.metadata.core.raw_name),
            version=str(self.metadata.version),
            requires_python=str(self.metadata.core.requires_python or ""),
            pyproject=self.metadata.config,
            build_wheel=wheel,
        )

    def _build_wheel(self, directory: Path) -> Path:
        """Build the wheel with hatchling's own builder, unless there is one."""
        if self.wheel is not None:
            return Path(shutil.copy(self.wheel, directory))
        builder_class: Any = self.plugin_manager.builder.get("wheel")
        builder = builder_class(
            self.root, plugin_manager=self.plugin_manager, metadata=self.metadata, app=self.app
        )
        try:
            with wheel_alone():
                return Path(next(iter(builder.build(directory=str(directory), versions=["standard"]))))
        except Exception as error:
            text = f"the project's wheel can't be built: {in_one_line(error)}"
            raise ProjectFileError(text, *_field(error)) from error

    def _find_wheel(self, directory: Path, _scratch: Path) -> Path:
        """The wheel that was built before, for HATCH_RELEASE_NO_COMPILE."""
        pattern = f"{self.project_id}-*.whl"
        found = sorted(directory.glob(pattern), key=lambda path: path.stat().st_mtime)
        if not found:
            raise ReleaseError(
                f"HATCH_RELEASE_NO_COMPILE is set and {directory} holds no {pattern}: "
                "build one with `hatch build -t wheel`, or unset it"
            )
        return found[-1]


def _unexpected(error: Exception, root: Path) -> str:
    """One line about an error of hatchling, of one of its plugins, or of ours."""
    from hatch_release.options.lines import with_line  # noqa: PLC0415 - as in `ReleaseBuilder`

    what = in_one_line(error) if isinstance(error, (ValueError, TypeError)) else in_one_line(error, kind=True)
    text = f"the release can't be built: {what} (HATCH_VERBOSE=1 shows where)"
    return with_line(ProjectFileError(text, *_field(error)), root)


def _field(error: Exception) -> list[str]:
    """The way to what hatchling says is wrong; none when it doesn't say."""
    found = _FIELD.search(str(error))
    return found[1].split(".") if found else []
