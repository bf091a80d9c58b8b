"""Drawings of the site: SVG inside the page, in the page's own colours (`docs/assets/site.css`).

A page asks for one by a comment, `<!-- drawing: NAME -->`, so that it can be read as a file too.
"""

from __future__ import annotations

from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


@dataclass(frozen=True)
class Phase:
    """A part of a build, and the hooks that fire in it, in order."""

    title: str
    note: str
    hooks: tuple[str, ...]
    around: tuple[str, str] | None = None
    """Hooks that fire before and after each step, of which this is one."""


LIFE_CYCLE = (
    Phase(
        "The options are checked",
        "nothing is written",
        ("release_steps", "release_archive_formats", "release_config_providers"),
    ),
    Phase("The release begins", "once for each release", ("release_configure",)),
    Phase(
        "The steps",
        "assemble, tar, those of plugins and of the project",
        (
            "release_find_python",
            "release_files",
            "release_commands",
            "release_templates",
            "release_overlays",
        ),
        ("release_before_step", "release_after_step"),
    ),
    Phase("All steps have succeeded", "nothing is installed", ("release_check", "release_artifact")),
    Phase("The release is installed", "artifacts are delivered", ("release_finished",)),
)
"""The hooks in the order in which a build fires them."""

WIDTH, ROW, GAP, HEAD = 620, 26, 26, 30


def hooks() -> str:
    """The life cycle of the hooks."""
    shapes: list[str] = []
    top = 4
    for number, phase in enumerate(LIFE_CYCLE):
        if number:
            shapes.append(_arrow(WIDTH // 2, top - GAP, top))
        height = HEAD + ROW * len(phase.hooks) + (ROW * 2 + 24 if phase.around else 0) + 8
        shapes.append(f'<rect x="4" y="{top}" width="{WIDTH - 8}" height="{height}" rx="5"/>')
        shapes.append(_text(18, top + 20, phase.title, "title"))
        shapes.append(_text(WIDTH - 18, top + 20, phase.note, "note end"))
        shapes.extend(_hooks(phase, top + HEAD))
        top += height + GAP
    size = f'viewBox="0 0 {WIDTH} {top - GAP + 4}"'
    names = ", ".join(name for phase in LIFE_CYCLE for name in phase.hooks)
    label = f"The hooks in their order: {names}"
    return f'<svg class="diagram" role="img" aria-label="{label}" {size}>{"".join(shapes)}</svg>'


def _hooks(phase: Phase, top: int) -> Iterator[str]:
    """The lines of one phase; those of `assemble` are in a frame between what fires around each step."""
    left = 34
    if phase.around:
        yield _text(left, top + 16, phase.around[0], "hook")
        yield _text(WIDTH - 18, top + 16, "before each step", "note end")
        frame = top + ROW
        height = ROW * len(phase.hooks) + 16
        yield f'<rect class="frame" x="{left}" y="{frame}" width="{WIDTH - left - 18}" height="{height}" rx="5"/>'
        yield _text(WIDTH - 30, frame + 20, "inside assemble", "note end")
        for number, name in enumerate(phase.hooks):
            yield _text(left + 18, frame + 22 + ROW * number, name, "hook")
        yield _text(left, frame + height + 20, phase.around[1], "hook")
        yield _text(WIDTH - 18, frame + height + 20, "after each step", "note end")
        return
    for number, name in enumerate(phase.hooks):
        yield _text(left, top + 16 + ROW * number, name, "hook")


def _text(x: int, y: int, text: str, kind: str) -> str:
    return f'<text x="{x}" y="{y}" class="{kind}">{escape(text)}</text>'


def _arrow(x: int, top: int, bottom: int) -> str:
    head = f'<path class="head" d="m{x - 4} {bottom - 7} 4 6 4-6z"/>'
    return f'<path d="M{x} {top + 2}V{bottom - 5}"/>{head}'


DRAWINGS: Mapping[str, Callable[[], str]] = {"hooks": hooks}
"""By the name that pages use."""
