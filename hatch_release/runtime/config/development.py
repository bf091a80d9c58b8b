"""Configuration outside of a release: the same files, read from the project that is worked on.

The project is the nearest directory, from the current one upwards, that has a `pyproject.toml`. `config/config.py` is
run with `dev` as environment unless RELEASE_ENV says otherwise, then `config/runtime.py`. Config providers belong to
releases, as in `mix`.
"""

from __future__ import annotations

import os

from . import files
from .errors import ConfigError, in_one_line
from .merging import merged
from .origins import Layer, Notes
from .providers import places
from .store import Store

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TABLE = ("tool", "hatch", "build", "targets", "release")
_FILES = {"config-path": "config/config.py", "runtime-config-path": "config/runtime.py"}


def load() -> Store:
    """The configuration of the project around the current directory; empty when there is none.

    Raises:
        ConfigError: When a file can't be read, or fails.
    """
    store = Store()
    root = _project(os.getcwd())
    if not root:
        return store
    options = _options(f"{root}/pyproject.toml")
    for name, default in _FILES.items():
        given = options.get(name, default)
        path = os.path.join(root, given) if isinstance(given, str) else ""
        if path and (name in options or os.path.isfile(path)):
            _run(store, path, root, may_import=name == "config-path")
    return store


def _run(store: Store, path: str, root: str, *, may_import: bool) -> None:
    """Add what one file sets."""
    environment = os.environ.get("RELEASE_ENV") or "dev"
    try:
        done = files.evaluate(path, environment, may_import=may_import, base=root)
    except ConfigError:
        raise
    except Exception as error:
        where = files.place_of(error, root, os.path.relpath(path, root))
        raise ConfigError(f"the configuration {where} failed with {in_one_line(error)}") from error
    before = store.values
    store.values = merged(before, done.values)
    store.layers.append(Layer(os.path.relpath(path, root), before, store.values, Notes(done.notes)))


def _project(directory: str) -> str:
    """The nearest directory with a `pyproject.toml`, from `directory` upwards; empty when there is none."""
    while not os.path.isfile(f"{directory}/pyproject.toml"):
        directory, before = os.path.dirname(directory), directory
        if directory == before:
            return ""
    return directory.rstrip("/")


def _options(pyproject: str) -> dict[str, Any]:
    """Where the project says that its files are, for all releases or for the only one.

    Raises:
        ConfigError: When the file can't be read.
    """
    text = places.text(pyproject)
    if "config-path" not in text:
        return {}  # nothing that another place could be read from
    from .providers.toml_file import parse

    table: Any = parse(text, pyproject)
    for name in _TABLE:
        table = table.get(name, {})
    releases = table.get("releases", {})
    chosen = table.get("default-release") or (next(iter(releases)) if len(releases) == 1 else None)
    own = releases.get(chosen, {})
    return {**table, **(own if isinstance(own, dict) else {})}
