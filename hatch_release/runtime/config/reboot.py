"""Starting anew with the configuration that was found, so that the interpreter's own settings apply too.

The result is written to `RELEASE_TMP/NAME-VSN-DATE-RANDOM.runtime.config`, which RELEASE_SYS_CONFIG then names; it is
readable by its owner alone. The process stays the same. Source of the file's name and of the rules: the manual of
`mix release`, "Config providers".
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time

from .. import layout
from . import interpreter, plain, sys_config
from .errors import ConfigError
from .origins import leaves, origin

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from ..importer import IndexFinder
    from .store import Store

_PRIVATE = 0o600
WRITTEN = ".runtime.config"
"""How the names of the files end."""


def start(finder: IndexFinder, file: str, store: Store, wanted: dict[str, Any], arguments: list[str]) -> None:
    """Write the configuration and start anew with it, in this very process.

    Args:
        finder: Serves the release's modules.
        file: What the configuration was read from.
        store: The configuration.
        wanted: The settings of the interpreter.
        arguments: Those of the boot file.

    Raises:
        ConfigError: When it can't be written.
    """
    origins = [[list(path), origin(store.layers, path)] for path, _value in leaves(store.values)]
    try:
        text = sys_config.text(store.values, {"from": file, "origins": origins})
    except plain.NotPlainError as error:
        source = origin(store.layers, error.path)
        raise ConfigError(
            f"{source}: {error}, which can't be written for the reboot: set reboot-system-after-config = false, or "
            "configure plain data"
        ) from None
    target = _write(finder, text)
    os.environ["RELEASE_SYS_CONFIG"] = target[: -len(sys_config.SUFFIX)]
    place = len(sys.orig_argv) - len(arguments) - 1
    interpreter.start(
        sys.orig_argv[1:place], interpreter.options(wanted), wanted.get("hash_seed"), sys.orig_argv[place:]
    )


def check(finder: IndexFinder) -> None:
    """Refuse to begin where the configuration could not be written later on.

    Args:
        finder: Serves the release's modules.

    Raises:
        ConfigError: When the directory isn't there and can't be made, or can't be written.
    """
    file = _file(finder)
    directory = os.path.dirname(file)
    try:
        os.makedirs(directory, exist_ok=True)
    except OSError as error:
        raise _not_written(file, error) from error
    if not os.access(directory, os.W_OK | os.X_OK):
        raise _not_written(file, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


def _file(finder: IndexFinder) -> str:
    """A path for a file that isn't there yet."""
    directory = os.path.abspath(os.environ.get("RELEASE_TMP") or f"{finder.release_root}/{layout.TMP}")
    name = os.environ.get("RELEASE_NAME") or finder.release_payload["name"]
    when = time.strftime("%Y%m%d%H%M%S")
    return f"{directory}/{name}-{finder.release_payload['version']}-{when}-{os.urandom(2).hex()}{WRITTEN}"


def _write(finder: IndexFinder, text: str) -> str:
    """Write the file and give its path; nothing is left of one that can't be written as a whole."""
    file = _file(finder)
    try:
        os.makedirs(os.path.dirname(file), exist_ok=True)
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, _PRIVATE)
    except OSError as error:
        raise _not_written(file, error) from error
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(file)
        raise _not_written(file, error) from error
    return file


def _not_written(file: str, error: OSError) -> ConfigError:
    return ConfigError(
        f"Cannot start release because it could not write {file}: {error.strerror or error}; set RELEASE_TMP to a "
        "directory that can be written"
    )


def settle(booted: dict[str, Any], file: str, *, keep: bool) -> None:
    """End the second start: remove the file unless it is to be there for a restart.

    Args:
        booted: What the file says of itself.
        file: The file.
        keep: Whether it stays; else RELEASE_SYS_CONFIG names what it was made from again.
    """
    if keep:
        return
    with contextlib.suppress(OSError):
        os.unlink(file)
    os.environ["RELEASE_SYS_CONFIG"] = booted["from"][: -len(sys_config.SUFFIX)]
