"""Which files of distributions plugins leave out, and which they keep although `strip` would drop them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

from hatch_release.errors import ReleaseError
from hatch_release.patterns import Patterns
from hatch_release.runtime import layout

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from hatch_release.assembly import Assembly
    from hatch_release.contributions import FileRule
    from hatch_release.dependencies.distributions import Distribution
    from hatch_release.release import Release

_NEEDED = ("METADATA", "RECORD")
"""Files of a dist-info that no rule is about."""


class _Read(NamedTuple):
    """A rule, read."""

    plugin: str
    rule: FileRule
    patterns: Patterns


class FileRules:
    """The rules of all plugins of a release, those that count first.

    Args:
        release: Its distributions are known.

    Raises:
        ReleaseError: When a pattern is none.
    """

    def __init__(self, release: Release) -> None:
        """Ask the plugins."""
        self._rules: list[_Read] = []
        for plugin, rules in release.plugins.call("release_files", release=release):
            for rule in reversed(rules):
                try:
                    patterns = Patterns([rule.pattern], f"the rule for '{rule.pattern}'")
                except ReleaseError as error:
                    raise release.plugins.blame(plugin, error) from error
                self._rules.append(_Read(plugin, rule, patterns))

    @property
    def key(self) -> list[object]:
        """What decides how a distribution is stripped, as plain data."""
        keeping = any(each.rule.keep for each in self._rules)
        return [[each.rule.pattern, each.rule.keep] for each in self._rules] if keeping else []

    def keeps(self, path: str) -> bool:
        """Whether a file stays as it is, whatever `strip` says.

        Args:
            path: As its wheel has it.
        """
        found = self._of(path)
        return found is not None and found.rule.keep

    def idle(self, paths: list[str]) -> Iterator[str]:
        """What to say of rules that are about none of `paths`."""
        for plugin, rule, patterns in self._rules:
            if not any(map(patterns.match, paths)):
                yield f"the rule of plugin {plugin} for '{rule.pattern}' fits no file of the release"

    def about(self, distribution: Distribution) -> Iterator[tuple[str, _Read]]:
        """What is said about a distribution.

        Args:
            distribution: The distribution.

        Yields:
            Each file that a rule is about, left out or kept, with the rule.
        """
        for file in distribution.files if self._rules else ():
            found = self._of(file.as_posix())
            if found is not None:
                yield file.as_posix(), found

    def _of(self, path: str) -> _Read | None:
        """The rule that counts for a file."""
        if path.rpartition("/")[2] in _NEEDED and path.partition("/")[0].endswith(".dist-info"):
            return None
        return next((each for each in self._rules if each.patterns.match(path)), None)


def drop_files(assembly: Assembly) -> None:
    """Leave out what plugins want left out, and write down why -> consolidated/files.json.

    This says which; `remove_files` takes them.
    """
    release, told = assembly.release, {}
    for name, distribution in assembly.distributions.items():
        for path, found in assembly.rules.about(distribution):
            told[path] = {
                "kept": found.rule.keep,
                "reason": found.rule.reason,
                "plugin": found.plugin,
                "distribution": name,
            }
    paths = [file.as_posix() for each in assembly.distributions.values() for file in each.files]
    for line in assembly.rules.idle(paths):
        release.progress.warn(line)
    gone = {path for path, each in told.items() if not each["kept"]}
    assembly.scanned = {
        name: each for name, each in assembly.scanned.items() if gone.isdisjoint(sources_of(name))
    }
    if told:
        directory = release.version_path / layout.CONSOLIDATED
        directory.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dict(sorted(told.items())), indent=2) + "\n"
        (directory / layout.FILE_REASONS).write_text(text, encoding="utf-8")


def remove_files(assembly: Assembly) -> None:
    """Remove what `drop_files` leaves out."""
    for name, distribution in assembly.distributions.items():
        home = assembly.release.path / assembly.directories[name]
        for path, found in assembly.rules.about(distribution):
            if not found.rule.keep:
                _remove(home / path)


def sources_of(module: str) -> tuple[str, str]:
    """Where the source of a module can be in a wheel.

    Args:
        module: Its full name.
    """
    path = module.replace(".", "/")
    return f"{path}.py", f"{path}/__init__.py"


def _remove(file: Path) -> None:
    """Remove a file of a distribution, or what was made of it."""
    file.unlink(missing_ok=True)
    if file.suffix == ".py":
        file.with_suffix(".pyc").unlink(missing_ok=True)
        for each in (file.parent / "__pycache__").glob(f"{file.stem}.*.pyc"):
            each.unlink()
