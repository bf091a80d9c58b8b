"""The page of the functions that programs, providers, steps and plugins use: what `__all__` of each module names.

mkdocstrings turns the directives that are written here into signatures and docstrings.
"""

from __future__ import annotations

import importlib
import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

OPTIONS = """\
    options:
      heading_level: 3
      show_root_heading: true
      show_root_full_path: false
      filters: ["!^_"]
      show_source: false
      docstring_section_style: list
      separate_signature: true
      show_bases: false
      show_signature_annotations: true
"""


@dataclass(frozen=True)
class Part:
    """A module, and for whom it is."""

    module: str
    title: str
    says: str
    names: tuple[str, ...] = ()
    """What of the module is meant; without any, `__all__`."""


PARTS = (
    Part("hatch_release.runtime", "In programs", "The same in a release and in development."),
    Part(
        "hatch_release.runtime.config",
        "In configuration files and providers",
        "For `config/config.py`, `config/runtime.py` and [providers](../configuration.md#write-a-provider).",
    ),
    Part(
        "hatch_release",
        "In steps and plugins",
        "What [steps](../steps.md) and [plugins](../plugins.md) take and give.",
        ("Release", "Command", "FileRule", "Overlay", "Template", "ReleaseError"),
    ),
    Part(
        "hatch_release.testing",
        "In tests of steps and plugins",
        "A plugin of pytest, see [testing plugins and steps](../testing.md): the first two are its fixtures.",
        (
            "release_project",
            "release_builder",
            "ReleaseProject",
            "Built",
            "Builder",
            "BuildError",
            "run",
            "clean_environment",
        ),
    ),
)


def names(part: Part) -> list[str]:
    """The public names of a part, in order; one that an earlier part of the list has is not repeated."""
    module = importlib.import_module(part.module)
    return list(part.names or module.__all__)


def homes() -> dict[str, str]:
    """Every documented object by the name that it is imported by: where it is defined."""
    found: dict[str, str] = {}
    defined: set[str] = set()
    for part in PARTS:
        for name in names(part):
            each = getattr(importlib.import_module(part.module), name)
            home = f"{each.__module__}.{each.__qualname__}" if callable(each) else f"{part.module}.{name}"
            if home not in defined:
                defined.add(home)
                found[f"{part.module}.{name}"] = home
    return found


def page() -> str:
    """The page, in Markdown with directives of mkdocstrings."""
    return "".join(_lines())


def _lines() -> Iterator[str]:
    yield "# Runtime API\n\n"
    known = homes()
    for part in PARTS:
        yield f"## {part.title}\n\n{part.says}\n\n"
        own = [name for name in names(part) if f"{part.module}.{name}" in known]
        yield f"```python\nfrom {part.module} import {_imported(own)}\n```\n\n"
        for name in own:
            each = getattr(importlib.import_module(part.module), name)
            members = "      members: true\n" if inspect.isclass(each) else ""
            yield f"::: {known[f'{part.module}.{name}']}\n{OPTIONS}{members}\n"


def _imported(names: list[str]) -> str:
    """Names as an import statement lists them."""
    return names[0] if len(names) == 1 else "({})".format("".join(f"\n    {name}," for name in names) + "\n")
