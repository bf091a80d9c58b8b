"""An assembled release, and its commands."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatch_release.testing.processes import SECONDS, Done, clean_environment, finish, stop

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@dataclass(frozen=True)
class Built:
    """An assembled release."""

    root: Path
    """Where it is installed."""
    name: str
    report: Mapping[str, Any] = field(repr=False)
    """What HATCH_RELEASE_REPORT tells of it: `version`, `target`, `artifacts`, `warnings` and so on."""
    output: str = field(repr=False)
    """What the build printed on both streams."""

    @property
    def launcher(self) -> Path:
        """The script `bin/NAME`."""
        return self.root / "bin" / self.name

    @property
    def artifacts(self) -> list[Path]:
        """The archives, and what plugins have added."""
        return [Path(each["path"]) for each in self.report["artifacts"]]

    def run(self, *arguments: str, timeout: float = SECONDS, **environment: str) -> Done:
        """Run a command of `bin/NAME` to its end, with empty input.

        Args:
            arguments: The command and its own arguments.
            timeout: Seconds.
            environment: Variables besides those of the test.

        Returns:
            `returncode`, `stdout` and `stderr`.

        Raises:
            subprocess.TimeoutExpired: When it takes longer.
        """
        with _place() as place:
            variables = {"RELEASE_TMP": place, **environment}
            return finish([str(self.launcher), *arguments], variables, timeout=timeout)

    @contextlib.contextmanager
    def running(self, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """The release started with `start`; at the end it is asked to stop, and killed when it does not.

        Args:
            arguments: Those of `start`.
            environment: Variables besides those of the test.

        Yields:
            The process; its `stdout` holds both streams.
        """
        with (
            _place() as place,
            subprocess.Popen(
                [str(self.launcher), "start", *arguments],
                env=clean_environment(**{"RELEASE_TMP": place, **environment}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            ) as process,
        ):
            try:
                yield process
            finally:
                stop(process)


def _place() -> tempfile.TemporaryDirectory[str]:
    """Where one command writes, so that tests of one release don't meet; short, since sockets lie there."""
    return tempfile.TemporaryDirectory(prefix="release-", ignore_cleanup_errors=True)
