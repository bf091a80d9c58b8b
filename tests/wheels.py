"""Small real wheels for the tests, and the requirements that lock them."""

from __future__ import annotations

import hashlib
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def make_wheel(  # noqa: PLR0913 - each is a part of a wheel that some test is about
    directory: Path,
    name: str,
    *,
    version: str = "1.0",
    requires: Sequence[str] = (),
    extras: Sequence[str] = (),
    files: Mapping[str, str | bytes] | None = None,
    entry_points: str = "",
) -> Path:
    """Writes the wheel of a pure distribution; `files` defaults to a module of its name."""
    info = f"{name}-{version}.dist-info"
    headers = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: The {name} of the tests"]
    headers += [f"Provides-Extra: {extra}" for extra in extras]
    headers += [f"Requires-Dist: {required}" for required in requires]
    contents: dict[str, str | bytes] = {f"{name.lower()}.py": f"NAME = {name!r}\n"}
    if files is not None:
        contents = dict(files)
    contents[f"{info}/METADATA"] = "\n".join([*headers, ""])
    contents[f"{info}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    if entry_points:
        contents[f"{info}/entry_points.txt"] = entry_points
    contents[f"{info}/RECORD"] = "".join(f"{path},,\n" for path in [*contents, f"{info}/RECORD"])
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in contents.items():
            archive.writestr(member, text)
    return path


def locked(name: str, wheel: Path) -> str:
    """The line of a requirements file that installs `wheel` and no other."""
    return f"{name} @ {wheel.as_uri()} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
