"""Options of the interpreter itself, which are configured as the application `python`.

```python
config("python", xoptions={"dev": True}, warnoptions=["error"], optimize=1, utf8_mode=True, hash_seed=0)
```
The names are those by which `sys` shows them (`sys._xoptions`, `sys.warnoptions`, `sys.flags`); `X`, `W` and `O`, as on
the command line, mean the same.
"""

from __future__ import annotations

import json
import os
import sys

from .errors import ConfigError, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

APPLICATION = "python"
_ALIASES = {"X": "xoptions", "W": "warnoptions", "O": "optimize"}
_KNOWN = ("xoptions", "warnoptions", "optimize", "utf8_mode", "hash_seed")
_SEED = "PYTHONHASHSEED"
_STASH = "_RELEASE_PYTHON_VARIABLES"
"""Holds the variables of the interpreter while it starts with a hash seed, which only the environment can give."""
_LARGEST_SEED = 4294967295


def settings(config: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What is configured for the interpreter, by the names in `_KNOWN`.

    Args:
        config: The whole configuration.

    Raises:
        ConfigError: When a setting is unknown or of the wrong type.
    """
    given = config.get(APPLICATION)
    if not given:
        return {}
    found = {}
    for key, value in given.items():
        name = _ALIASES.get(key, key)
        if name not in _KNOWN:
            raise ConfigError(f"unknown setting '{key}' of python: {nearest(key, _KNOWN)}")
        expected = _expected(name, value)
        if expected:
            raise ConfigError(f"the setting {key} of python is {value!r}: expected {expected}")
        found[name] = value
    return found


def _expected(name: str, value: Any) -> str:  # noqa: ANN401 - any configured value
    """What a setting has to be, unless it is."""
    if name == "xoptions":
        right = isinstance(value, dict) and all(type(each) in {bool, int, str} for each in value.values())
        return "" if right else "a table of -X options, each true, false, a number or a string"
    if name == "warnoptions":
        right = isinstance(value, (list, tuple)) and all(isinstance(each, str) for each in value)
        return "" if right else "a list of -W options"
    if name == "optimize":
        return "" if type(value) is int and value in {0, 1, 2} else "0, 1 or 2"
    if name == "utf8_mode":
        return "" if isinstance(value, bool) else "true or false"
    right = type(value) is int and 0 <= value <= _LARGEST_SEED
    return "" if right else f"a whole number from 0 to {_LARGEST_SEED}"


def options(wanted: dict[str, Any]) -> list[str]:
    """The options on the command line that settings stand for; a hash seed has none.

    Args:
        wanted: As `settings` gives them.
    """
    found = []
    for name, value in wanted.get("xoptions", {}).items():
        if value is not False:
            found += ["-X", name if value is True else f"{name}={value}"]
    if "utf8_mode" in wanted:
        found += ["-X", f"utf8={int(wanted['utf8_mode'])}"]
    for each in wanted.get("warnoptions", ()):
        found += ["-W", each]
    if wanted.get("optimize"):
        # What isn't compiled yet would be compiled anew for this level, and written beside its source.
        found += ["-" + "O" * wanted["optimize"], "-B"]
    return found


def apply(wanted: dict[str, Any], arguments: list[str]) -> None:
    """Start anew, in this very process, unless the interpreter was started with what is wanted.

    Args:
        wanted: As `settings` gives them.
        arguments: The boot file's own.
    """
    needed, seed = options(wanted), wanted.get("hash_seed")
    place = len(sys.orig_argv) - len(arguments) - 1
    given = sys.orig_argv[1:place]
    seeded = seed is None or (not sys.flags.ignore_environment and os.environ.get(_SEED) == str(seed))
    if seeded and _ends_with(given, needed):
        return
    start(given, needed, seed, sys.orig_argv[place:])


def _ends_with(given: list[str], needed: list[str]) -> bool:
    return not needed or given[-len(needed) :] == needed


def start(given: list[str], needed: list[str], seed: int | None, command: list[str]) -> None:
    """Become an interpreter with other options.

    Args:
        given: The options so far.
        needed: Options to add at the end, where they win.
        seed: The hash seed; None: any.
        command: The boot file and its arguments.
    """
    given = given if _ends_with(given, needed) else [*given, *needed]
    if seed is not None:
        # A seed is read from the environment alone, so -I can't be; all that it does besides is done another way.
        given = [each for each in given if each != "-I"]
        given = ["-s", *(["-P"] if sys.version_info >= (3, 11) else []), *given]
        variables = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("PYTHON")}
        os.environ[_STASH] = json.dumps(variables)
        os.environ[_SEED] = str(seed)
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os.execv(sys.executable, [sys.orig_argv[0], *given, *command])  # noqa: S606 - no shell is involved


def settle(directory: str) -> None:
    """Put back what starting with a hash seed has changed.

    Args:
        directory: Where the boot file is, which the interpreter was given as the script to run.
    """
    stash = os.environ.pop(_STASH, None)
    if stash is None:
        return
    seed = os.environ.get(_SEED)
    os.environ.update(json.loads(stash))
    if seed is not None:
        os.environ[_SEED] = seed  # children are to have the same
    if sys.version_info < (3, 11) and sys.path and sys.path[0] == directory:
        del sys.path[0]
