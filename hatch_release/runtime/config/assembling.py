"""The part of assembling that runs inside the release: its build-time configuration, and `init` of its providers.

Run once, with the release's own interpreter and libraries, by the command `_configure JOB REPORT`. The job is JSON:

- `root`: the project's directory; files below it are named relative to it
- `config`: the build-time configuration's absolute path, or null
- `runtime`: the run-time configuration's absolute path, or null
- `environment`: what `config_env()` gives
- `providers`: `[reference, init]` of each, `init` encoded as in `plain.py`
- `compiled`: `[application, key, ...]` of each call of `compile_env`
- `path`: directories for modules that the release has left out, while the build-time configuration runs

The report is JSON: `error`, and in `provider` the number of the one that failed, or null; or else `values`, `origins`,
`providers` (`[reference, state]`) and `compiled` (`[[application, key, ...], value]`), values encoded; and `secrets`,
the paths of secret values.
"""

from __future__ import annotations

import json
import sys
import traceback

from .. import leave
from . import compiled, files, hidden, interpreter, plain, provider
from .errors import ConfigError, in_one_line
from .origins import leaves, value_at
from .store import Store, install

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any


def assemble(job_file: str, report_file: str) -> None:
    """Do a job.

    Args:
        job_file: Where it is.
        report_file: Where to write the report.
    """
    with open(job_file, encoding="utf-8") as stream:
        job = json.load(stream)
    try:
        report = _report(job)
    except ConfigError as error:
        report = {
            "error": str(error),
            "trace": "" if error.__cause__ is None else _trace(error.__cause__),
            "provider": error.number if isinstance(error, _InitError) else None,
        }
    with open(report_file, "w", encoding="utf-8") as stream:
        json.dump(report, stream)


def _report(job: dict[str, Any]) -> dict[str, Any]:
    done = files.Evaluation(job["environment"], may_import=True, base=job["root"])
    if job["config"]:
        done = _evaluate(job)
    if job["runtime"]:
        files.compiled(job["runtime"], done.shown(job["runtime"]))
    interpreter.settings(done.values)
    install(Store(done.values))
    try:
        values = plain.encode(done.values)
    except plain.NotPlainError as error:
        raise ConfigError(_not_plain(error, done)) from None
    return {
        "error": None,
        "values": values,
        "origins": [[list(path), source] for path, source in done.notes.items()],
        "providers": list(_states(job["providers"])),
        "compiled": [[path, _recorded(done.values, path)] for path in job["compiled"]],
        "secrets": [list(path) for path, value in leaves(done.values) if isinstance(value, hidden.Secret)],
    }


def _evaluate(job: dict[str, Any]) -> files.Evaluation:
    """Run the build-time configuration, which may use all of the standard library."""
    before = list(sys.path)
    sys.path += job["path"]
    try:
        return files.evaluate(job["config"], job["environment"], may_import=True, base=job["root"])
    except ConfigError:
        raise
    except Exception as error:
        where = files.place_of(error, job["root"], "the build-time configuration")
        raise ConfigError(f"{where} failed with {in_one_line(error)}") from error
    finally:
        sys.path[:] = before


def _not_plain(error: plain.NotPlainError, done: files.Evaluation) -> str:
    application, *keys = error.path
    depths = (error.path[:length] for length in range(len(error.path), 0, -1))
    where = next((done.notes[each] for each in depths if each in done.notes), "the build-time configuration")
    return (
        f"{where}: the key {'.'.join(map(str, keys))} of {application} is of type {error.type_name}, which "
        "sys.config can't hold: configure plain data (strings, numbers, dates, bytes, paths, lists, tuples, sets, "
        "tables), or set it in "
        "the run-time configuration"
    )


class _InitError(ConfigError):
    """A provider that can't be used."""

    number: int
    """Which one of those of the job."""


def _states(providers: list[list[Any]]) -> Iterator[list[Any]]:
    """The providers, each with what its `init` gives, encoded."""
    for number, (name, term) in enumerate(providers):
        try:
            yield [name, _init(name, plain.decode(term))]
        except ConfigError as error:
            failed = _InitError(str(error))
            failed.number = number
            raise failed from error.__cause__


def _init(reference: str, term: Any) -> Any:  # noqa: ANN401 - whatever the option says
    """What `init` of a provider makes of its argument, encoded."""
    try:
        state = provider.find(reference).init(term)
    except ConfigError:
        raise
    except Exception as error:
        raise ConfigError(
            f"init of the config provider {reference} failed with {in_one_line(error)}"
        ) from error
    try:
        return plain.encode(state)
    except plain.NotPlainError as error:
        place = f" at {'.'.join(map(str, error.path))}" if error.path else ""
        raise ConfigError(
            f"init of the config provider {reference} gave a value of type {error.type_name}{place}, which a boot file "
            "can't hold: let it give plain data, and make the rest in load"
        ) from None


def _recorded(values: Any, path: list[str]) -> Any:  # noqa: ANN401 - any configured value
    """The value that `compile_env` reads, encoded."""
    held = value_at(values, tuple(path[:-1]))
    if not isinstance(held, dict) or path[-1] not in held:
        return compiled.UNSET
    return plain.encode(held[path[-1]])


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(type(error), error, leave.program_part(error.__traceback__)))
