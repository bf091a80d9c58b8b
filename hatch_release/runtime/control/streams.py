"""Standard streams and arguments that differ by who asks: commands' code has its own, all others the process's.

`print` takes what is in the dictionary of `sys`, and everybody else its attributes, which anybody may set. So as long
as commands run code, `sys` is of a class whose attributes know the caller, by a context variable that tasks of a
command carry on, and its dictionary holds streams that ask the same. What the program puts into `sys.stdout` stays what
the program sees, and `contextlib.redirect_stdout` in a command redirects nobody else.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from contextvars import ContextVar
from types import ModuleType

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = ("stdin", "stdout", "stderr")


class Own:
    """The streams and arguments of one command.

    Args:
        stdin: Its input.
        stdout: Its output.
        stderr: Its errors.
        argv: Its arguments.
    """

    def __init__(self, stdin: Any, stdout: Any, stderr: Any, argv: list[str]) -> None:  # noqa: ANN401 - streams
        """It counts until `over` is set."""
        self.stdin = stdin
        self.stdout = stdout
        self.stderr = stderr
        self.argv = argv
        self.over = False


_current: ContextVar[Own | None] = ContextVar("hatch_release_command", default=None)
_lock = threading.Lock()
_users: set[Own] = set()


def _own() -> Own | None:
    """What the caller has of its own."""
    found = _current.get()
    return None if found is None or found.over else found


class _Shared:
    """What stands in the dictionary of `sys` under one name: whatever is done with it is done with the caller's."""

    def __init__(self, name: str, others: Any) -> None:  # noqa: ANN401 - any object may be put there
        self.hr_name = name
        self.hr_others = others

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as above
        own = _own()
        target = self.hr_others if own is None else getattr(own, self.hr_name)
        # `print` asks for no more of a process without streams.
        return _nothing if target is None and name in {"write", "flush"} else getattr(target, name)


def _nothing(*_anything: object) -> None:
    """Do what a stream does that isn't there."""


class _Attribute:
    """An attribute of `sys` that depends on the caller."""

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    def __get__(self, module: ModuleType | None, _owner: type | None = None) -> Any:  # noqa: ANN401 - as above
        own = _own()
        if own is not None:
            return getattr(own, self.name)
        if self.name not in vars(sys):
            raise AttributeError(self.name)
        found = vars(sys)[self.name]
        return found.hr_others if isinstance(found, _Shared) else found

    def __set__(self, _module: ModuleType, value: Any) -> None:  # noqa: ANN401 - as above
        own = _own()
        if own is not None:
            setattr(own, self.name, value)
            return
        found = vars(sys).get(self.name)
        if isinstance(found, _Shared):
            found.hr_others = value
        else:
            vars(sys)[self.name] = value


class _Sys(ModuleType):
    """`sys` while commands run code."""

    stdin = _Attribute()
    stdout = _Attribute()
    stderr = _Attribute()
    argv = _Attribute()


@contextlib.contextmanager
def using(own: Own) -> Any:  # noqa: ANN401 - an iterator, which is imported for no more than its name
    """Let the code that is run here have streams and arguments of its own."""
    _install(own)
    token = _current.set(own)
    try:
        yield
    finally:
        own.over = True
        _current.reset(token)
        _remove(own)


def _install(own: Own) -> None:
    """Let `sys` know its callers, if it doesn't yet."""
    with _lock:
        if not _users:
            for name in NAMES:
                vars(sys)[name] = _Shared(name, vars(sys).get(name))
            sys.__class__ = _Sys
        _users.add(own)


def _remove(own: Own) -> None:
    with _lock:
        _users.discard(own)
        if not _users:
            restore()


def _forget() -> None:
    """In a forked child no command is left: it writes where the process does."""
    global _users, _lock
    for own in _users:
        own.over = True
    _users, _lock = set(), threading.Lock()
    restore()


os.register_at_fork(after_in_child=_forget)


def restore() -> None:
    """Make `sys` what it was."""
    sys.__class__ = ModuleType
    for name in NAMES:
        found = vars(sys).get(name)
        if isinstance(found, _Shared):
            vars(sys)[name] = found.hr_others
