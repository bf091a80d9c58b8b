"""Telling what is being done: live on a terminal, in plain lines elsewhere, not at all when quiet."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING

from hatch_release.report import ReleaseReport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress as Bar
    from rich.progress import TaskID


class Progress:
    """The progress of one build."""

    def __init__(self, report: ReleaseReport | None = None, *, quiet: bool = False) -> None:
        """Write to standard output, unless `quiet`; warnings always go to standard error.

        Args:
            report: Told of it, too.
            quiet: Write warnings alone.
        """
        self.report = report or ReleaseReport("")
        self._quiet = quiet
        self._bar: tuple[Bar, TaskID] | None = None

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Tell that `title` is being done, and on a terminal at the end how long it took.

        A stage inside another is told as a plain line.

        Args:
            title: What is done, as `Compiling 1,234 modules`.
        """
        with self.report.stage(title):
            if not self._quiet and sys.stdout.isatty() and self._bar is None:
                with self._live(title):
                    yield
            else:
                self.say(f"{title} ...")
                yield

    def update(self, done: int, total: int) -> None:
        """Tell how far the current stage is, in any unit."""
        if self._bar is not None:
            bar, task = self._bar
            bar.update(task, completed=done, total=total)

    def say(self, line: str) -> None:
        """Write one line, unless quiet."""
        if not self._quiet:
            with self._paused():
                sys.stdout.write(line + "\n")
                sys.stdout.flush()

    def warn(self, line: str) -> None:
        """Write a warning, quiet or not."""
        self.report.warnings.append(line)
        with self._paused():
            sys.stdout.flush()
            sys.stderr.write(f"Warning: {line}\n")
            sys.stderr.flush()

    @contextlib.contextmanager
    def _paused(self) -> Iterator[None]:
        """Take the live line off the terminal meanwhile."""
        if self._bar is None:
            yield
            return
        bar = self._bar[0]
        bar.stop()
        try:
            yield
        finally:
            bar.start()

    @contextlib.contextmanager
    def _live(self, title: str) -> Iterator[None]:
        """A line with a spinner, a bar and the time, replaced by a plain one at the end."""
        # Importing rich takes longer than writing all the plain lines
        from rich.progress import BarColumn, SpinnerColumn, TextColumn, TimeElapsedColumn  # noqa: PLC0415
        from rich.progress import Progress as Bar  # noqa: PLC0415

        begin = time.monotonic()
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
        # What others write goes where they write it: a warning to standard error, though that be a file.
        with Bar(*columns, transient=True, redirect_stdout=False, redirect_stderr=False) as bar:
            self._bar = (bar, bar.add_task(title, total=None))
            try:
                yield
            finally:
                self._bar = None
        self.say(f"{title}, {time.monotonic() - begin:.1f} s")
