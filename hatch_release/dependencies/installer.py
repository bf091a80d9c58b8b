"""Installs a project's wheel and its dependencies into a flat directory."""

from __future__ import annotations

import hashlib
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from packaging.utils import canonicalize_name, parse_wheel_filename

from hatch_release.dependencies.closure import project_roots
from hatch_release.dependencies.lock import Lock, check_hashes, pylock_without, read_toml, requirement_lines
from hatch_release.dependencies.uv import errors_of, run_uv, shortened, speaks_of_network
from hatch_release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_HASH_MISMATCH = re.compile(r"Hash mismatch for `([^`]+)`")
_BUILD_FAILED = re.compile(r"Failed to (?:download and )?build `([^`]+)`")
_DOES_NOT_FIT = re.compile(
    r"No solution found|can't be installed because|is incompatible with|not compatible with the current"
)
_WANTED = re.compile(r"Because (\S+) was not found in the cache|(?:download|fetch|build):? `?([^`\s]+)")


Part = Literal["all", "wheel", "locked"]


def install(  # noqa: PLR0913 - every argument is a decision of the caller, all by keyword
    *,
    wheel: Path,
    lock: Lock | None,
    python: Path,
    destination: Path,
    extras: Sequence[str] = (),
    groups: Sequence[str] = (),
    root: Path,
    offline: bool = False,
    part: Part = "all",
    again: str = "",
) -> None:
    """Installs the project's `wheel` and its dependencies into `destination`, side by side.

    Files are always copied: uv's hard links would let later steps write into the user's cache.

    Args:
        wheel: The project's wheel.
        lock: What pins the dependencies, hashes included; None resolves them from the wheel's metadata.
        python: The interpreter whose tags and markers decide.
        destination: The directory, made when missing; scripts land in its `bin/`.
        extras: Extras of the project to include.
        groups: Dependency groups (PEP 735) of the project to include.
        root: The project's root: its `[tool.uv]` index settings count.
        offline: Use nothing but uv's cache.
        part: With a lock, the wheel and what is locked can be installed one without the other.
        again: One of the distributions: it is installed over what is there.

    Raises:
        ReleaseError: When uv is missing or fails: a wrong hash, no network, nothing that fits the
            interpreter, a source that does not build.
    """
    common = ["--target", str(destination), "--python", str(python), "--link-mode", "copy"]
    common += ["--no-compile-bytecode", "--verify-hashes", *(["--reinstall-package", again] if again else [])]
    destination.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="hatch-release-") as scratch:
        # uv writes relative paths into exports: both ends have to be free of symlinks.
        plan = _Plan(wheel, lock, python, tuple(extras), tuple(groups), root, Path(scratch).resolve())
        uv = _Uv(root, plan.source, plan.scratch, offline)
        for arguments in plan.installs(uv, part):
            uv.run("pip", "install", *common, *arguments)
    (destination / ".lock").unlink(missing_ok=True)


@dataclass(frozen=True)
class _Uv:
    """uv, run for one project."""

    root: Path
    source: str
    """What the dependencies come from, for messages."""
    scratch: Path
    """Where files made from `source` are; a message names `source` in their place."""
    offline: bool

    def run(self, *arguments: str) -> None:
        """Runs uv with `arguments` and turns a failure into one line."""
        code, output = run_uv(arguments, self.root, offline=self.offline)
        if code != 0:
            made = rf"{re.escape(str(self.scratch))}[\w./-]*"
            raise ReleaseError(_explanation(re.sub(made, self.source, output), self.source, code))


@dataclass(frozen=True)
class _Plan:
    """What is to be installed, as files that uv reads."""

    wheel: Path
    lock: Lock | None
    python: Path
    extras: tuple[str, ...]
    groups: tuple[str, ...]
    root: Path
    scratch: Path

    @property
    def name(self) -> str:
        return parse_wheel_filename(self.wheel.name)[0]

    @property
    def source(self) -> str:
        if self.lock is None:
            return f"the metadata of {self.wheel.name}"
        inside = self.lock.path.is_relative_to(self.root)
        return str(self.lock.path.relative_to(self.root) if inside else self.lock.path)

    def installs(self, uv: _Uv, part: Part) -> Iterator[list[str]]:
        """The arguments of each `uv pip install` to run, in order."""
        if self.lock is None:
            yield ["-r", self._project_file(self._group_requirements())]
            return
        if part != "wheel":
            yield from self._locked(self.lock, uv)
        if part != "locked":
            yield ["--no-deps", "-r", self._project_file([])]

    def _locked(self, lock: Lock, uv: _Uv) -> Iterator[list[str]]:
        if lock.kind == "requirements":
            yield from self._requirements(lock.path)
        elif lock.kind == "pylock":
            yield self._pylock(lock.path, lock.path)
        else:
            yield self._pylock(self._exported(uv), lock.path)

    def _project_file(self, more: list[str]) -> str:
        """A requirements file of the project's own wheel, by its hash, and the lines `more`."""
        wanted = f"[{','.join(self.extras)}]" if self.extras else ""
        digest = hashlib.sha256(self.wheel.read_bytes()).hexdigest()
        line = f"{self.name}{wanted} @ {self.wheel.resolve().as_uri()} --hash=sha256:{digest}"
        return self._written("project.txt", [line, *more])

    def _group_requirements(self) -> list[str]:
        pyproject = read_toml(self.root / "pyproject.toml") if self.groups else {}
        return [str(wanted) for wanted in project_roots(self.name, (), self.groups, pyproject)[1:]]

    def _requirements(self, path: Path) -> Iterator[list[str]]:
        lines = requirement_lines(path, self.root)
        if lines:
            yield ["--no-deps", "-r", self._written("locked.txt", lines)]

    def _pylock(self, path: Path, blamed: Path) -> list[str]:
        tables = read_toml(path)
        check_hashes(tables, blamed)
        text = pylock_without(path, self.name)
        if text is not None:
            path = Path(self._written("pylock.toml", [text]))
        # Only a lock that has a choice may be asked to make it; uv.lock made it when exported.
        extras = _known(self.extras, tables.get("extras", []))
        groups = _known(self.groups, tables.get("dependency-groups", []))
        return ["--no-deps", "-r", str(path), *_each("--extra", extras), *_each("--group", groups)]

    def _exported(self, uv: _Uv) -> Path:
        """The uv.lock as a pylock: unlike requirements, it keeps the index that each package is from."""
        path = self.scratch / "exported" / "pylock.toml"
        path.parent.mkdir()
        chosen = [*_each("--extra", self.extras), *_each("--group", self.groups)]
        options = ["--frozen", "--no-default-groups", "--no-emit-project", "--no-editable"]
        options += ["--python", str(self.python), "--format", "pylock.toml", "--output-file", str(path)]
        uv.run("export", *options, *chosen)
        return path

    def _written(self, name: str, lines: list[str]) -> str:
        path = self.scratch / name
        path.write_text("\n".join([*lines, ""]), "utf-8")
        return str(path)


def _each(option: str, values: Sequence[str]) -> list[str]:
    return [argument for value in values for argument in (option, value)]


def _known(wanted: Sequence[str], known: Sequence[str]) -> list[str]:
    names = {canonicalize_name(name) for name in known}
    return [name for name in wanted if canonicalize_name(name) in names]


def _explanation(output: str, source: str, code: int) -> str:
    """One line about a failure of uv: what happened and what to do."""
    told, hints = errors_of(output)
    if mismatch := _HASH_MISMATCH.search(told):
        return (
            f"the file that the index serves for {mismatch[1]} has a hash that {source} does not hold: "
            "make the lock again if its change is expected, and do not use the file otherwise"
        )
    if speaks_of_network(told + hints):
        wanted = _WANTED.search(told)
        what = (wanted[1] or wanted[2]).rstrip(":") if wanted else "what is needed"
        return (
            f"the package index cannot be reached and uv's cache does not hold {what}: "
            "connect to the network, or name an index that can be reached (UV_DEFAULT_INDEX)"
        )
    if failed := _BUILD_FAILED.search(told):
        return (
            f"{failed[1]} has no wheel that fits and its source does not build: "
            "install what its build needs, or lock a version that has a wheel; "
            "HATCH_VERBOSE=1 shows what the build said"
        )
    told = shortened(told + hints) or f"it ended with exit code {code} and no message"
    if _DOES_NOT_FIT.search(told):
        advice = "change the requirement, make the lock again or take another interpreter"
        return f"{source} cannot be installed for this interpreter: {told}: {advice}"
    return f"uv could not install from {source}: {told}; HATCH_VERBOSE=1 shows all that it said"
