"""Making one release: what every door calls.

Everything happens beside the installed tree, which is changed at the very end.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hatch_release.errors import ReleaseError
from hatch_release.manifest import write_manifest
from hatch_release.release import Release
from hatch_release.runtime import layout
from hatch_release.staging import Staging
from hatch_release.steps import find_steps, run_steps

if TYPE_CHECKING:
    from hatch_release.options import Options
    from hatch_release.progress import Progress
    from hatch_release.project import Project

MEGABYTE = 1_000_000


def make_release(project: Project, name: str, options: Options, directory: Path, progress: Progress) -> Path:
    """Run the steps of one release and install the result.

    Args:
        project: What is released.
        name: The release's name.
        options: Its options, checked.
        directory: Where the project's artifacts go, usually `dist`.
        progress: Where to tell what is done.

    Returns:
        Where the release is installed.

    Raises:
        ReleaseError: When anything fails; what was installed before is then as it was.
    """
    version = options.version or project.version
    install_path = _install_path(project.root, name, options, directory)
    steps = find_steps(options.steps, project.root)
    _ask_to_overwrite(name, version, install_path, options)
    progress.say(f"Assembling {name} {version}")
    with Staging(install_path) as staging:
        release = Release(
            name=name,
            version=version,
            project=project,
            options=options,
            path=staging.path,
            install_path=install_path,
            scratch=staging.scratch,
            progress=progress,
            steps=steps,
        )
        release = run_steps(release)
        write_manifest(release)
        size = _size(release.path)
        staging.install(release.version)
        artifacts = [_deliver(release, artifact) for artifact in release.artifacts]
    _tell(progress, release, size, artifacts)
    return install_path


def remove_release(root: Path, name: str, options: Options, directory: Path) -> None:
    """Remove an installed release, all its versions and what it wrote (`hatch build -c`)."""
    path = _install_path(root, name, options, directory)
    if (path / layout.RELEASES).is_dir():
        shutil.rmtree(path)


def _install_path(root: Path, name: str, options: Options, directory: Path) -> Path:
    """Where the release goes: the option `path` relative to the project, or a directory of its own."""
    path = root / options.path if options.path else directory / "release" / name
    if path.exists() and not path.is_dir():
        raise ReleaseError(f"the release's path {path} is a file: remove it or set another path")
    return path.absolute()


def _ask_to_overwrite(name: str, version: str, install_path: Path, options: Options) -> None:
    """Replace an existing version only when asked to."""
    if options.overwrite or not (install_path / layout.RELEASES / version).exists():
        return
    found = f"release {name} {version} exists already in {install_path}"
    if sys.stdin.isatty() and sys.stdout.isatty():
        answer = input(f"{found[0].upper()}{found[1:]}. Overwrite it? [y/N] ")
        if answer.strip().lower() in {"y", "yes"}:
            return
        raise ReleaseError(f"{found}: it was left as it is")
    raise ReleaseError(
        f"{found}: set HATCH_RELEASE_OVERWRITE=1 or the option overwrite = true to replace it, "
        "or give another version"
    )


def _deliver(release: Release, artifact: Path) -> Path:
    """Move an artifact to its place: inside a configured `path`, otherwise beside the tree."""
    directory = release.install_path if release.options.path else release.install_path.parent
    return artifact.replace(directory / artifact.name)


def _size(path: Path) -> int:
    """Bytes of all files below `path`."""
    return sum(file.lstat().st_size for file in path.rglob("*") if not file.is_dir())


def _tell(progress: Progress, release: Release, size: int, artifacts: list[Path]) -> None:
    """Say where the release is, how large, and what to do next."""
    place = Path(os.path.relpath(release.install_path))
    launcher = place / layout.BIN / release.name
    progress.say(f"\nRelease {release.name} {release.version} is in {place} ({size / MEGABYTE:.1f} MB)")
    for artifact in artifacts:
        progress.say(f"Archive {os.path.relpath(artifact)} ({artifact.stat().st_size / MEGABYTE:.1f} MB)")
    progress.say(
        f"\n    {launcher} start\n    {launcher} eval 'print(1 + 1)'\n    {launcher}   (all commands)\n"
    )
