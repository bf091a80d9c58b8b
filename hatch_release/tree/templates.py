"""The templates of the files that a release is given; the only place that knows Jinja2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from hatch_release.release import Release

LAUNCHER = "launcher.sh.j2"


def render(template: str, release: Release) -> str:
    """The text of one of our own templates.

    Args:
        template: Its file name below `templates/`.
        release: The one variable that it has.
    """
    environment = Environment(
        loader=PackageLoader("hatch_release.tree"),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701 - shell scripts and option files, not HTML
    )
    return environment.get_template(template).render(release=release)
