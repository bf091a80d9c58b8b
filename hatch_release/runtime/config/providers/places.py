"""Where a provider finds its file: an absolute path, or one relative to a variable."""

from __future__ import annotations

import os

from ..errors import ConfigError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

_KEYS = ("env", "path", "optional")


def checked(term: Any, who: str, more: Iterable[str] = ()) -> dict[str, Any]:  # noqa: ANN401 - what the option says
    """What `init` says about a place, as a table with `path`, `env` and `optional`.

    Args:
        term: A path, or a table such as `{ env = "RELEASE_ROOT", path = "extra.toml", optional = true }`.
        who: The provider, for messages.
        more: Further keys that it may have.

    Raises:
        ConfigError: When it is something else.
    """
    table = {"path": term} if isinstance(term, str) else term
    if not isinstance(table, dict):
        raise ConfigError(
            f'the config provider {who} takes a path or a table such as {{ env = "RELEASE_ROOT", path = "x.toml" }}, '
            f"found {'nothing' if term is None else repr(term)}"
        )
    known = (*_KEYS, *more)
    for key in table:
        if key not in known:
            raise ConfigError(f"the config provider {who} has no setting '{key}': {nearest(key, known)}")
    path, env = table.get("path", "" if "env" in table else None), table.get("env")
    if not isinstance(path, str) or not (path or env):
        raise ConfigError(f"the config provider {who} needs a path, found {path!r}")
    if env is not None and (not isinstance(env, str) or not env):
        raise ConfigError(f"the config provider {who} takes the name of a variable as env, found {env!r}")
    if env is None and not os.path.isabs(path):
        raise ConfigError(
            f"the config provider {who} has the relative path '{path}': a release runs in any directory, "
            f'so give an absolute one, or one relative to a variable: {{ env = "RELEASE_ROOT", path = "{path}" }}'
        )
    if not isinstance(table.get("optional", False), bool):
        raise ConfigError(f"the config provider {who} takes true or false as optional")
    return dict(table)


def located(state: dict[str, Any], who: str) -> str:
    """The path that a checked place means now.

    Args:
        state: As `checked` gives it.
        who: The provider, for messages.

    Returns:
        An absolute path; empty when the place is optional and nothing is there.

    Raises:
        ConfigError: When nothing is there, or the variable isn't set.
    """
    optional, path = state.get("optional", False), state.get("path", "")
    if "env" in state:
        base = os.environ.get(state["env"])
        if not base:
            if optional:
                return ""
            raise ConfigError(
                f"the config provider {who} looks for {path or 'its directory'} where {state['env']} says, and that "
                "variable is not set"
            )
        path = os.path.join(base, path) if path else base
    if os.path.exists(path):
        return str(os.path.abspath(path))
    if optional:
        return ""
    raise ConfigError(
        f"the config provider {who} finds no {path}: put it there, or let the provider be optional = true"
    )


def content(path: str) -> bytes:
    """The bytes of a file.

    Args:
        path: Where it is.

    Raises:
        ConfigError: When it can't be read.
    """
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror or error}") from error


def text(path: str) -> str:
    """The text of a file, which may begin with a byte order mark.

    Args:
        path: Where it is.

    Raises:
        ConfigError: When it can't be read, or is no UTF-8.
    """
    try:
        return content(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError(f"the configuration {path} is no UTF-8, at byte {error.start}") from None
