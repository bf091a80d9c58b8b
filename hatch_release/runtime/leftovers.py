"""Files that the program left open: taking the modules apart would have completed them.

Imported only when the process has something open for writing at its end (`leave.py`).
"""

from __future__ import annotations

import _io
import gc

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TEXT, _PYTHON, _BUFFERED, _CLEANER = range(4)
"""How an object is completed, in this order: what writes into another comes before it."""

_CLEANERS = {("zipfile", "ZipFile"), ("shelve", "Shelf"), ("tempfile", "_TemporaryFileCloser")}
"""Classes of the standard library that complete or remove a file in `__del__`."""


def complete() -> None:
    """Flush the streams that are open, close what writes a trailer, remove what is temporary."""
    gc.unfreeze()
    kinds: dict[type, int | None] = {}
    found: list[list[Any]] = [[], [], [], []]
    for each in gc.get_objects():
        kind = type(each)
        if kind not in kinds:
            kinds[kind] = _how(kind)
        how = kinds[kind]
        if how is not None:
            found[how].append(each)
    # Nobody is left to tell when one of them fails, as when Python takes the object apart.
    for how, objects in enumerate(found):
        for each in objects:
            try:  # noqa: SIM105 - contextlib takes longer to import than all this
                _complete(each, how)
            except Exception:  # noqa: BLE001, S110 - any object's own
                pass


def _how(kind: type) -> int | None:
    """How objects of a class are completed, or None for those that have nothing to complete."""
    bases = type.mro(kind) if kind is type else kind.__mro__
    if _io.TextIOWrapper in bases:
        return _TEXT
    if not {_io.BufferedWriter, _io.BufferedRandom, _io.BufferedRWPair}.isdisjoint(bases):
        return _BUFFERED
    if not _CLEANERS.isdisjoint((base.__module__, base.__name__) for base in bases):
        return _CLEANER
    if _io._IOBase in bases and kind.__module__ not in {"_io", "io"}:  # noqa: SLF001 - what `io.IOBase` is made of
        return _PYTHON
    return None


def _complete(each: Any, how: int) -> None:  # noqa: ANN401 - any kind of stream
    """Complete one object."""
    if how == _CLEANER:
        each.__del__()
    elif each.closed:
        return
    elif how == _PYTHON:
        each.close()  # a gzip stream writes its trailer now
    else:
        each.flush()
