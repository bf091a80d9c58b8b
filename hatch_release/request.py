"""What a door was asked for: some releases of a project, whose options, plugins and steps have been checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_release.make import make_release
from hatch_release.options.lines import located, with_line
from hatch_release.options.reading import RELEASES, load_options
from hatch_release.plugins.search import find_plugins
from hatch_release.progress import Progress
from hatch_release.project import resolve
from hatch_release.staging.removal import remove_release
from hatch_release.steps import find_steps

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from hatch_release.options.reading import Options
    from hatch_release.plugins.manager import Plugins
    from hatch_release.project import Project
    from hatch_release.report import Report


class Request:
    """Some releases to be made, or removed."""

    options: Mapping[str, Options]
    """By release, in the order asked for."""

    def __init__(
        self,
        root: Path,
        table: Mapping[str, Any],
        project_name: str,
        names: Sequence[str],
        environ: Mapping[str, str],
    ) -> None:
        """Check everything that can be checked before anything is written.

        Args:
            root: The project's root.
            table: The table `tool.hatch.build.targets.release`.
            project_name: The project's name.
            names: The releases asked for; none: the default one.
            environ: The environment, of which `HATCH_RELEASE_*` counts.

        Raises:
            ReleaseError: One line for each problem.
        """
        self._root = root
        self._plugins: dict[str, Plugins] = {}
        self.options = load_options(
            table,
            project_name=project_name,
            names=names,
            resolve=lambda reference: resolve(root, reference, RELEASES),
            environ=environ,
            registered=self._registered,
            tell=lambda problem: with_line(problem, root),
        )
        for name, options in self.options.items():
            with located(root, options.given):
                find_steps(options.steps, root, self._plugins[name])

    def make(
        self, name: str, project: Project, directory: Path, report: Report, *, quiet: bool = False
    ) -> Path:
        """Make one of the releases.

        Args:
            name: Its name.
            project: What is released.
            directory: Where the project's artifacts go, usually `dist`.
            report: Told what becomes of it.
            quiet: Show no progress, whatever its options say.

        Returns:
            Where it is installed.

        Raises:
            ReleaseError: When anything fails; what was installed before is then as it was.
        """
        options = self.options[name]
        progress = Progress(report.add(name), quiet=options.quiet or quiet)
        with located(self._root, options.given):
            return make_release(project, name, options, self._plugins[name], directory, progress)

    def plugins(self, name: str) -> Plugins:
        """The plugins of one of the releases."""
        return self._plugins[name]

    def remove(self, name: str, directory: Path) -> None:
        """Remove one of the releases from where it is installed, with its archives.

        Args:
            name: Its name.
            directory: Where the project's artifacts are.

        Raises:
            ReleaseError: When something can't be removed.
        """
        formats, options = self._plugins[name].archive_formats, self.options[name]
        with located(self._root, options.given):
            remove_release(self._root, name, options, directory, formats)

    def _registered(self, name: str, plugins: tuple[str, ...]) -> Mapping[str, Collection[str]]:
        """Find the plugins of a release, and give the names that they know, by option."""
        found = self._plugins[name] = find_plugins(name, plugins, self._root)
        return {
            "steps": found.steps,
            "archive": found.archive_formats,
            "config-providers": found.config_providers,
        }
