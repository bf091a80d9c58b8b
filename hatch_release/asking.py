"""What is asked before something of an installed release is replaced; without a terminal the answer is no."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from hatch_release.errors import OptionError, ReleaseError
from hatch_release.runtime import layout

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_release.options.reading import Options


def ask_to_overwrite(name: str, version: str, path: Path, options: Options) -> None:
    """Replace an existing version only when asked to.

    Args:
        name: The release's name.
        version: The version that is to be installed.
        path: Where.
        options: The release's.

    Raises:
        ReleaseError: When the version is to stay.
    """
    if options.overwrite or not (path / layout.RELEASES / version).exists():
        return
    found = f"release {name} {version} exists already in {path}"
    _ask(found, "Overwrite it?", "to replace it, or give another version")


def ask_to_change_cookie(name: str, path: Path, options: Options) -> None:
    """Replace the cookie of an installed release only when asked to: who knows the old one is locked out.

    Args:
        name: The release's name.
        path: Where it is installed, if it is.
        options: The release's.

    Raises:
        ReleaseError: When the cookie is to stay.
    """
    installed = path / layout.RELEASES / layout.COOKIE
    if options.overwrite or options.cookie is None or not installed.is_file():
        return
    if installed.read_text(encoding="utf-8").strip() == options.cookie:
        return
    found = f"release {name} in {path} has another cookie than the option cookie says"
    question = "Change it, so that who knows the old one is refused?"
    try:
        _ask(found, question, "to change it, or leave the option out")
    except ReleaseError as error:
        raise OptionError(str(error), "cookie") from error


def _ask(found: str, question: str, remedy: str) -> None:
    """Ask on a terminal whether to go on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ReleaseError(f"{found}: set HATCH_RELEASE_OVERWRITE=1 or the option overwrite = true {remedy}")
    try:
        answer = input(f"{found[0].upper()}{found[1:]}. {question} [y/N] ")
    except (EOFError, KeyboardInterrupt) as error:
        sys.stdout.write("\n")  # the cursor is still behind the question
        if isinstance(error, KeyboardInterrupt):
            raise
        answer = ""
    if answer.strip().lower() not in {"y", "yes"}:
        raise ReleaseError(f"{found}: it was left as it is")
