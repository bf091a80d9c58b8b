"""The project that a release is assembled from, as plain data: whichever build back end it has."""

from __future__ import annotations

import contextlib
import importlib
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hatch_release.errors import ReleaseError, in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Project:
    """What the assembler knows of the project."""

    root: Path
    """Where its `pyproject.toml` is."""
    name: str
    """As its metadata spells it."""
    version: str
    requires_python: str
    """A version specifier (PEP 440), empty when the project has none."""
    pyproject: Mapping[str, Any] = field(repr=False)
    """The whole of `pyproject.toml`."""
    build_wheel: Callable[[Path], Path] = field(repr=False)
    """Builds the wheel into a directory and gives its path."""


def resolve(root: Path, reference: str, option: str) -> Any:  # noqa: ANN401 - whatever the project defines
    """The object that the project's own module defines.

    Args:
        root: The project's root; modules are looked for there and in `src/`.
        reference: `module:attribute`.
        option: The option that holds the reference, for messages.

    Raises:
        ReleaseError: When the module can't be imported or has no such attribute.
    """
    module_name, _, attribute = reference.partition(":")
    places = [str(root), str(root / "src")]
    sys.path[:0] = places
    try:
        target: Any = importlib.import_module(module_name)
        for name in attribute.split("."):
            target = getattr(target, name)
    except (ImportError, AttributeError) as error:
        raise ReleaseError(
            f"{option} names '{reference}', which can't be loaded from {root}: {in_one_line(error)}"
        ) from error
    except (Exception, SystemExit) as error:
        raise ReleaseError(
            f"{option} names '{reference}', whose import fails: {in_one_line(error, kind=True)}"
        ) from error
    finally:
        for place in places:
            with contextlib.suppress(ValueError):  # the module may have changed the path as well
                sys.path.remove(place)
    return target
