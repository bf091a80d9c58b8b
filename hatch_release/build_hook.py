"""hatchling's door for PEP 517 front ends: the build hook `release` of the wheel target."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

from hatch_release.builder import ReleaseBuilder
from hatch_release.doors import WHEEL_ALONE
from hatch_release.errors import ProjectFileError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DIRECTORY = "dist"
"""Where front ends put artifacts, unless they are told otherwise."""


class ReleaseBuildHook(BuildHookInterface[BuilderConfig]):
    """Assembles releases from the wheel that was just built."""

    PLUGIN_NAME = "release"

    def finalize(self, version: str, _build_data: dict[str, Any], artifact_path: str) -> None:
        """Assemble what the hook's option `releases` names, or the default release.

        Args:
            version: What kind of wheel was built: of an editable one no release is made.
            artifact_path: The wheel.
        """
        if self.target_name != "wheel" or version != "standard" or WHEEL_ALONE in os.environ:
            return
        builder = ReleaseBuilder(self.root, metadata=self.metadata, app=self.app)
        names = self.config.get("releases", [])
        if not isinstance(names, list) or not all(isinstance(each, str) for each in names):
            self.app.abort(self._wrong(names))
        assemble_from(builder, Path(artifact_path), names)

    def _wrong(self, names: object) -> str:
        """The line about an option `releases` that is no list of names."""
        from hatch_release.options.lines import with_line  # noqa: PLC0415 - as in `ReleaseBuilder`

        table = ("tool", "hatch", "build", "targets", "wheel", "hooks", "release", "releases")
        text = f"{'.'.join(table)}: expected a list of names, found {names!r}"
        return with_line(ProjectFileError(text, *table), Path(self.root))


def assemble_from(
    builder: ReleaseBuilder, wheel: Path, names: Sequence[str], environ: Mapping[str, str] = os.environ
) -> None:
    """Assemble releases from a wheel.

    Args:
        builder: Of the project.
        wheel: The project's wheel.
        names: The releases; none: the default one.
        environ: The environment, of which `HATCH_RELEASE_*` counts.
    """
    builder.wheel, builder.environ = wheel, environ
    for _ in builder.build(directory=str(_directory(Path(builder.root), wheel)), versions=list(names)):
        pass


def _directory(root: Path, wheel: Path) -> Path:
    """Where releases go: beside the wheel, unless the front end has put that into a temporary directory.

    pip does so, while it leaves the project where it is. Of an unpacked source distribution, which holds PKG-INFO, it
    is the project that is in a temporary directory.
    """
    temporary = Path(tempfile.gettempdir()).resolve()
    beside = wheel.resolve().parent
    is_unpacked = (root / "PKG-INFO").is_file()
    if not is_unpacked and beside.is_relative_to(temporary) and not beside.is_relative_to(root.resolve()):
        return root / DIRECTORY
    return beside
