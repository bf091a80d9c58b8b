"""Making one release: what every door calls.

Everything happens beside the installed tree, which is changed at the very end.
"""

from __future__ import annotations

import os
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.asking import ask_to_change_cookie, ask_to_overwrite
from hatch_release.cache.choice import cache_of
from hatch_release.errors import OptionError, ReleaseError
from hatch_release.release import Release
from hatch_release.runtime import layout
from hatch_release.sizes import megabytes
from hatch_release.staging.area import Staging
from hatch_release.steps import find_steps, run_steps
from hatch_release.tree.manifest import write_manifest
from hatch_release.tree.overlays import from_options
from hatch_release.units.ahead import leave

if TYPE_CHECKING:
    from hatch_release.options.reading import Options
    from hatch_release.plugins.manager import Plugins
    from hatch_release.progress import Progress
    from hatch_release.project import Project


def make_release(  # noqa: PLR0913, PLR0917 - what a release is made of, each its own
    project: Project, name: str, options: Options, plugins: Plugins, directory: Path, progress: Progress
) -> Path:
    """Run the steps of one release and install the result.

    Args:
        project: What is released.
        name: The release's name.
        options: Its options, checked.
        plugins: Its plugins.
        directory: Where the project's artifacts go, usually `dist`.
        progress: Where to tell what is done.

    Returns:
        Where the release is installed.

    Raises:
        ReleaseError: When anything fails; what was installed before is then as it was.
    """
    begin = time.monotonic()
    path = install_path(project.root, name, options, directory)
    steps = find_steps(options.steps, project.root, plugins)
    version = options.version or project.version
    ask_to_overwrite(name, version, path, options)
    ask_to_change_cookie(name, path, options)
    progress.say(f"Assembling {name} {version}")
    with Staging(path) as staging:
        for line in staging.recovered:
            progress.say(line)
        release = Release(
            name=name,
            version=version,
            project=project,
            options=options,
            path=staging.path,
            install_path=path,
            scratch=staging.scratch,
            progress=progress,
            plugins=plugins,
            overlays=from_options(options.overlays),
            steps=steps,
        )
        release = run_steps(release)
        _check(release, version)
        write_manifest(release)
        _complete(release)
        size = _size(release.path)
        staging.install(release.version, release.digests.of, release.installed.of)
        leave(release, cache_of(release))
        artifacts = [_deliver(release, artifact) for artifact in release.artifacts]
    seconds = time.monotonic() - begin
    _tell(release, size, artifacts, seconds)
    plugins.call("release_finished", release=release, artifacts=artifacts)
    progress.report.finish(release, size, artifacts, seconds)
    return path


def install_path(root: Path, name: str, options: Options, directory: Path) -> Path:
    """Where a release goes: the option `path` relative to the project, or a directory of its own.

    Args:
        root: The project's root.
        name: The release's name.
        options: Its options.
        directory: Where the project's artifacts go, usually `dist`.

    Raises:
        ReleaseError: When a file is in the way.
    """
    path = (root / options.path if options.path else directory / "release" / name).absolute()
    for each in (path, *path.parents):
        if os.path.lexists(each) and not each.is_dir():
            raise OptionError(
                f"release {name} can't go to {path}, since {each} is no directory: remove it or set another path",
                "path",
            )
    return path


def _check(release: Release, version: str) -> None:
    """Refuse what steps must not have done to the release."""
    if not (release.version_path / (layout.START + layout.BOOT_SUFFIX)).is_file():
        raise ReleaseError(
            f"the steps of release '{release.name}' ended without an assembled release in {layout.RELEASES}/"
            f"{release.version}: one of them has taken assemble from the steps, or changed the version after it"
        )
    missing = next((artifact for artifact in release.artifacts if not artifact.is_file()), None)
    if missing:
        raise ReleaseError(
            f"the artifacts of release '{release.name}' name {missing}, which a step has not made"
        )
    if release.version != version:
        ask_to_overwrite(release.name, release.version, release.install_path, release.options)
    problems = [
        str(release.plugins.wrong(plugin, problem))
        for plugin, found in release.plugins.call("release_check", release=release)
        for problem in found
    ]
    if problems:
        raise ReleaseError("\n".join(problems))


def _complete(release: Release) -> None:
    """Let plugins see each artifact, and take what they add."""
    for artifact in list(release.artifacts):
        for plugin, more in release.plugins.call("release_artifact", release=release, artifact=artifact):
            for each in more:
                if not each.is_file():
                    raise release.plugins.wrong(plugin, f"gave the artifact {each}, which it has not made")
                if each not in release.artifacts:
                    release.artifacts.append(each)


def _deliver(release: Release, artifact: Path) -> Path:
    """Move an artifact to its place: inside a configured `path`, otherwise beside the tree."""
    directory = release.install_path if release.options.path else release.install_path.parent
    return artifact.replace(directory / artifact.name)


def _size(path: Path) -> int:
    """Bytes of all files below `path`."""
    size = 0
    with os.scandir(path) as entries:
        for entry in entries:
            is_directory = entry.is_dir(follow_symlinks=False)
            size += _size(Path(entry.path)) if is_directory else entry.stat(follow_symlinks=False).st_size
    return size


def _tell(release: Release, size: int, artifacts: list[Path], seconds: float) -> None:
    """Say where the release is, how large, and what to do next."""
    say = release.progress.say
    place = _shown(release.install_path)
    say(f"\nRelease {release.name} {release.version} is in {place} ({megabytes(size)}, {seconds:.1f} s)")
    for artifact in artifacts:
        say(f"Archive {_shown(artifact)} ({megabytes(artifact.stat().st_size)})")
    launcher = shlex.quote(str(place / layout.BIN / release.name))
    say(f"\n    {launcher} start\n    {launcher} eval 'print(1 + 1)'\n    {launcher}   # all commands\n")


def _shown(path: Path) -> Path:
    """A path as one would type it: relative to where one is, unless it is elsewhere."""
    here = Path.cwd()
    return path.relative_to(here) if path.is_relative_to(here) else path
