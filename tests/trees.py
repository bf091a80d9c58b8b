"""Small release trees for tests: written, read back as plain data, and wrapped in a `Release`."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

from hatch_release.options.reading import Options
from hatch_release.plugins.search import find_plugins
from hatch_release.progress import Progress
from hatch_release.project import Project
from hatch_release.release import Release
from hatch_release.tree.manifest import write_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

EXECUTABLE = 0o755


def write_files(root: Path, files: Mapping[str, str]) -> None:
    """Write text files; what is in `bin` directories is executable."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        if "bin" in name.split("/")[:-1]:
            path.chmod(EXECUTABLE)


def version_files(version: str, **changes: str) -> dict[str, str]:
    """The files of a version of `demo`: its own library, one that stays, and what all versions share."""
    return {
        "bin/demo": "#!/bin/sh\necho demo\n",
        "python-3.11.7/bin/python3": "an interpreter",
        "python-3.11.7/lib/os.pyc": "os",
        "lib/common-1.0/common.pyc": "common",
        f"lib/demo-{version}/demo.pyc": f"code of {version}",
        "releases/COOKIE": "secret",
        "releases/start.data": f"3.11.7 {version}\n",
        f"releases/{version}/start.boot": f"boot {version}",
        **changes,
    }


def release_of(tree: Path, version: str) -> Release:
    """The release whose tree is `tree`."""

    def build_wheel(_directory: Path) -> Path:
        raise AssertionError

    project = Project(
        root=tree, name="demo", version=version, requires_python="", pyproject={}, build_wheel=build_wheel
    )
    return Release(
        name="demo",
        version=version,
        project=project,
        options=Options(),
        path=tree,
        install_path=tree,
        scratch=tree,
        progress=Progress(quiet=True),
        plugins=find_plugins("demo", (), tree),
    )


def write_version(tree: Path, version: str, files: Mapping[str, str] | None = None) -> None:
    """Write a version and its manifest."""
    write_files(tree, version_files(version) if files is None else files)
    write_manifest(release_of(tree, version))


def snapshot(root: Path) -> dict[str, object]:
    """Everything below `root` by path: link targets, directories' modes, files' modes and contents."""
    found: dict[str, object] = {}
    for directory, names, files in os.walk(root):
        for name in (*names, *files):
            path = os.path.join(directory, name)  # noqa: PTH118 - a walk's own terms
            mode = stat.filemode(os.lstat(path).st_mode)
            key = os.path.relpath(path, root)
            if mode.startswith("l"):
                found[key] = ("link", os.readlink(path))  # noqa: PTH115 - as above
            elif mode.startswith("d"):
                found[key] = mode
            else:
                with open(path, "rb") as file:  # noqa: PTH123 - as above
                    found[key] = (mode, file.read())
    return found
