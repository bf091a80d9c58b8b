"""What a file of a release is for, told by its place and its name."""

from __future__ import annotations

import re
import stat
from typing import TYPE_CHECKING

from hatch_release.runtime import layout

if TYPE_CHECKING:
    from hatch_release.inspection.contents import Item

CODE = "code"
DATA = "data"
NATIVE = "native libraries"
INTERPRETER = "interpreter"
STDLIB = "stdlib"
METADATA = "metadata"
KINDS = (CODE, NATIVE, DATA, STDLIB, INTERPRETER, METADATA)
"""In the order in which they are told."""

_PYTHON = re.escape(layout.python_directory(""))
_STDLIB = re.compile(rf"{_PYTHON}[^/]+/lib/python\d+\.\d+t?/.*")
_EXECUTABLE = re.compile(rf"{_PYTHON}[^/]+/(bin/.*|lib/libpython[^/]*)")
_IMAGE = re.compile(rf"{layout.RELEASES}/[^/]+/{layout.CONSOLIDATED}/{layout.MODULE_IMAGE}")
_LIBRARY = re.compile(r".*\.so(\.\d+)*")
_METADATA = re.compile(rf"(.*/)?[^/]+\.(dist|egg)-info/.*|{layout.RELEASES}/.*")
_CODE = re.compile(rf".*\.(pyc?|pyi)|{layout.BIN}/[^/]+")
_BY_PLACE = (
    (_STDLIB, STDLIB),
    (_EXECUTABLE, INTERPRETER),
    (_IMAGE, CODE),
    (_METADATA, METADATA),
    (_LIBRARY, NATIVE),
    (_CODE, CODE),
)
ELF = b"\x7fELF"


def kind_of(path: str, item: Item) -> str:
    """One of `KINDS`.

    Args:
        path: Relative to the release's root.
        item: The file; it is opened when its name does not tell.
    """
    for pattern, kind in _BY_PLACE:
        if pattern.fullmatch(path):
            return kind
    if stat.S_ISREG(item.mode) and item.mode & stat.S_IXUSR:
        with item.read() as file:
            return NATIVE if file.read(len(ELF)) == ELF else DATA
    return DATA
