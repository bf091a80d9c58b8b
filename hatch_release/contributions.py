"""What plugins give to a release: plain values, each checked where it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = 0o644


@dataclass(frozen=True, kw_only=True)
class Overlay:
    """A directory whose files are copied into the release as they are."""

    path: Path
    """The directory; relative to the project, or absolute."""
    exclude: tuple[str, ...] = ()
    """What is not copied: patterns as in a `.gitignore`, of paths relative to `path`."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """A Jinja2 template that becomes a file of the release; its one variable is `release`."""

    name: str
    """Its file name, such as `demo.service.j2`. A file of that name in the project's `rel/` takes its place."""
    directory: Path
    """Where the template is, unless the project has its own."""
    destination: str
    """The file that it becomes, relative to the release's root."""
    mode: int = PLAIN
    """Permissions of that file."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One more command of `bin/NAME`, run in a process of its own as `eval` and `run` are."""

    name: str
    """What is typed: lower-case letters, digits, `_` and `-`."""
    entry: str
    """`module:function` of a distribution of the release. It is called without arguments, with its own in
    `sys.argv`; what it gives becomes the exit code, as for a console script."""
    help: str = ""
    """What it does, in one line of the usage; as `Prints how many jobs wait`."""
    arguments: str = ""
    """Its arguments in the usage, such as `[QUEUE]`."""


@dataclass(frozen=True, kw_only=True)
class FileRule:
    """Files of distributions that are left out of the release, or stay although `strip` would drop them."""

    pattern: str
    """As in a `.gitignore`, of paths as a wheel has them: `shop/web/views.py`, `torch/include/`."""
    reason: str
    """Why; it is written to `consolidated/files.json`."""
    keep: bool = False
    """Whether the files stay, as their wheel has them, or are left out."""
