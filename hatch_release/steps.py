"""The steps of a release: looked up before anything is written, then run one after the other."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hatch_release.assemble import assemble
from hatch_release.errors import ReleaseError, in_one_line
from hatch_release.project import resolve
from hatch_release.release import Release
from hatch_release.staging.area import NO_SPACE
from hatch_release.tree.archive import archive_name, write_archive
from hatch_release.tree.manifest import write_manifest
from hatch_release.tree.permissions import usual_umask

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from hatch_release.release import Step


def tar(release: Release) -> Release:
    """The step `tar`: pack the assembled release into an archive of the configured format."""
    write_manifest(release)
    kind = release.options.archive
    name = archive_name(release.name, release.version, release.target, kind)
    with release.progress.stage(f"Packing {name}"):
        release.artifacts.append(
            write_archive(release, release.scratch / name, kind, release.progress.update)
        )
    return release


STEPS: dict[str, Step] = {"assemble": assemble, "tar": tar}
"""The steps that a release can name."""


def find_steps(names: Iterable[str], root: Path) -> list[Step]:
    """The functions of the option `steps`.

    Args:
        names: Names of steps, and `module:function` of the project.
        root: The project's root.

    Raises:
        ReleaseError: When a function can't be loaded or called.
    """
    return [STEPS[name] if name in STEPS else _project_step(name, root) for name in names]


def _project_step(reference: str, root: Path) -> Step:
    """The project's own step."""
    step: Step = resolve(root, reference, "the option steps")
    if not callable(step):
        raise ReleaseError(
            f"the option steps names '{reference}', which is a {type(step).__name__}, not a function"
        )
    return step


def run_steps(release: Release) -> Release:
    """Run the steps of `release`, each of which may change those that are left.

    Raises:
        ReleaseError: When a step fails or gives something else than a release; names the step.
    """
    while release.steps:
        step = release.steps.pop(0)
        name = step_name(step)
        if not callable(step):
            raise ReleaseError(
                f"the steps that are left of release '{release.name}' hold {step!r}: a step is a function"
            )
        try:
            # What `assemble` keeps for later builds is the user's own, and so is the umask.
            with contextlib.nullcontext() if step is assemble else usual_umask():
                result: object = step(release)
        except ReleaseError:
            raise
        except Exception as error:
            if isinstance(error, OSError) and error.errno in NO_SPACE:
                raise  # nobody's fault; `Staging` says what to do
            what = in_one_line(error, kind=True)
            raise ReleaseError(f"step {name} of release '{release.name}' failed: {what}") from error
        if not isinstance(result, Release):
            raise ReleaseError(
                f"step {name} of release '{release.name}' gave {result!r}: a step must return the release"
            )
        release = result
    return release


def step_name(step: Step) -> str:
    """How messages name a step."""
    own = next((name for name, each in STEPS.items() if each is step), None)
    return own or f"{getattr(step, '__module__', '?')}:{getattr(step, '__qualname__', repr(step))}"
