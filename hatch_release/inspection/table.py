"""An inspection as text for a terminal or a log."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from hatch_release.inspection.facts import DISTRIBUTION
from hatch_release.inspection.kinds import KINDS
from hatch_release.sizes import megabytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from hatch_release.inspection.facts import Inspection, Version


def table(inspection: Inspection) -> str:
    """The whole of it, lines that end with a newline."""
    lines = [_heading(inspection), ""]
    for version in inspection.versions:
        lines += [*_version(version), ""]
    return "\n".join(lines)


def _heading(inspection: Inspection) -> str:
    """What was looked at, and how large it is."""
    packed = f"{megabytes(inspection.packed)}, unpacked " if inspection.packed is not None else ""
    return (
        f"{inspection.source}: {inspection.format}, {packed}{megabytes(inspection.size)} "
        f"in {inspection.files:,} files"
    )


def _version(version: Version) -> Iterator[str]:
    """One version."""
    mark = " (boots)" if version.boots else ""
    yield f"{version.name} {version.version}{mark}"
    glibc = f", glibc {version.glibc} or newer" if version.glibc else ""
    python = "included" if version.python["included"] else "the target's own"
    yield f"  target        {version.target}{glibc}"
    yield f"  Python        {version.python['version']}, {python}"
    yield f"  mode          {version.mode}"
    yield f"  size          {megabytes(version.size)} in {version.files:,} files"
    if version.stdlib:
        included, left_out = len(version.stdlib["included"]), len(version.stdlib["left out"])
        yield f"  stdlib        {included:,} modules, {left_out:,} left out"
    yield ""
    rows = [_application(each) for each in version.applications]
    yield from _aligned(["application", "mode", "kind", "runs"], rows)
    yield ""
    yield from _aligned(["kind", ">size", ">share"], _kinds(version))
    yield ""
    yield from _aligned(
        ["what takes the room", "version", "mode", ">size", ">share", ">files"], _parts(version)
    )


def _application(application: dict[str, object]) -> list[str]:
    command = application.get("command")
    runs = shlex.join(map(str, command)) if isinstance(command, list) else str(application.get("start", ""))
    return [str(application["name"]), str(application["mode"]), str(application["kind"]), runs]


def _kinds(version: Version) -> Iterator[list[str]]:
    for kind in KINDS:
        if size := version.kinds.get(kind):
            yield [kind, megabytes(size), _share(size, version.size)]


def _parts(version: Version) -> Iterator[list[str]]:
    for part in version.parts:
        mode = part.mode if part.type == DISTRIBUTION else "-"
        yield [
            part.name,
            part.version or "-",
            mode,
            megabytes(part.size),
            _share(part.size, version.size),
            f"{part.files:,}",
        ]


def _share(size: int, whole: int) -> str:
    return f"{100 * size / whole:.1f} %" if whole else "-"


def _aligned(titles: Sequence[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """Rows below their titles; a column whose title begins with `>` holds numbers."""
    cells = [[title.lstrip(">") for title in titles], *rows]
    widths = [max(len(row[number]) for row in cells) for number in range(len(titles))]
    for row in cells:
        shown = [
            text.rjust(width) if title.startswith(">") else text.ljust(width)
            for title, text, width in zip(titles, row, widths, strict=True)
        ]
        yield f"  {'  '.join(shown)}".rstrip()
