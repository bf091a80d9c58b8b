"""What an implementation of a hook may give, so that anything else is told with the plugin that gave it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from hatch_release.contributions import Command, FileRule, Overlay, Template
from hatch_release.release import Release


class Answer(NamedTuple):
    """What a hook expects of each implementation that has something to say."""

    expected: str
    """In words."""
    fits: Callable[[object], bool]
    called: str = ""
    """For answers by name: what the names are names of."""


def _list_of(*kinds: type) -> Callable[[object], bool]:
    """A list or tuple whose items are of `kinds`."""
    return lambda value: isinstance(value, (list, tuple)) and all(isinstance(each, kinds) for each in value)


def _by_name(fits: Callable[[object], bool]) -> Callable[[object], bool]:
    """A mapping from names to what `fits`."""
    return lambda value: (
        isinstance(value, Mapping)
        and all(isinstance(name, str) and name and fits(each) for name, each in value.items())
    )


def _is_reference(value: object) -> bool:
    return isinstance(value, str) and ":" in value


def _nothing(_value: object) -> bool:
    return False


ANSWERS: Mapping[str, Answer] = {
    "release_configure": Answer("nothing or a Release", lambda value: isinstance(value, Release)),
    "release_steps": Answer("functions by name", _by_name(callable), "step"),
    "release_before_step": Answer("nothing", _nothing),
    "release_after_step": Answer("nothing", _nothing),
    "release_find_python": Answer("nothing or a Path", lambda value: isinstance(value, Path)),
    "release_files": Answer("a list of FileRule", _list_of(FileRule)),
    "release_config_providers": Answer('"module:Class" by name', _by_name(_is_reference), "provider"),
    "release_templates": Answer("a list of Template", _list_of(Template)),
    "release_commands": Answer("a list of Command", _list_of(Command)),
    "release_overlays": Answer("a list of Overlay", _list_of(Overlay)),
    "release_archive_formats": Answer("functions by name", _by_name(callable), "archive format"),
    "release_artifact": Answer("nothing or a list of Path", _list_of(Path)),
    "release_check": Answer("nothing or a list of strings", _list_of(str)),
    "release_finished": Answer("nothing", _nothing),
}
"""By hook; None always is "nothing to say"."""
