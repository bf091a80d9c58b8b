"""Patterns as a `.gitignore` has them; the one file that knows pathspec."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pathspec import GitIgnoreSpec

from hatch_release.errors import ReleaseError, in_one_line

if TYPE_CHECKING:
    from collections.abc import Iterable


class Patterns:
    """Some patterns together, of which the last one that matches a path counts."""

    def __init__(self, lines: Iterable[str], where: str) -> None:
        """Read them.

        Args:
            lines: One pattern each; `!` takes back what earlier ones match.
            where: What holds them, for messages: `the option preload`.

        Raises:
            ReleaseError: When a line is no pattern.
        """
        try:
            self._spec = GitIgnoreSpec.from_lines(list(lines))
        except ValueError as error:
            raise ReleaseError(f"{where} holds a wrong pattern: {in_one_line(error)}") from error

    def match(self, path: str) -> bool:
        """Whether a path is meant.

        Args:
            path: A relative POSIX path; one of a directory ends with a slash.
        """
        return self._spec.match_file(path)
