"""The project that a release is assembled from, as plain data: whichever build back end it has."""

from __future__ import annotations

import contextlib
import importlib
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hatch_release.errors import OptionError, in_one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from types import ModuleType

    from hatch_release.errors import Keys


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


def resolve(root: Path, reference: str, *option: str | int) -> Any:  # noqa: ANN401 - whatever the project defines
    """The object that the project's own module defines.

    Args:
        root: The project's root; modules are looked for there and in `src/`.
        reference: `module:attribute`.
        option: The option that holds the reference, and the way inside it.

    Raises:
        OptionError: When the module can't be imported or has no such attribute.
    """
    module, _, attribute = reference.partition(":")
    return _load(root, reference, option, lambda: _attribute(importlib.import_module(module), attribute))


def import_module(root: Path, name: str, *option: str | int) -> ModuleType:
    """A module of the project.

    Args:
        root: The project's root; modules are looked for there and in `src/`.
        name: The module's full name.
        option: The option that holds the name, and the way inside it.

    Raises:
        OptionError: When it can't be imported.
    """
    module: ModuleType = _load(root, name, option, lambda: importlib.import_module(name))
    return module


def _load(root: Path, what: str, option: Keys, load: Callable[[], Any]) -> Any:  # noqa: ANN401 - as in `resolve`
    """Call `load` while the project's modules can be imported."""
    places = [str(root), str(root / "src")]
    sys.path[:0] = places
    try:
        return load()
    except (ImportError, AttributeError) as error:
        raise OptionError(
            f"the option {option[0]} names '{what}', which can't be loaded from {root}: {in_one_line(error)}",
            *option,
        ) from error
    except (Exception, SystemExit) as error:
        raise OptionError(
            f"the option {option[0]} names '{what}', whose import fails: {in_one_line(error, kind=True)}",
            *option,
        ) from error
    finally:
        for place in places:
            with contextlib.suppress(ValueError):  # the module may have changed the path as well
                sys.path.remove(place)


def _attribute(target: Any, dotted: str) -> Any:  # noqa: ANN401 - as in `resolve`
    for name in dotted.split("."):
        target = getattr(target, name)
    return target
