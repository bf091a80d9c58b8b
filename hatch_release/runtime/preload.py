"""Embedded mode: everything is imported before anything starts, and then kept out of the collector's way."""

from __future__ import annotations

import gc
import os

from .errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

EMBEDDED = "embedded"
INTERACTIVE = "interactive"
MODES = (EMBEDDED, INTERACTIVE)


def mode(default: str) -> str:
    """What RELEASE_MODE says, else `default`; it is in the environment afterwards.

    Raises:
        ReleaseError: When it is no mode.
    """
    found = os.environ.get("RELEASE_MODE") or default
    if found not in MODES:
        raise ReleaseError(f"RELEASE_MODE is '{found}': set it to {' or '.join(MODES)}")
    os.environ["RELEASE_MODE"] = found
    return found


def preload(modules: Iterable[str]) -> None:
    """Import modules.

    Args:
        modules: Full names.

    Raises:
        ReleaseError: When one fails to import, with its name and the cause.
    """
    for name in modules:
        try:
            __import__(name)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            raise ReleaseError(
                f"the module {name} can't be preloaded ({reason}): correct it, leave it out by the option "
                "preload, or set RELEASE_MODE=interactive"
            ) from error


def settle() -> None:
    """Take what was imported out of the collector's way (`gc.freeze`)."""
    gc.collect()
    gc.freeze()
