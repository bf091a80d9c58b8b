"""What an application may be: context managers, coroutine functions and plain functions, recognised without a call.

A plain function runs until it is done, so nothing may be called to find out what it is.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from typing import Any

from ..errors import ReleaseError

CONTEXT = "context manager"
ASYNC_CONTEXT = "async context manager"
COROUTINE = "coroutine function"
FUNCTION = "function"

_DECORATOR = contextlib.contextmanager.__code__.co_filename


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
    if not inspect.isroutine(function):
        function = type(function).__call__
    if inspect.iscoroutinefunction(function):
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
        return ASYNC_CONTEXT if inspect.isasyncgenfunction(wrapped) else CONTEXT
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        kind = "async" if inspect.isasyncgenfunction(function) else ""
        raise ReleaseError(
            f"'{reference}' is a generator function, which can't be started: decorate it with "
            f"contextlib.{kind}contextmanager"
        )
    return FUNCTION


def make(target: Any) -> Any:  # noqa: ANN401 - a context manager, an awaitable, or nothing in particular
    """What starting the application gives: the call's result, or the instance itself."""
    return target() if callable(target) else target


def _article(name: str) -> str:
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
