"""What a node tells about itself, through `logging`, by the logger `hatch_release`.

Records carry `release_event` (a word such as `started`) and, where it is about one, `release_application`. As long as
neither that logger nor the root logger has a handler, lines go to standard error.
"""

from __future__ import annotations

import logging
import sys

from ..errors import ReleaseError
from . import policy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..payload import ApplicationSpec

    _StreamHandler = logging.StreamHandler[Any]
else:
    _StreamHandler = logging.StreamHandler  # generic since Python 3.11

LOGGER = "hatch_release"
_FORMAT = "%(asctime)s %(levelname)s %(message)s"


class _LastResort(_StreamHandler):
    """Writes to standard error as long as nobody has configured logging."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write one record, unless it reaches a handler of the program's."""
        if logging.getLogger().handlers or len(_logger.handlers) > 1 or sys.stderr is None:
            return
        self.stream = sys.stderr
        super().emit(record)


_logger = logging.getLogger(LOGGER)


def prepare(level: int = logging.INFO) -> None:
    """See to it that lines of at least this level are seen."""
    if not _logger.handlers:
        handler = _LastResort()
        handler.setFormatter(logging.Formatter(_FORMAT))
        _logger.addHandler(handler)
    if _logger.level == logging.NOTSET:
        _logger.setLevel(level)


def tell(
    message: str,
    *arguments: object,
    event: str,
    application: str | None = None,
    level: int = logging.INFO,
    error: BaseException | None = None,
) -> None:
    """Log one event of the node.

    Args:
        message: With `%s` for the arguments.
        arguments: What is put in.
        event: A word for programs that read the log.
        application: Which application it is about.
        level: Its level.
        error: An exception to show with its traceback.
    """
    extra = {"release_event": event, "release_application": application}
    # dictConfig and fileConfig disable every logger that they don't name; who wants less sets the level.
    _logger.disabled = False
    _logger.log(level, message, *arguments, extra=extra, exc_info=error, stacklevel=2)


def tell_end(spec: ApplicationSpec, error: BaseException | None, what: str, decision: str) -> None:
    """Log that an application has ended or could not be started, and what follows.

    Args:
        spec: The application.
        error: Why, if by an error.
        what: What happened, as `failed to start`.
        decision: What follows (`policy.py`).
    """
    reason = f" ({in_words(error)})" if error else ""
    follows = {
        policy.RESTART: f"it is started again ({spec['restarts']} times within {spec['within']:g} s at most)",
        policy.STOP: f"its mode is {spec['mode']}, so the system stops",
        policy.LIVE: f"its mode is {spec['mode']}, so the system goes on",
    }[decision]
    tell(
        "%s %s%s: %s",
        spec["name"],
        what,
        reason,
        follows,
        event=what.replace(" ", "_"),
        application=spec["name"],
        level={policy.RESTART: logging.WARNING, policy.STOP: logging.ERROR}.get(
            decision, logging.ERROR if error else logging.INFO
        ),
        error=_with_traceback(error),
    )


def tell_stopped(name: str, error: BaseException | None) -> None:
    """Log that an application has been stopped, and the error that it raised on its way."""
    if error is None or isinstance(error, (SystemExit, KeyboardInterrupt)):
        tell("%s stopped", name, event="stopped", application=name)
        return
    tell(
        "%s failed while it was stopped (%s)",
        name,
        in_words(error),
        event="failed_to_stop",
        application=name,
        level=logging.ERROR,
        error=_with_traceback(error),
    )


def tell_abandoned(spec: ApplicationSpec) -> None:
    """Log that an application goes on though it was stopped."""
    tell(
        "%s goes on after %g s: it is given up",
        spec["name"],
        spec["shutdown"],
        event="abandoned",
        application=spec["name"],
        level=logging.WARNING,
    )


def in_words(error: BaseException) -> str:
    """An error on one line."""
    text = " ".join(str(error).split())
    return text if isinstance(error, ReleaseError) else f"{type(error).__name__}: {text}".removesuffix(": ")


def _with_traceback(error: BaseException | None) -> BaseException | None:
    """The error, unless its message says all."""
    return None if isinstance(error, ReleaseError) else error
