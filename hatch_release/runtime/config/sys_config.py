"""`sys.config`: the build-time configuration as readable JSON, and what a reboot has written instead of it."""

from __future__ import annotations

import json
import os

from . import plain
from .errors import ConfigError
from .merging import Config, checked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SUFFIX = ".config"
BOOTED = "$booted"
"""In the file that a reboot has written: what it was made from, and where the values came from."""


def path(own: str) -> str:
    """The file that RELEASE_SYS_CONFIG names, which is given without its ending.

    Args:
        own: The release's own, which it names when nothing else is set.
    """
    return os.environ.setdefault("RELEASE_SYS_CONFIG", own[: -len(SUFFIX)]) + SUFFIX


def read(file: str) -> tuple[Config, dict[str, Any] | None]:
    """A configuration file, and what a reboot has noted in it.

    Args:
        file: With its ending.

    Raises:
        ConfigError: When it is missing or damaged.
    """
    try:
        with open(file, encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no UTF-8"
        stem = file[: -len(SUFFIX)]
        hint = f" (without its ending: {stem[: -len(SUFFIX)]})" if stem.endswith(SUFFIX) else ""
        raise ConfigError(
            f"cannot read the configuration {file}: {why}; let RELEASE_SYS_CONFIG name another one{hint}, or install "
            "the release again from its archive"
        ) from error
    try:
        data = json.loads(text)
        booted = data.pop(BOOTED, None) if isinstance(data, dict) else None
        if plain.MARK in text:
            data = plain.decode(data)
    except (ValueError, ConfigError, RecursionError) as error:
        raise ConfigError(
            f"the configuration {file} is damaged ({error}): let RELEASE_SYS_CONFIG name another one, or install the "
            "release again from its archive"
        ) from error
    return checked(data, f"the configuration {file}"), booted


def text(config: Config, booted: dict[str, Any] | None = None) -> str:
    """The text of a configuration file.

    Args:
        config: Plain data.
        booted: What a reboot notes.

    Raises:
        plain.NotPlainError: When a value is something else.
    """
    data = plain.encode(config)
    if booted is not None:
        data = {BOOTED: booted, **data}
    written = json.dumps(data, indent=2, ensure_ascii=False)
    try:
        written.encode("utf-8")
    except UnicodeEncodeError:  # half of a character, as undecodable bytes of the environment give
        written = json.dumps(data, indent=2)
    return written + "\n"
