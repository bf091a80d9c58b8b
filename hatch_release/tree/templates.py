"""Templates: the project's own below `rel/`, those of plugins, and ours; the only place that knows Jinja2.

Source: the manual, "vm.args and env.sh (env.bat)". Each has one variable, `release`. A template may include and extend
others beside it, and ours as `default/NAME`.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    PrefixLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    TemplateSyntaxError,
)

from hatch_release.contributions import Template
from hatch_release.errors import OptionError, ReleaseError, in_one_line
from hatch_release.hookspecs import hookimpl
from hatch_release.options.kinds import nearest
from hatch_release.options.table import OPTIONS
from hatch_release.runtime import layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from hatch_release.release import Release

SUFFIX = ".j2"
OPTION = "rel-templates-path"
DEFAULTS = Path(__file__).parent / "templates"
"""Ours, which a project's own ones replace; `hatch-release init` copies them."""
LAUNCHER = "launcher.sh.j2"
USUAL = (layout.VM_ARGS, layout.REMOTE_VM_ARGS, layout.ENV_SH)
"""What every version has below `releases/VSN`, made from a template."""


def templates_directory(release: Release) -> Path:
    """Where the project's templates and `overlays/` are, whether or not it has any.

    Raises:
        ReleaseError: When the option names what is no directory.
    """
    given = release.options.rel_templates_path
    directory = release.project.root / given
    if given != OPTIONS[OPTION].default and not directory.is_dir():
        raise OptionError(
            f"the option {OPTION} is '{given}', and {directory} is no directory: make it, or correct the path",
            OPTION,
        )
    return directory


@hookimpl
def release_templates(release: Release) -> Sequence[Template]:
    """`vm.args`, `remote.vm.args` and `env.sh`."""
    below = f"{layout.RELEASES}/{release.version}"
    return [Template(name=name + SUFFIX, directory=DEFAULTS, destination=f"{below}/{name}") for name in USUAL]


def write_templates(release: Release) -> list[str]:
    """Write what the templates of all plugins become.

    Returns:
        The files, relative to the root; they have the modes that their templates say.

    Raises:
        ReleaseError: When two of them have one name or destination, or one can't be rendered.
    """
    found: dict[str, str] = {}
    written = []
    for plugin, templates in reversed(release.plugins.call("release_templates", release=release)):
        for template in templates:
            for word in (
                f"the template '{template.name}'",
                f"the file '{template.destination}' of a template",
            ):
                if word in found:
                    raise release.plugins.twice(word, found[word], plugin)
                found[word] = plugin
            try:
                _write(release, template)
            except ReleaseError as error:
                raise release.plugins.blame(plugin, error) from error
            written.append(template)
    _warn_of_others(release, [each.name for each in written])
    return [each.destination for each in written]


def _write(release: Release, template: Template) -> None:
    """Write one file."""
    target = release.path / template.destination
    root = release.path.resolve()
    if Path(template.destination).is_absolute() or not target.resolve().is_relative_to(root):
        raise ReleaseError(
            f"the template {template.name} has the destination {template.destination}: name a path in the release"
        )
    text = render(template, release)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, encoding="utf-8")
    target.chmod(template.mode)


def render_own(name: str, release: Release) -> str:
    """The text of a template of ours that a project can't replace.

    Args:
        name: Its file name.
        release: The one variable that it has.
    """
    return _environment(DEFAULTS).get_template(name).render(release=release)


def render(template: Template, release: Release) -> str:
    """The text of a template, the project's own one if there is one.

    Args:
        template: The template.
        release: The one variable that it has.

    Raises:
        ReleaseError: When it can't be read or rendered; names file and line.
    """
    own = templates_directory(release)
    try:
        return _environment(own, template.directory).get_template(template.name).render(release=release)
    except TemplateSyntaxError as error:
        place = f"{error.filename or error.name or template.name}, line {error.lineno}"
        raise ReleaseError(f"{_shown(place, release)}: {in_one_line(error)}") from error
    except Exception as error:
        place = _place(error, [own, template.directory, DEFAULTS]) or template.name
        what = in_one_line(error, kind=not isinstance(error, TemplateError))
        if isinstance(error, TemplateNotFound):
            what = f"there is no template '{error.name}'"
        raise ReleaseError(f"{_shown(place, release)}: {what}") from error


def _environment(*directories: Path) -> Environment:
    """Where templates are found, the first directory first, and how strict they are."""
    own = PrefixLoader({"default": FileSystemLoader(DEFAULTS)})
    return Environment(
        loader=ChoiceLoader([*map(FileSystemLoader, directories), own]),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - shell scripts and option files, not HTML
    )


def _place(error: Exception, directories: Iterable[Path]) -> str:
    """The file and line of a template in which an error was raised: Jinja2 rewrites the traceback to tell it."""
    frames = traceback.extract_tb(error.__traceback__)
    for frame in reversed(frames):
        if any(
            Path(frame.filename).is_relative_to(each) for each in directories
        ) and not frame.filename.endswith(".py"):
            return f"{frame.filename}, line {frame.lineno}"
    return ""


def _shown(place: str, release: Release) -> str:
    """A place as the project's own tools would name it."""
    return place.removeprefix(f"{release.project.root}/")


def _warn_of_others(release: Release, known: Sequence[str]) -> None:
    """Warn of a template of the project that has nearly the name of one that counts."""
    directory = templates_directory(release)
    if not directory.is_dir():
        return
    usual = [*known, f"env.bat{SUFFIX}"]
    for file in sorted(directory.iterdir()):
        if file.name not in usual and file.is_file() and (near := nearest(file.name, usual)):
            release.progress.warn(f"{_shown(str(file), release)} is not the name of a template{near}")
