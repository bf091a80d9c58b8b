"""`importlib.metadata` answered from the release's index instead of by searching directories.

The assembler writes the texts of every dist-info directory into one file, `consolidated/metadata`. When
`importlib.metadata` (or the distribution `importlib_metadata`) is imported inside a release, its finder is given
this index for the release's own directories; any other entry of `sys.path` is searched as ever. What is not in the
index, a license say, is read from the real dist-info directory, which is there.
"""

from __future__ import annotations

import marshal
import re
from pathlib import Path

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType
    from typing import Any

TEXTS = (
    *("METADATA", "entry_points.txt", "top_level.txt", "RECORD", "WHEEL"),
    *(
        "PKG-INFO",
        "SOURCES.txt",
        "installed-files.txt",
        "requires.txt",
    ),  # asked for as well, of older formats
)
"""The files of a dist-info directory that the index holds, if they are there."""

Index = dict[str, list[tuple[str, str, str, dict[str, str]]]]
"""By directory, relative to the root: name as PEP 503 compares it, version, dist-info directory, texts."""


def pack(index: Index) -> bytes:
    """The bytes of `consolidated/metadata`."""
    return marshal.dumps(index, 2)


def install(module: ModuleType, root: str, file: str) -> None:
    """Give `module` the index.

    Args:
        module: `importlib.metadata` or `importlib_metadata`, just imported.
        root: The release's root.
        file: The index, relative to `root`. Where it is missing, directories are searched as ever.
    """
    try:
        with open(f"{root}/{file}", "rb") as stream:
            index: Index = marshal.loads(stream.read())  # noqa: S302 - as trusted as the code beside it
    except OSError:
        return
    found = {f"{root}/{directory}": distributions for directory, distributions in index.items()}
    _Finder(module, found).take_over()


class _Finder:
    """Finds distributions in the index, and lets the module's own finder look everywhere else."""

    def __init__(self, module: Any, index: Index) -> None:  # noqa: ANN401 - one of two modules of the same shape
        self._module = module
        self._index = index
        self._search = module.MetadataPathFinder.find_distributions
        self._type = _distribution_type(module)

    def take_over(self) -> None:
        """Stand in for the module's own finder."""
        default = self._module.DistributionFinder.Context()

        def find_distributions(context: Any = default) -> Iterator[Any]:  # noqa: ANN401 - as above
            return self.find(context)

        self._module.MetadataPathFinder.find_distributions = staticmethod(find_distributions)
        infer = getattr(self._module, "_top_level_inferred", None)
        if infer is not None:
            self._module._top_level_inferred = lambda distribution: infer(_Sources(distribution))  # noqa: SLF001

    def find(self, context: Any) -> Iterator[Any]:  # noqa: ANN401 - as above
        """The distributions that `context` asks for, in the order of its path."""
        wanted = None if context.name is None else normalized(context.name)
        for entry in context.path:
            listed = self._index.get(entry)
            if listed is None:
                more = {**vars(context), "path": [entry]}
                yield from self._search(self._module.DistributionFinder.Context(**more))
                continue
            for name, version, info, texts in listed:
                if wanted in {None, name}:
                    yield self._type(Path(entry, info), version, texts)


class _Sources:
    """A distribution as it was before its sources were compiled: top-level names are inferred from them."""

    def __init__(self, distribution: Any) -> None:  # noqa: ANN401 - as above
        self.files = [
            path.with_suffix(".py") if path.suffix == ".pyc" else path for path in distribution.files or ()
        ]


def normalized(name: str) -> str:
    """A distribution's name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _distribution_type(module: Any) -> type:  # noqa: ANN401 - as above
    """A distribution of `module`'s own kind whose texts are at hand."""

    class IndexedDistribution(module.PathDistribution):  # type: ignore[misc]  # the base is known at run time
        """A distribution of the release."""

        def __init__(self, path: Path, version: str, texts: dict[str, str]) -> None:
            super().__init__(path)
            self._version = version
            self._texts = texts

        @property
        def version(self) -> str:
            """The version, without reading anything."""
            return self._version

        def read_text(self, filename: str) -> str | None:
            """The text of a file of the dist-info directory, None when there is none."""
            text = self._texts.get(str(filename))
            if text is not None or str(filename) in TEXTS:
                return text
            found: str | None = super().read_text(filename)
            return found

    return IndexedDistribution
