"""Configuration files: Python that calls `config(...)`.

```python
import os

from hatch_release.runtime.config import config, config_env, import_config, secret

config("shop", port=8000, database={"pool": 5})
config("shop", {"feature-flags": ["search"]})
import_config(f"{config_env()}.py")
```
"""

from __future__ import annotations

import os
import sys

from .errors import ConfigError, in_one_line
from .merging import merged

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import CodeType
    from typing import Any

    from .merging import Config
    from .origins import Path

_ASSEMBLING = ("hatchling", "hatch")
_RUNTIME = "hatch_release.runtime"


class Evaluation:
    """One configuration file while it runs, with those that it imports.

    Args:
        environment: What `config_env()` gives.
        may_import: Whether `import_config` is allowed.
        base: Files below this directory are named relative to it.
    """

    def __init__(self, environment: str, *, may_import: bool, base: str) -> None:
        """Nothing has run."""
        self.environment, self.may_import, self.base = environment, may_import, base
        self.values: Config = {}
        self.notes: dict[Path, str] = {}
        """File and line that set each key."""
        self.files: list[str] = []
        """What runs, the innermost last."""

    def shown(self, path: str) -> str:
        """How messages name a file."""
        return shown(path, self.base)

    def here(self) -> str:
        """The file that runs, and the line that it has come to."""
        frame = sys._getframe(1)  # noqa: SLF001 - what tells a line without making a traceback
        while frame.f_back is not None and frame.f_code.co_filename != self.files[-1]:
            frame = frame.f_back
        return f"{self.shown(self.files[-1])}:{frame.f_lineno}"


_running: list[Evaluation] = []


def config(application: str, values: Mapping[str, Any] | None = None, /, **more: Any) -> None:  # noqa: ANN401
    """Set keys of an application; tables are merged deeply, and what is set later wins.

    Args:
        application: The name of a distribution or an application; `python` is the interpreter itself.
        values: Values by key, for keys that are no Python names.
        more: Values by key.

    Raises:
        ConfigError: Outside of a configuration file, or when the arguments are of other types.
    """
    evaluation = _current("config")
    where = evaluation.here()
    if not isinstance(application, str) or not application:
        raise ConfigError(f"{where}: config() takes the name of an application first, found {application!r}")
    if values is not None and not hasattr(values, "keys"):
        raise ConfigError(
            f"{where}: config() takes values by key, as in config({application!r}, port=8000) or "
            f"config({application!r}, {{...}}), found {type(values).__name__}"
        )
    given = {**dict(values or {}), **more}
    wrong = next((key for key in given if not isinstance(key, str)), None)
    if wrong is not None:
        raise ConfigError(f"{where}: the key {wrong!r} of {application} is no string")
    evaluation.values = merged(evaluation.values, {application: given})
    _note(evaluation.notes, (application,), given, where)


def _note(notes: dict[Path, str], path: Path, value: Mapping[str, Any], where: str) -> None:
    """Note who has set each value that isn't a table; what stood below such a value before is gone."""
    for key, each in value.items():
        inside = (*path, key)
        for stale in [
            known for known in notes if known[: len(inside)] == inside and not isinstance(each, dict)
        ]:
            del notes[stale]
        if isinstance(each, dict) and each:
            notes.pop(inside, None)
            _note(notes, inside, each, where)
        else:
            notes[inside] = where


def config_env() -> str:
    """The environment: RELEASE_ENV, `prod` when assembling unless set, `dev` outside of a release.

    A release keeps the one that it was assembled with.

    Raises:
        ConfigError: Outside of a configuration file.
    """
    return _current("config_env").environment


def import_config(path: str) -> None:
    """Run another configuration file, whose settings win over those made before.

    Args:
        path: Relative to the file that imports it.

    Raises:
        ConfigError: In a run-time configuration, when the file is missing, or when it imports itself.
    """
    evaluation = _current("import_config")
    where = evaluation.here()
    if not evaluation.may_import:
        raise ConfigError(
            f"{where}: import_config is not possible here, since this file runs where the release does, without the "
            "files beside it: import from the build-time configuration, or use a config provider"
        )
    directory = os.path.dirname(evaluation.files[-1])
    target = os.path.normpath(os.path.join(directory, os.fspath(path)))
    if target in evaluation.files:
        raise ConfigError(
            f"{where}: {path} imports itself, by way of {evaluation.shown(evaluation.files[-1])}"
        )
    if not os.path.isfile(target):
        raise ConfigError(f"{where}: there is no file {evaluation.shown(target)} to import")
    _run(evaluation, target)


def _current(name: str) -> Evaluation:
    if not _running:
        raise ConfigError(
            f"{name}() is for configuration files such as config/config.py: programs read with get_env()"
        )
    return _running[-1]


def evaluate(path: str, environment: str, *, may_import: bool, base: str = "") -> Evaluation:
    """Run a configuration file.

    Args:
        path: Absolute.
        environment: What `config_env()` gives.
        may_import: Whether it may import others.
        base: Files below this directory are named relative to it.

    Returns:
        What it has set, and where.

    Raises:
        ConfigError: When it can't be read or compiled, or breaks a rule.
        BaseException: Whatever it raises itself.
    """
    evaluation = Evaluation(environment, may_import=may_import, base=base)
    _running.append(evaluation)
    try:
        _run(evaluation, path)
    finally:
        _running.remove(evaluation)
    return evaluation


def _run(evaluation: Evaluation, path: str) -> None:
    """Run one file of an evaluation."""
    code = compiled(path, evaluation.shown(path))
    evaluation.files.append(path)
    try:
        exec(code, {"__name__": "config", "__file__": path, "__builtins__": __builtins__})  # noqa: S102 - what it is for
    except ModuleNotFoundError as error:
        if is_assembling(error.name or ""):
            raise ConfigError(
                f"{place_of(error, evaluation.base, evaluation.shown(path))} imports {error.name}, which assembles "
                f"releases and is not inside them: import from {_RUNTIME}.config alone"
            ) from error
        raise
    finally:
        evaluation.files.pop()


def shown(path: str, base: str) -> str:
    """A path relative to a directory when it is below, else as it is.

    Args:
        path: Absolute.
        base: The directory; may be empty.
    """
    return path[len(base) + 1 :] if base and path.startswith(f"{base}/") else path


def is_assembling(module: str) -> bool:
    """Whether a module is of the side that assembles, which no release contains."""
    top = module.partition(".")[0]
    if top in _ASSEMBLING:
        return True
    return module.startswith("hatch_release.") and not f"{module}.".startswith(f"{_RUNTIME}.")


def compiled(path: str, name: str) -> CodeType:
    """The code of a configuration file.

    Args:
        path: Where it is.
        name: How messages call it.

    Raises:
        ConfigError: When it can't be read, or is no Python.
    """
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {name}: {error.strerror or error}") from error
    try:
        return compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        where = f"{name}:{line}" if line else name
        what = error.msg if isinstance(error, SyntaxError) else in_one_line(error)
        raise ConfigError(f"{where} is no Python that this interpreter knows: {what}") from error


def place_of(error: BaseException, base: str, default: str) -> str:
    """Where an error came from, as `FILE:LINE`: the innermost line of files in a directory.

    Args:
        error: With its traceback.
        base: The directory.
        default: What to give when no file there has to do with it.
    """
    part = error.__traceback__
    while part is not None:
        file = part.tb_frame.f_code.co_filename
        if base and file.startswith(f"{base}/"):
            default = f"{file[len(base) + 1 :]}:{part.tb_lineno}"
        part = part.tb_next
    return default
