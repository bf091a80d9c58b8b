"""`verify`: the files of a version against its manifest."""

from __future__ import annotations

import sys

from . import manifest
from .errors import ReleaseError


def verify(root: str, name: str, version: str) -> int:
    """Print what differs from the manifest, a line each; give the exit code, 1 when anything does.

    Args:
        root: The release's root.
        name: The release's name, for the last line.
        version: The version to check.
    """
    try:
        problems = manifest.verify(root, version)
    except ReleaseError as error:
        sys.stderr.write(f"ERROR: {error}\n")
        return 1
    for problem in problems:
        sys.stderr.write(f"{problem}\n")
    if problems:
        differ = "1 file differs" if len(problems) == 1 else f"{len(problems)} files differ"
        sys.stderr.write(f"ERROR: {name} {version}: {differ} from the manifest\n")
        return 1
    sys.stdout.write(f"{name} {version}: every file is as it was assembled\n")
    return 0
