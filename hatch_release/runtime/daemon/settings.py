"""The variables that a daemon is set up by, each with a range."""

from __future__ import annotations

from ..errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def number(
    environment: Mapping[str, str],
    names: tuple[str, ...],
    default: float,
    limits: tuple[float, float],
    unit: str,
) -> float:
    """The value of the first of some variables that is set.

    Args:
        environment: The variables.
        names: Which, the one that wins first.
        default: When none is set, or is empty.
        limits: The smallest and the largest value that are allowed.
        unit: What it counts, for the message.

    Raises:
        ReleaseError: When it is no number of that range.
    """
    lowest, highest = limits
    name = next((each for each in names if environment.get(each)), None)
    if name is None:
        return default
    text = environment[name]
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not lowest <= value <= highest:
        raise ReleaseError(
            f"{name} is {text!r}: set it to a number of {unit} from {_plain(lowest)} to {_plain(highest)}"
        )
    return value


def _plain(value: float) -> str:
    return f"{value:f}".rstrip("0").rstrip(".")
