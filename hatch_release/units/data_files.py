"""Data files of distributions that are found by `sys.prefix`: configuration, assets, kernels and themes of Jupyter.

They come from the `data` directory of a wheel, which an environment unpacks into its prefix (see the specification of
the wheel format in the Python Packaging User Guide). A flat installation puts them beside the packages; there programs
that ask `sys.prefix` do not look. The prefix of a release is its interpreter's directory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

DIRECTORIES = ("etc", "share")
"""What wheels put into the prefix to be read; scripts and headers have schemes of their own."""
_INITIALISERS = ("__init__.py", "__init__.pyc")


def move_data_files(root: Path, directories: Iterable[str], prefix: str) -> None:
    """Move the data files of distributions to where `sys.prefix` leads.

    Args:
        root: The release's root.
        directories: Those of the distributions, relative to `root`.
        prefix: The interpreter's, relative to `root`.
    """
    for directory in directories:
        home = root / directory
        for name in DIRECTORIES:
            if not _is_package(home / name):
                _move(home / name, root / prefix / name)


def is_data_file(home: Path, path: Path) -> bool:
    """Whether a file is data, which is neither compiled nor imported, whatever its name.

    Args:
        home: The directory of a distribution.
        path: A file below it.
    """
    first = path.relative_to(home).parts[0]
    return first in DIRECTORIES and not _is_package(home / first)


def _is_package(directory: Path) -> bool:
    return any((directory / each).exists() for each in _INITIALISERS)


def _move(source: Path, target: Path) -> None:
    """Move a tree into another one, which may exist; of two files with one name the last moved stays."""
    for path in sorted(source.rglob("*"), reverse=True):  # a directory after what is in it
        if path.is_dir() and not path.is_symlink():
            path.rmdir()
            continue
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)
    if source.is_dir():
        source.rmdir()
