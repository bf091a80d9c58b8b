"""The figures of a run, and the table that they make."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from measure import Ratio, against_itself, compare

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from measure import Usage

Unit = Literal["s", "MB"]
SCALE: dict[Unit, float] = {"s": 1.0, "MB": 1e-6}


@dataclass(frozen=True)
class Metric:
    """One row of a fixture's table."""

    name: str
    unit: Unit
    figures: Callable[[Figures], Sequence[float]]
    """Its figures, in the order of the rounds; none where it was not measured."""


@dataclass
class Figures:
    """All that was measured of one packer and one fixture, raw."""

    warm: list[Usage] = field(default_factory=list)
    cold: list[Usage] = field(default_factory=list)
    first: list[float] = field(default_factory=list)
    """Seconds of builds with nothing there."""
    again: list[float] = field(default_factory=list)
    """Seconds of builds with the result there and nothing changed."""
    changed: list[float] = field(default_factory=list)
    """Seconds of builds after a change of one file of the application."""
    packed: list[int] = field(default_factory=list)
    """Bytes of what one ships."""
    unpacked: list[int] = field(default_factory=list)
    """Bytes of what runs."""
    interpreter: tuple[int, int] = (0, 0)
    """Bytes, packed and unpacked, of the interpreter that this needs besides."""
    broken: str = ""
    """Why there are no more figures."""

    def as_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)


METRICS = (
    Metric("warm CPU", "s", lambda figures: [usage.cpu for usage in figures.warm]),
    Metric("warm wall", "s", lambda figures: [usage.wall for usage in figures.warm]),
    Metric("cold wall", "s", lambda figures: [usage.wall for usage in figures.cold]),
    Metric("peak memory", "MB", lambda figures: [usage.peak for usage in figures.warm]),
    Metric("build, first", "s", lambda figures: figures.first),
    Metric("build, again", "s", lambda figures: figures.again),
    Metric("build, changed", "s", lambda figures: figures.changed),
    Metric("archive", "MB", lambda figures: figures.packed),
    Metric(
        "archive, with Python",
        "MB",
        lambda figures: [each + figures.interpreter[0] for each in figures.packed],
    ),
    Metric("unpacked", "MB", lambda figures: figures.unpacked),
    Metric(
        "unpacked, with Python",
        "MB",
        lambda figures: [each + figures.interpreter[1] for each in figures.unpacked],
    ),
)
BASELINE = "venv"
OURS = "release"


BUILD_GOALS = {"again": 0.15, "changed": 0.2}
"""The largest ratios of a release's later builds to its own first one."""
FIRST_GOAL = ("pyinstaller", 0.5)
"""The peer whose first build a release's is compared with, and the largest ratio."""


def builds(figures: Mapping[str, Figures]) -> Iterator[str]:
    """Lines about a release's builds: later ones to the first, the first to that of a peer.

    Args:
        figures: What was measured, by packer.
    """
    ours = figures[OURS]
    for row, goal in BUILD_GOALS.items():
        later = getattr(ours, row)
        if ours.first and len(later) == len(ours.first):
            yield f"release: build, {row} / first: {compare(later, ours.first).median:.2f} (goal {goal:.2f})"
    name, goal = FIRST_GOAL
    if name in figures and ours.first and len(figures[name].first) == len(ours.first):
        ratio = compare(ours.first, figures[name].first).median
        yield f"release: build, first / {name}'s: {ratio:.2f} (goal {goal:.2f})"


def rows(fixture: str, goals: Mapping[str, float], figures: Mapping[str, Figures]) -> list[list[str]]:
    """The table of one fixture.

    Args:
        fixture: Its name.
        goals: The largest ratio to reach, by metric.
        figures: What was measured, by packer; `venv` is what the others are compared with.

    Returns:
        Rows of cells, the header first.
    """
    peers = [name for name in figures if name not in {BASELINE, OURS}]
    header = [fixture, "venv", "noise", "release/venv", "quartiles", "goal", ""]
    return [[*header, *(f"{name}/venv" for name in peers)]] + [
        _row(metric, goals.get(metric.name), figures, peers) for metric in METRICS
    ]


def _row(
    metric: Metric, goal: float | None, figures: Mapping[str, Figures], peers: Sequence[str]
) -> list[str]:
    """One metric."""
    baseline = metric.figures(figures[BASELINE])
    ours = _ratio(metric, figures[OURS], baseline)
    verdict = "" if goal is None or ours is None else "reached" if ours.median <= goal else "missed"
    return [
        metric.name,
        _absolute(metric, baseline),
        _range(against_itself(baseline)),
        _median(ours),
        _range(ours),
        "" if goal is None else f"{goal:.2f}",
        verdict,
        *(_median(_ratio(metric, figures[name], baseline)) for name in peers),
    ]


def _ratio(metric: Metric, figures: Figures, baseline: Sequence[float]) -> Ratio | None:
    """How a packer compares; None when one of the two was not measured to the end."""
    measured = metric.figures(figures)
    return compare(measured, baseline) if measured and len(measured) == len(baseline) else None


def _absolute(metric: Metric, figures: Sequence[float]) -> str:
    """The middle of the figures themselves, for orientation."""
    if not figures:
        return "-"
    middle = sorted(figures)[len(figures) // 2] * SCALE[metric.unit]
    return f"{middle:.2f} {metric.unit}"


def _median(ratio: Ratio | None) -> str:
    return "-" if ratio is None else f"{ratio.median:.2f}"


def _range(ratio: Ratio | None) -> str:
    """The quartiles, where there is more than one figure."""
    return "" if ratio is None or ratio.low == ratio.high else f"{ratio.low:.2f} - {ratio.high:.2f}"


def aligned(table: Sequence[Sequence[str]]) -> str:
    """A table as text: the first column to the left, the others to the right."""
    widths = [max(len(row[column]) for row in table) for column in range(len(table[0]))]
    lines = []
    for row in table:
        cells = [row[0].ljust(widths[0])]
        cells += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)]
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines)
