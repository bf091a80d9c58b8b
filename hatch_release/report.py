"""What became of a build, as JSON for other programs: written at its end, also when it failed."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import secrets
import time
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from hatch_release import __version__
from hatch_release.errors import ReleaseError, in_one_line
from hatch_release.runtime import layout
from hatch_release.runtime.manifest import digest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from hatch_release.release import Release

VARIABLE = "HATCH_RELEASE_REPORT"
FORMAT = 1
"""Changes when a reader of the report has to change."""
SUCCEEDED, FAILED, INTERRUPTED = "succeeded", "failed", "interrupted"


@dataclass
class ReleaseReport:
    """What became of one release; `null` what was not known yet when it failed."""

    name: str
    version: str | None = None
    status: str = FAILED
    path: str | None = None
    """Where it is installed."""
    target: str | None = None
    python: str | None = None
    size: int | None = None
    """Bytes of the assembled version."""
    manifest: str | None = None
    """The SHA-256 of its `manifest.sha256`, which holds that of every file."""
    artifacts: list[dict[str, Any]] = field(default_factory=list)
    """Archives, each with `path`, `size` in bytes and `sha256`."""
    stages: list[dict[str, Any]] = field(default_factory=list)
    """What was done, in order: `title` and `seconds`."""
    warnings: list[str] = field(default_factory=list)
    seconds: float | None = None

    def finish(self, release: Release, size: int, artifacts: Sequence[Path], seconds: float) -> None:
        """Note that a release is installed.

        Args:
            release: It.
            size: Bytes of the assembled version.
            artifacts: Its archives, where they were delivered to.
            seconds: How long it took.
        """
        self.status, self.version, self.path = SUCCEEDED, release.version, str(release.install_path)
        self.target, self.python = release.target, release.python_version
        self.size, self.seconds = size, round(seconds, 3)
        manifest = release.install_path / layout.RELEASES / release.version / layout.MANIFEST
        self.manifest = digest(str(manifest))
        self.artifacts = [
            {"path": str(each), "size": each.stat().st_size, "sha256": digest(str(each))}
            for each in artifacts
        ]

    @contextlib.contextmanager
    def stage(self, title: str) -> Iterator[None]:
        """Note how long something takes, also when it fails."""
        begin = time.monotonic()
        entry: dict[str, Any] = {"title": title, "seconds": None}
        self.stages.append(entry)
        try:
            yield
        finally:
            entry["seconds"] = round(time.monotonic() - begin, 3)


@dataclass
class Report:
    """What became of one build."""

    releases: list[ReleaseReport] = field(default_factory=list)
    status: str = SUCCEEDED
    error: str | None = None
    """What the user was told, one line for each problem."""
    started: str = field(
        default_factory=lambda: dt.datetime.now(dt.timezone.utc).isoformat(timespec="seconds")
    )
    begin: float = field(default_factory=time.monotonic)

    def add(self, name: str) -> ReleaseReport:
        """The report of one more release."""
        self.releases.append(ReleaseReport(name))
        return self.releases[-1]

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return {
            "format": FORMAT,
            "hatch_release": __version__,
            "status": self.status,
            "error": self.error,
            "started": self.started,
            "seconds": round(time.monotonic() - self.begin, 3),
            "releases": [asdict(each) for each in self.releases],
        }

    def fail(self, error: BaseException) -> None:
        """Note that the build failed, or was interrupted."""
        interrupted = isinstance(error, (KeyboardInterrupt, SystemExit))
        self.status = INTERRUPTED if interrupted else FAILED
        if not interrupted:
            plain = isinstance(error, ReleaseError)
            self.error = str(error) if plain else in_one_line(error, kind=True)
        for each in self.releases:
            if each.status != SUCCEEDED:
                each.status = self.status


@contextlib.contextmanager
def reporting(
    root: Path, environ: Mapping[str, str], tell: Callable[[str], None] | None = None
) -> Iterator[Report]:
    """A report that is written at the end, where HATCH_RELEASE_REPORT says, if it does.

    Args:
        root: What the variable is relative to: the project's.
        environ: The environment.
        tell: Given the report as JSON at the end, too.

    Raises:
        ReleaseError: When the report can't be written, unless the build has failed itself.
    """
    named = environ.get(VARIABLE)
    file = root / named if named else None
    report = Report()
    if file is not None:
        with _writing(file):
            file.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield report
    except GeneratorExit:
        raise  # nobody wants the rest
    except BaseException as error:
        report.fail(error)
        with contextlib.suppress(ReleaseError):
            _deliver(report, file, tell)
        raise
    _deliver(report, file, tell)


def _deliver(report: Report, file: Path | None, tell: Callable[[str], None] | None) -> None:
    """Tell and write the report."""
    text = json.dumps(report.to_json(), indent=2)
    if tell:
        tell(text)
    if file is not None:
        _write(file, text)


def _write(file: Path, text: str) -> None:
    """Write the report; a reader sees the old one or the new one, never a part."""
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    with _writing(file):
        try:
            draft.write_text(text + "\n", encoding="utf-8")
            draft.replace(file)
        finally:
            with contextlib.suppress(OSError):
                draft.unlink()


@contextlib.contextmanager
def _writing(file: Path) -> Iterator[None]:
    """Say what stands in the way of the report."""
    try:
        yield
    except OSError as error:
        raise ReleaseError(
            f"{VARIABLE} is {file}, which can't be written: {error.strerror} ({error.filename}): make room, "
            "or name another file"
        ) from error
