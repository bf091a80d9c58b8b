"""The project's wheel, changed where the user asked for it."""

from __future__ import annotations

import re
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_REQUIRES_PYTHON = re.compile(rb"^Requires-Python:.*\n", re.MULTILINE)


def without_python_requirement(wheel: Path, directory: Path) -> Path:
    """Copy a wheel without its `Requires-Python`, which installers have no switch to pass over.

    Args:
        wheel: The wheel.
        directory: Where the copy goes; it has the same name.

    Returns:
        The copy.
    """
    directory.mkdir(exist_ok=True)
    target = directory / wheel.name
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            data = old.read(member)
            if re.fullmatch(r"[^/]+\.dist-info/METADATA", member.filename):
                headers, blank, body = data.partition(b"\n\n")
                data = _REQUIRES_PYTHON.sub(b"", headers + b"\n") + blank[1:] + body
            elif re.fullmatch(r"[^/]+\.dist-info/RECORD", member.filename):
                # A row may do without hash and size (the RECORD format); those of METADATA are wrong now.
                data = re.sub(rb"^([^/\n]+\.dist-info/METADATA),.*$", rb"\1,,", data, flags=re.MULTILINE)
            new.writestr(member, data)
    return target
