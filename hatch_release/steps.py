"""The steps of a release: looked up before anything is written, then run one after the other."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from hatch_release.assemble import assemble
from hatch_release.errors import OptionError, ReleaseError, in_one_line
from hatch_release.hookspecs import hookimpl
from hatch_release.project import resolve
from hatch_release.release import Release
from hatch_release.staging.area import NO_SPACE
from hatch_release.tree.archive import archive_name, write_archive
from hatch_release.tree.manifest import write_manifest
from hatch_release.tree.permissions import usual_umask
from hatch_release.watch import Watch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from hatch_release.plugins.manager import Plugins
    from hatch_release.release import Step


def tar(release: Release) -> Release:
    """The step `tar`: pack the assembled release into an archive of the configured format."""
    write_manifest(release)
    kind = release.options.archive
    name = archive_name(release.name, release.version, release.target, kind)
    with release.progress.stage(f"Packing {name}"):
        writer = release.plugins.archive_formats[kind]
        release.artifacts.append(
            write_archive(release, release.scratch / name, writer, release.progress.update)
        )
    return release


OPTION = "steps"
STEPS: Mapping[str, Step] = {"assemble": assemble, "tar": tar}


@hookimpl
def release_steps() -> Mapping[str, Step]:
    """The steps that every release can name."""
    return STEPS


def find_steps(names: Iterable[str], root: Path, plugins: Plugins) -> list[Step]:
    """The functions of the option `steps`.

    Args:
        names: Names of steps, and `module:function` of the project.
        root: The project's root.
        plugins: Know the named steps.

    Raises:
        ReleaseError: When a function can't be loaded or called.
    """
    known = plugins.steps
    return [
        known[name] if name in known else _project_step(name, number, root)
        for number, name in enumerate(names)
    ]


def _project_step(reference: str, number: int, root: Path) -> Step:
    """The project's own step, which is the `number`th of the option."""
    step: Step = resolve(root, reference, OPTION, number)
    if not callable(step):
        raise OptionError(
            f"the option {OPTION} names '{reference}', which is a {type(step).__name__}, not a function",
            OPTION,
            number,
        )
    return step


def run_steps(release: Release) -> Release:
    """Let plugins change the release, and run its steps, each of which may change those that are left.

    Raises:
        ReleaseError: When a step or a plugin fails, or gives something else than a release; names it.
    """
    release = _configured(release)
    while release.steps:
        step = release.steps.pop(0)
        name = step_name(step, release.plugins)
        if not callable(step):
            raise ReleaseError(
                f"the steps that are left of release '{release.name}' hold {step!r}: a step is a function"
            )
        release.plugins.call("release_before_step", release=release, step=name)
        release = _run(step, name, release)
        release.plugins.call("release_after_step", release=release, step=name)
    return release


def _configured(release: Release) -> Release:
    """The release as plugins want it, before its first step."""
    watch, first = Watch(release), release
    for plugin, changed in release.plugins.call("release_configure", release=release):
        if changed is not first:
            if release is not first:
                raise release.plugins.wrong(
                    plugin, "gave a release where another plugin has given one already"
                )
            if harm := watch.harm(changed):
                raise ReleaseError(f"{release.plugins.who(plugin)} {harm}")
            release = changed
    return release


def _run(step: Step, name: str, release: Release) -> Release:
    """Run one step."""
    watch = Watch(release)
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
        raise _wrong(name, release, f"failed: {what}") from error
    if not isinstance(result, Release):
        raise _wrong(name, release, f"gave {result!r}: a step must return the release")
    if harm := watch.harm(result):
        raise _wrong(name, release, harm)
    return result


def _wrong(name: str, release: Release, what: str) -> ReleaseError:
    """The error that a step is wrong; it knows its place where the option names the step."""
    text, names = f"step {name} of release '{release.name}' {what}", release.options.steps
    return OptionError(text, OPTION, names.index(name)) if name in names else ReleaseError(text)


def step_name(step: Step, plugins: Plugins) -> str:
    """How messages and hooks name a step.

    Args:
        step: Its function.
        plugins: Know the named steps.
    """
    own = next((name for name, each in plugins.steps.items() if each is step), None)
    return own or f"{getattr(step, '__module__', '?')}:{getattr(step, '__qualname__', repr(step))}"
