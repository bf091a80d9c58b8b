"""What an application may be: context managers, coroutine functions and plain functions, recognised without a call.

A plain function runs until it is done, so nothing may be called to find out what it is.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import types

from ..errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

CONTEXT = "context manager"
ASYNC_CONTEXT = "async context manager"
COROUTINE = "coroutine function"
FUNCTION = "function"

_DECORATOR = contextlib.contextmanager.__code__.co_filename
# Of `inspect`, which takes longer to import than all of this package: inspect.CO_COROUTINE and its like.
_COROUTINE, _GENERATOR, _ASYNC_GENERATOR = 0x80, 0x20, 0x200


def resolve(reference: str) -> Any:  # noqa: ANN401 - whatever the application's author wrote
    """Import what `module:attribute` names.

    Raises:
        BaseException: Whatever importing the module raises.
        AttributeError: When it has no such attribute.
    """
    module, _, attribute = reference.partition(":")
    target: Any = __import__(module, fromlist=["_"]) if module else None
    return functools.reduce(getattr, attribute.split("."), target)


def shape_of(target: Any, reference: str) -> str:  # noqa: ANN401 - whatever the application's author wrote
    """What `target` is: one of the constants of this module.

    Args:
        target: What the application's `start` names.
        reference: Its `module:attribute`, for the message.

    Raises:
        ReleaseError: When it can't be started.
    """
    if isinstance(target, type) or not callable(target):
        return _of_class(target if isinstance(target, type) else type(target), target, reference)
    function = target
    while isinstance(function, functools.partial):
        function = function.func
    if not _is_routine(function):
        function = type(function).__call__
    if _is_coroutine_function(function):
        return COROUTINE
    return _of_function(function, reference)


def _of_class(kind: type, target: object, reference: str) -> str:
    """The shape of a class whose instances are made to start, or of an instance."""
    if hasattr(kind, "__aenter__"):
        return ASYNC_CONTEXT
    if hasattr(kind, "__enter__"):
        return CONTEXT
    if isinstance(target, type):
        return FUNCTION
    raise ReleaseError(
        f"'{reference}' is {_article(kind.__name__)}, which can't be started: name a function, a coroutine function, "
        "or what gives a context manager"
    )


def _of_function(function: Any, reference: str) -> str:  # noqa: ANN401 - functions have many types
    """The shape of a function that is no coroutine function."""
    code = getattr(function, "__code__", None)
    wrapped = getattr(function, "__wrapped__", None)
    if code is not None and code.co_filename == _DECORATOR and wrapped is not None:
        return ASYNC_CONTEXT if _has_flag(wrapped, _ASYNC_GENERATOR) else CONTEXT
    if _has_flag(function, _GENERATOR | _ASYNC_GENERATOR):
        kind = "async" if _has_flag(function, _ASYNC_GENERATOR) else ""
        raise ReleaseError(
            f"'{reference}' is a generator function, which can't be started: decorate it with "
            f"contextlib.{kind}contextmanager"
        )
    return FUNCTION


def _is_routine(target: object) -> bool:
    """Whether a callable is a function or method of any kind (`inspect.isroutine`): those bind, objects don't."""
    kind = type(target)
    known = (types.BuiltinFunctionType, types.MethodType, types.MethodWrapperType)
    return isinstance(target, known) or (hasattr(kind, "__get__") and not hasattr(kind, "__set__"))


def _is_coroutine_function(function: object) -> bool:
    """Whether calling a function gives a coroutine; who has marked it as such a function has imported `inspect`."""
    inspect = sys.modules.get("inspect")
    return bool(inspect.iscoroutinefunction(function)) if inspect else _has_flag(function, _COROUTINE)


def _has_flag(function: object, flag: int) -> bool:
    """Whether the code of a function, or of what a method or partial calls, has a flag."""
    while isinstance(function, (types.MethodType, functools.partial)):
        function = function.func if isinstance(function, functools.partial) else function.__func__
    return isinstance(function, types.FunctionType) and bool(function.__code__.co_flags & flag)


def make(target: Any) -> Any:  # noqa: ANN401 - a context manager, an awaitable, or nothing in particular
    """What starting the application gives: the call's result, or the instance itself."""
    return target() if callable(target) else target


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
