"""hatchling's door: the builder `release`."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from hatchling.builders.config import BuilderConfig
from hatchling.builders.plugin.interface import BuilderInterface
from hatchling.plugin.manager import PluginManager

from hatch_release.errors import ReleaseError
from hatch_release.options import load_options
from hatch_release.progress import Progress
from hatch_release.project import Project, resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from hatch_release.options import Options

INTERRUPTED = 130
"""The exit code of a program that SIGINT ended, as shells give it."""


class ReleaseBuilder(BuilderInterface[BuilderConfig, PluginManager]):
    """Builds releases; a version of the target, in hatchling's sense, is a release's name."""

    PLUGIN_NAME = "release"

    def get_version_api(self) -> dict[str, Callable[..., str]]:
        """The function that builds each of the releases asked for."""
        return {name: self._function(name, options) for name, options in self._asked_for.items()}

    def get_default_versions(self) -> list[str]:
        """Nothing: which release is the default depends on the options, and `build` decides it."""
        return []

    def clean(self, directory: str, versions: list[str]) -> None:
        """Remove the releases `versions` from where they are installed."""
        from hatch_release.make import remove_release  # noqa: PLC0415 - as in `_function`

        for name in versions:
            remove_release(Path(self.root), name, self._asked_for[name], Path(directory))

    def build(self, **arguments: Any) -> Generator[str, None, None]:  # noqa: ANN401 - hatchling's interface
        """Build the releases that `versions` names, or the default one; one line for every error.

        Args:
            arguments: hatchling's own, of which `versions` holds names of releases.
        """
        signal.signal(signal.SIGTERM, _end)
        try:
            self._asked_for = self._options(
                arguments.get("versions") or self.target_config.get("versions") or []
            )
            arguments["versions"] = list(self._asked_for)
            yield from super().build(**arguments)
        except ReleaseError as error:
            if os.environ.get("HATCH_VERBOSE", "0") not in {"", "0"}:
                raise
            self.app.abort(str(error))
        except KeyboardInterrupt:
            self.app.abort("interrupted: nothing was changed", INTERRUPTED)

    def _options(self, names: Sequence[str]) -> dict[str, Options]:
        """The options of the releases asked for, checked."""
        return load_options(
            self.target_config,
            project_name=self._project_name(),
            names=names,
            resolve=lambda reference: resolve(
                Path(self.root), reference, "[tool.hatch.build.targets.release]"
            ),
            environ=os.environ,
        )

    def _project_name(self) -> str:
        """The project's name; what is wrong with its metadata is an error like any other."""
        try:
            self.metadata.validate_fields()
            return str(self.metadata.core.raw_name)
        except (ValueError, TypeError, OSError) as error:
            raise ReleaseError(
                f"the project's metadata in {self.root}/pyproject.toml is not valid: {error}"
            ) from error

    def _function(self, name: str, options: Options) -> Callable[..., str]:
        """What hatchling calls to build the release `name`."""

        def build_release(directory: str, **_build_data: object) -> str:
            # hatchling loads every plugin for every build: what assembles is imported when it is asked for.
            from hatch_release.make import make_release  # noqa: PLC0415

            progress = Progress(quiet=options.quiet)
            return str(make_release(self._project(options), name, options, Path(directory), progress))

        return build_release

    def _project(self, options: Options) -> Project:
        """The project as plain data."""
        wheel = self._find_wheel if options.no_compile else self._build_wheel
        return Project(
            root=Path(self.root),
            name=str(self.metadata.core.raw_name),
            version=str(self.metadata.version),
            requires_python=str(self.metadata.core.requires_python or ""),
            pyproject=self.metadata.config,
            build_wheel=wheel,
        )

    def _build_wheel(self, directory: Path) -> Path:
        """Build the wheel with hatchling's own builder."""
        builder_class: Any = self.plugin_manager.builder.get("wheel")
        builder = builder_class(
            self.root, plugin_manager=self.plugin_manager, metadata=self.metadata, app=self.app
        )
        try:
            return Path(next(iter(builder.build(directory=str(directory), versions=["standard"]))))
        except (ValueError, TypeError, OSError, ImportError) as error:
            raise ReleaseError(f"the project's wheel can't be built: {error}") from error

    def _find_wheel(self, directory: Path) -> Path:  # noqa: ARG002 - stands in for `_build_wheel`
        """The wheel that was built before, for HATCH_RELEASE_NO_COMPILE."""
        distribution = self.project_id
        found = sorted(
            Path(self.config.directory).glob(f"{distribution}-*.whl"), key=lambda path: path.stat().st_mtime
        )
        if not found:
            raise ReleaseError(
                f"HATCH_RELEASE_NO_COMPILE is set and {self.config.directory} holds no {distribution}-*.whl: "
                "build one with `hatch build -t wheel`, or unset it"
            )
        return found[-1]


def _end(signal_number: int, _frame: object) -> NoReturn:
    """Leave as an interrupted program, so that everything is cleaned up on the way."""
    sys.exit(128 + signal_number)
