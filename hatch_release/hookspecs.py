"""Every hook that a plugin may implement: when it fires, and what it may return.

```python
from hatch_release import Command, hookimpl


@hookimpl
def release_commands(release):
    return [Command(name="jobs", entry="shop.jobs:show", help="Prints how many jobs wait")]
```
An implementation takes those of the hook's arguments that it wants, by name. Our own steps, archive formats, overlays,
templates, commands, interpreters and checks are registered through these very hooks. The plugins of a release are
called in pluggy's order: modules of the project, then what is installed, by name, then what is built in; `tryfirst`,
`trylast` and wrappers change that. Where only one can have its way, the one that is called first has.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pluggy import HookimplMarker, HookspecMarker

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from hatch_release.contributions import Command, FileRule, Overlay, Template
    from hatch_release.release import Release, Step
    from hatch_release.tree.archive import Writer

GROUP = "hatch_release"
"""The group of entry points in which installed plugins are found, and pluggy's name of this project."""

hookspec = HookspecMarker(GROUP)
hookimpl = HookimplMarker(GROUP)


@hookspec
def release_configure(release: Release) -> Release | None:
    """Fires once for each release, before its first step; nothing has been made yet.

    May change the fields of `release` that a step before `assemble` may change, and returns nothing, or the release
    that takes its place (`dataclasses.replace`).
    """


@hookspec
def release_steps() -> Mapping[str, Step]:
    """Fires when the options are checked: the steps that this plugin adds, by the name to use in the option `steps`.

    A step takes the release and returns it.
    """


@hookspec
def release_before_step(release: Release, step: str) -> None:
    """Fires before each step, with its name; `release.steps` holds those that come after it."""


@hookspec
def release_after_step(release: Release, step: str) -> None:
    """Fires after each step that has succeeded, with its name."""


@hookspec(firstresult=True)
def release_find_python(release: Release, wanted: str) -> Path | None:
    """Fires in `assemble`, when `include-python` is a string or a function gave one.

    Returns an installation of CPython, its executable or an archive of one; or None, which leaves the question to
    the next plugin. The first answer counts.
    """


@hookspec
def release_files(release: Release) -> Sequence[FileRule]:
    """Fires in `assemble`, when the distributions are known: which of their files are left out, or stay.

    Of two rules for one file that of the plugin called first counts, of one plugin the last.
    """


@hookspec
def release_config_providers() -> Mapping[str, str]:
    """Fires when the options are checked: providers for the option `config-providers`, `module:Class` by short name.

    The class is in a distribution of the release.
    """


@hookspec
def release_templates(release: Release) -> Sequence[Template]:
    """Fires in `assemble`, before files are written: templates that become files of the release.

    Two of one name or destination are an error.
    """


@hookspec
def release_commands(release: Release) -> Sequence[Command]:
    """Fires in `assemble`, before the scripts are written: more commands of `bin/NAME`.

    Two of one name are an error, and so is one of the launcher's own.
    """


@hookspec
def release_overlays(release: Release) -> Sequence[Overlay]:
    """Fires in `assemble`, when the scripts are written and the boot files are not: directories to copy to the root.

    Files of the plugin called first replace those of later ones; the project's own overlays replace all.
    """


@hookspec
def release_archive_formats() -> Mapping[str, Writer]:
    """Fires when the options are checked: what the step `tar` can write, by the name to use in the option `archive`.

    The name is the archive's ending. A writer takes the release, a file open for writing, the entries in their
    order, and a function to report how many more bytes have been read.
    """


@hookspec
def release_artifact(release: Release, artifact: Path) -> Sequence[Path] | None:
    """Fires for each finished artifact, such as the archive, when every step has succeeded.

    Nothing is installed yet. May return more files to be delivered beside it, made below `release.scratch`: a
    signature, a checksum.
    """


@hookspec
def release_check(release: Release) -> Sequence[str] | None:
    """Fires when every step has succeeded: what is wrong with the assembled tree, a line each.

    Anything wrong stops the build, and what was installed stays as it was.
    """


@hookspec
def release_finished(release: Release, artifacts: Sequence[Path]) -> None:
    """Fires when the release is in `release.install_path`, and the artifacts are where they are named.

    An error here stops the build, yet what was delivered stays.
    """
