"""Distributions that read source code while they run, in a release that has none of theirs."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from hatch_release.dependencies.distributions import Distribution
    from hatch_release.imports.reachability import Scanned
    from hatch_release.options.strip import Strip

_NOT_RUNNING = frozenset({"conftest", "doc", "docs", "examples", "sphinxext", "test", "testing", "tests"})
"""Parts of the names of modules that serve those who develop a distribution."""


def source_readers(
    distributions: Iterable[Distribution], scanned: Mapping[str, Scanned], strip: Strip
) -> list[str]:
    """The distributions that need source code, and whose own is dropped.

    Args:
        distributions: All of the release.
        scanned: What each module names.
        strip: What is dropped.
    """
    readers = {
        name for name, each in scanned.items() if each.sources and _NOT_RUNNING.isdisjoint(name.split("."))
    }
    return [
        each.name
        for each in distributions
        if not strip.keeps("source", each.name) and not readers.isdisjoint(_modules(each))
    ]


def advice(names: Sequence[str]) -> str:
    """What to tell whoever builds a release with such distributions; nothing when there are none."""
    if not names:
        return ""
    listed = ", ".join(names)
    words = ", ".join(f'"source:{name}"' for name in names)
    return (
        f"code that calls inspect.getsource is in {listed}, and sources are dropped: if something fails with "
        f'"could not get source code", set strip = {{ keep = [{words}] }}, and name whatever they read'
    )


def _modules(distribution: Distribution) -> set[str]:
    """The full names of a distribution's Python modules."""
    sources = (file.with_suffix("") for file in distribution.files if file.suffix in {".py", ".pyc"})
    return {".".join(file.parts).removesuffix(".__init__") for file in sources}
