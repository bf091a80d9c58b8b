"""What is installed for a release: facts about every distribution at once, its files only when they are wanted.

What a lock pins by hashes is the same whenever it is installed. So the facts are cached, and where every distribution
is found finished in the cache too (`units.py`), nothing is installed but the project's own wheel.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.metadata
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Literal

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from hatch_release.cache.store import key_of, tool
from hatch_release.dependencies.closure import precedence
from hatch_release.dependencies.colocation import Ties, read_ties
from hatch_release.dependencies.distributions import Distribution, read_distributions, record_rows
from hatch_release.dependencies.installer import install
from hatch_release.dependencies.lock import pins, read_toml
from hatch_release.errors import ReleaseError
from hatch_release.runtime import manifest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from hatch_release.cache.store import Cache
    from hatch_release.dependencies.installer import Part
    from hatch_release.dependencies.lock import Lock
    from hatch_release.interpreter.facts import Interpreter
    from hatch_release.options.reading import Options
    from hatch_release.project import Project

KIND = "installation"
UNCHECKED = "HATCH_RELEASE_NO_DEPS_CHECK=1"
WHEEL: Literal["wheel"] = "wheel"
LOCKED: Literal["locked"] = "locked"
EXECUTABLE = 0o100


@dataclass(frozen=True)
class Installed:
    """One distribution, as it is installed."""

    distribution: Distribution
    ties: Ties
    digest: str
    """A hash of everything in it."""


@dataclass(kw_only=True)
class Installation:
    """The project's wheel and everything that it needs."""

    project: Project
    wheel: Path
    lock: Lock | None
    interpreter: Interpreter
    options: Options
    site: Path
    """The flat directory that files are installed in."""
    cache: Cache
    _there: set[str] = field(default_factory=set, init=False)
    _digests: dict[str, str] = field(default_factory=dict, init=False)
    """Checksums of the files in `site`."""
    _found: dict[str, Distribution] = field(default_factory=dict, init=False)

    def read(self) -> dict[str, Installed]:
        """All distributions by normalised name.

        Raises:
            ReleaseError: When something can't be installed.
        """
        keys = {WHEEL: self._wheel_key(), LOCKED: self._locked_key()}
        known = {
            part: entry.facts
            for part, key in keys.items()
            if key and (entry := self.cache.restore(KIND, key))
        }
        self.fetch(keys.keys() - known.keys())
        found = self._described()
        own = canonicalize_name(self.project.name)
        facts = {name: _to_json(each) for name, each in found.items()}
        for part, key in keys.items():
            if key and part not in known:
                self.cache.store(
                    KIND, key, {name: facts[name] for name in facts if (name == own) == (part == WHEEL)}
                )
        recalled = {name: _from_json(each) for entry in known.values() for name, each in entry.items()}
        return {**recalled, **found}

    def fetch(self, parts: Collection[str]) -> None:
        """See to it that files are in `site`.

        Args:
            parts: `wheel` for those of the project's own distribution, `locked` for those of the others.

        Raises:
            ReleaseError: When something can't be installed.
        """
        missing = set(parts) - self._there
        if missing and self.lock is None:
            missing = {WHEEL, LOCKED}
        if missing == {WHEEL, LOCKED}:
            self._install("all")
        elif missing:
            self._install(WHEEL if WHEEL in missing else LOCKED)
        self._there |= missing

    def part_of(self, name: str) -> Part:
        """Which part a distribution is: `wheel` or `locked`.

        Args:
            name: Its normalised name.
        """
        return WHEEL if name == canonicalize_name(self.project.name) else LOCKED

    def _install(self, part: Part) -> None:
        self._run_installer(part)
        self._found = read_distributions(self.site)
        for name in self._contested():
            self._run_installer(self.part_of(name) if self.lock else "all", again=name)
        self._check()

    def _contested(self) -> list[str]:
        """The distributions to install again, in this order, since uv installs in none: they share files with others.

        Files that are the same in all wheels are no matter.
        """
        owners: dict[str, dict[str, str]] = {}
        for name, each in self._found.items():
            owned = set(map(str, each.files))
            for file, checksum, *_size in record_rows(self.site / each.info / "RECORD"):
                if file in owned:
                    owners.setdefault(file, {})[name] = checksum
        names: set[str] = set()
        for checksums in owners.values():
            if len(checksums) > 1 and ("" in checksums.values() or len({*checksums.values()}) > 1):
                names.update(checksums)
        own = canonicalize_name(self.project.name)
        return [name for name in precedence(self._found, self.interpreter.markers, own) if name in names][1:]

    def _run_installer(self, part: Part, again: str = "") -> None:
        install(
            wheel=self.wheel,
            lock=self.lock,
            python=self.interpreter.executable,
            destination=self.site,
            extras=self.options.extras,
            groups=self.options.groups,
            root=self.project.root,
            part=part,
            again=again,
        )

    def _check(self) -> None:
        """Compare the files in `site` with what their wheels say: uv checks what it downloads, not its own cache."""
        self._digests = _digests(self._found.values(), self.site)
        if self.options.no_deps_check:
            return
        expected: dict[str, dict[str, Distribution]] = {}  # two may have one file; one of them has won
        for each in self._found.values():
            for file, checksum in _recorded(each, self.site):
                expected.setdefault(file, {})[checksum] = each
        for file, owners in expected.items():
            if self._digests.get(file, next(iter(owners))) not in owners:
                raise ReleaseError(_damaged(file, next(iter(owners.values()))))

    def _described(self) -> dict[str, Installed]:
        """What is in `site`."""
        return {
            name: Installed(each, read_ties(each, self.site), _digest(each, self.site, self._digests))
            for name, each in self._found.items()
        }

    def _wheel_key(self) -> str | None:
        """The cache's key for what the wheel gives by itself; None where its dependencies come with it."""
        if self.lock is None:
            return None
        return key_of(hashlib.sha256(self.wheel.read_bytes()).hexdigest(), self._installer())

    def _locked_key(self) -> str | None:
        """The cache's key for what the lock gives; None when that may differ from time to time."""
        pinned = pins(self.lock, self.project.root) if self.lock else None
        if pinned is None:
            return None
        settings = self.project.pyproject.get("tool", {}).get("uv", {})
        uv_toml = self.project.root / "uv.toml"
        return key_of(
            pinned,
            canonicalize_name(self.project.name),
            [list(self.options.extras), list(self.options.groups)],
            [settings, read_toml(uv_toml) if uv_toml.is_file() else {}],
            {name: value for name, value in os.environ.items() if name.startswith("UV_")},
            self._installer(),
        )

    def _installer(self) -> list[object]:
        """What installs, and for which interpreter."""
        return [tool(), importlib.metadata.version("uv"), self.interpreter.identity, self.interpreter.markers]


def _digests(distributions: Iterable[Distribution], site: Path) -> dict[str, str]:
    """The checksums of all files of distributions but their RECORDs."""
    files = {
        str(file)
        for each in distributions
        for file in each.files
        if file != PurePosixPath(each.info, "RECORD")
    }
    try:
        return manifest.digests(str(site), sorted(files))
    except OSError as error:
        raise ReleaseError(f"what was installed can't be read: {error}") from error


def _recorded(distribution: Distribution, site: Path) -> Iterator[tuple[str, str]]:
    """The files of a distribution whose checksum its RECORD knows, and that checksum."""
    for file, checksum, *_size in record_rows(site / distribution.info / "RECORD"):
        kind, _, value = checksum.partition("=")
        if kind == "sha256":
            yield file, base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).hex()


def _damaged(file: str, owner: Distribution) -> str:
    """What to do about a file that is not what its wheel says."""
    return (
        f"{file} of {owner.name} {owner.version} is not what its RECORD says, so uv's cache is damaged, or the wheel "
        f"is: run `uv cache clean {owner.name}`, or set {UNCHECKED} to take it as it is"
    )


def _digest(distribution: Distribution, site: Path, digests: Mapping[str, str]) -> str:
    """A hash of the files of a distribution, and of the order in which its RECORD lists them."""
    record = PurePosixPath(distribution.info, "RECORD")
    files = [str(file) for file in distribution.files if file != record]
    try:
        modes = {file: bool((site / file).stat().st_mode & EXECUTABLE) for file in files}
    except OSError as error:
        raise ReleaseError(f"what was installed can't be read: {error}") from error
    owned = set(files)
    order = [row[0] for row in record_rows(site / record) if row[0] in owned]
    return key_of(distribution.directory, order, {file: digests[file] for file in files}, modes)


def _to_json(installed: Installed) -> dict[str, Any]:
    """The facts as JSON holds them."""
    distribution = asdict(installed.distribution)
    distribution["files"] = [str(file) for file in installed.distribution.files]
    distribution["requires"] = [str(each) for each in installed.distribution.requires]
    return {
        "distribution": distribution,
        "namespaces": sorted(map(str, installed.ties.namespaces)),
        "libraries": list(map(str, installed.ties.libraries)),
        "digest": installed.digest,
    }


def _from_json(facts: dict[str, Any]) -> Installed:
    """The opposite of `_to_json`."""
    distribution = Distribution(
        **{
            **facts["distribution"],
            "files": tuple(map(PurePosixPath, facts["distribution"]["files"])),
            "requires": tuple(map(Requirement, facts["distribution"]["requires"])),
        }
    )
    ties = Ties(
        frozenset(map(PurePosixPath, facts["namespaces"])), tuple(map(PurePosixPath, facts["libraries"]))
    )
    return Installed(distribution, ties, facts["digest"])
