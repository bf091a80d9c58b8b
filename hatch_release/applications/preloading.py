"""Which modules embedded mode imports before anything starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_release.errors import OptionError, ReleaseError
from hatch_release.patterns import Patterns

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from hatch_release.dependencies.distributions import Distribution
    from hatch_release.tree.boot_index import ModuleFile

OPTION = "preload"
_NEVER = frozenset({"__main__", "tests"})
"""Names of modules and packages that are not preloaded by themselves."""


class Preloader:
    """Chooses modules by the distribution that they are in, and by the patterns of the option `preload`."""

    def __init__(self, patterns: Sequence[str], modules: Mapping[str, ModuleFile]) -> None:
        """Read the patterns.

        Args:
            patterns: As in a `.gitignore`, of paths such as `shop/web/views.py`; `!` takes out. The last one that
                matches a module counts.
            modules: The modules of the distributions, by name.

        Raises:
            ReleaseError: When a pattern is none.
        """
        self._modules = modules
        self._patterns = [
            (line, not line.startswith("!"), _read(line, number))
            for number, line in enumerate(patterns)
            if line.strip(" ")
        ]

    def choose(self, own: Iterable[str], out: Collection[str] = ()) -> tuple[str, ...]:
        """The names of the modules to preload, packages before their modules.

        Args:
            own: The modules of distributions whose applications start.
            out: Modules that patterns don't add.
        """
        chosen = {name for name in own if _NEVER.isdisjoint(name.split("."))}
        for name, module in self._modules.items():
            path = source_path(name, module)
            said = [adds for _, adds, pattern in self._patterns if pattern.match(path)]
            if said and not said[-1]:
                chosen.discard(name)
            elif said and name not in out:
                chosen.add(name)
        return tuple(sorted(chosen, key=lambda name: name.split(".")))

    def idle(self) -> Iterator[str]:
        """The patterns that match no module."""
        paths = [source_path(name, module) for name, module in self._modules.items()]
        for line, _, pattern in self._patterns:
            if not line.startswith("#") and not any(map(pattern.match, paths)):
                yield line


def source_path(name: str, module: ModuleFile) -> str:
    """The path of a module's source, as a wheel has it.

    Args:
        name: The module's full name.
        module: Where it is in the release.
    """
    path = name.replace(".", "/") + module.suffix
    return path.removesuffix("c") if path.endswith(".pyc") else path


def modules_of(
    distribution: Distribution, directory: str, modules: Mapping[str, ModuleFile]
) -> Iterator[str]:
    """The names of the modules that a distribution owns.

    Args:
        distribution: One of the release's.
        directory: Where it is, relative to the root; it may share it.
        modules: The modules of all distributions, by name.
    """
    owned = {_stem(f"{directory}/{file}") for file in distribution.files}
    return (
        name
        for name, module in modules.items()
        if module.directory.startswith(directory) and _stem(module.path(name)) in owned
    )


def _stem(path: str) -> str:
    """A path without the endings of its file, which compiling changes."""
    parent, slash, file = path.rpartition("/")
    return parent + slash + file.partition(".")[0]


def _read(line: str, number: int) -> Patterns:
    """One pattern without its `!`: git would not take out a whole directory of what other patterns add."""
    try:
        return Patterns([line.removeprefix("!")], f"the option {OPTION}")
    except ReleaseError as error:
        raise OptionError(str(error), OPTION, number) from error
