"""The project's configuration files, and what they import."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from hatch_release.errors import OptionError, ReleaseError
from hatch_release.options.table import OPTIONS
from hatch_release.runtime.config.files import is_assembling

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hatch_release.options.table import Options


def build_time(root: Path, options: Options) -> Path | None:
    """The configuration that is read when assembling; None when there is none.

    Args:
        root: The project's root.
        options: Of the release.

    Raises:
        ReleaseError: When the option names a file that is missing.
    """
    return _find(root, "config-path", options.config_path)


def run_time(root: Path, options: Options) -> Path | None:
    """The configuration that is read at every boot; None when there is none.

    Args:
        root: The project's root.
        options: Of the release.

    Raises:
        ReleaseError: When the option names a file that is missing, or the file imports what no release contains.
    """
    given = options.runtime_config_path
    path = _find(root, "runtime-config-path", given) if isinstance(given, str) else None
    if path is not None:
        _check_run_time(path, _shown(path, root))
    return path


def _check_run_time(path: Path, shown: Path) -> None:
    """Refuse what a file that runs inside the release can't do."""
    for module, line in _imports(path):
        if is_assembling(module):
            raise ReleaseError(
                f"{shown}:{line} imports {module}, which assembles releases and is not inside them: import from "
                "hatch_release.runtime.config alone"
            )
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "import_config":
            raise ReleaseError(
                f"{shown}:{node.lineno} calls import_config, which is not possible where the release runs, without the "
                "files beside it: import from the build-time configuration, or use a config provider"
            )


def imports(root: Path, options: Options) -> list[str]:
    """Every module that the configuration files import themselves: the release is to contain them.

    Args:
        root: The project's root.
        options: Of the release.
    """
    files = [run_time(root, options), build_time(root, options)]
    return sorted({module for file in files if file is not None for module, _line in _imports(file)})


def _find(root: Path, option: str, given: str) -> Path | None:
    path = (root / given).absolute()
    if path.is_file():
        return path
    if given != OPTIONS[option].default:
        raise OptionError(
            f"the option {option} names {path}, which is no file: correct it, or leave it out", option
        )
    return None


def _shown(path: Path, root: Path) -> Path:
    return path.relative_to(root) if path.is_relative_to(root) else path


def _imports(path: Path) -> Iterator[tuple[str, int]]:
    """The modules that a file imports by statements, each with the line."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def _tree(path: Path) -> ast.Module:
    """The syntax tree of a file; empty when it is no Python that this interpreter knows."""
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return ast.Module([], [])  # the interpreter that runs it has the last word
