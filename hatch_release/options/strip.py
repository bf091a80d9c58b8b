"""The option `strip`: which kinds of things are dropped from which distribution of a release.

`true` drops what no running program needs, `false` nothing. A table changes what `true` means: its lists `keep` and
`drop` hold kinds, alone (`source`: everywhere, in the standard library too) or of one distribution (`source:torch`).
What is said of one distribution counts before what is said of all.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from hatch_release.options.kinds import (
    DISTRIBUTION,
    Kind,
    Place,
    also,
    found,
    in_words,
    list_of,
    nearest,
    table,
)
from hatch_release.runtime.metadata import normalized

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

KINDS = ("source", "tests", "symbols", "stubs", "headers", "docstrings", "asserts")
"""Sources; packages of tests that only tests import; debug symbols; type stubs; what only a compiler reads."""
STANDARD_LIBRARY = "python"
"""Stands for the standard library where distributions are named."""
_ON_REQUEST = frozenset({"docstrings", "asserts"})


@dataclass(frozen=True)
class Strip:
    """What the option says, in one form for every way of writing it."""

    on: bool = True
    """False for `strip = false`: nothing at all is left out."""
    keep: frozenset[str] = frozenset()
    """`KIND` or `KIND:NAME` with a normalised name."""
    drop: frozenset[str] = frozenset()

    @classmethod
    def of(cls, option: bool | Mapping[str, Sequence[str]]) -> Strip:  # noqa: FBT001 - the option's own type
        """The policy that the value of the option `strip` means."""
        if isinstance(option, bool):
            return cls(on=option)
        return cls(
            keep=frozenset(map(_normal, option.get("keep", ()))),
            drop=frozenset(map(_normal, option.get("drop", ()))),
        )

    def keeps(self, kind: str, distribution: str) -> bool:
        """Whether what is of `kind` (one of `KINDS`) stays in `distribution`.

        Args:
            kind: One of `KINDS`.
            distribution: Its normalised name; `STANDARD_LIBRARY` for that.
        """
        if not self.on:
            return True
        for word in (f"{kind}:{distribution}", kind):
            if word in self.keep or word in self.drop:
                return word in self.keep
        return kind in _ON_REQUEST

    def dropped(self, distribution: str) -> tuple[str, ...]:
        """All that applies to one distribution, as plain data: the kinds that it loses, in the order of `KINDS`."""
        return tuple(kind for kind in KINDS if not self.keeps(kind, distribution))

    def warnings(self, distributions: Collection[str]) -> Iterator[str]:
        """One line for each word about a distribution that is none of `distributions`.

        Args:
            distributions: Normalised names of what the release holds, `STANDARD_LIBRARY` among them if it does.
        """
        for word in sorted(self.keep | self.drop):
            name = word.partition(":")[2]
            if name and name not in distributions:
                hint = nearest(name, distributions)
                yield f"strip: '{word}' has no effect, the release holds no distribution '{name}'{hint}"


def _normal(word: str) -> str:
    """The word with its distribution's name as PEP 503 compares it."""
    kind, colon, name = word.partition(":")
    return f"{kind}{colon}{normalized(name)}"


def _check_word(word: str, place: Place) -> str:
    """Note what is wrong with an item of `keep` or `drop`, and give it."""
    kind, colon, name = word.partition(":")
    if kind not in KINDS:
        place.wrong(
            f"expected {in_words(KINDS)}, alone or as KIND:NAME, found {found(word)}{nearest(kind, KINDS)}"
        )
    elif colon and not DISTRIBUTION.fullmatch(name):
        place.wrong(f"expected the name of a distribution after '{kind}:', found {found(name)}")
    return word


def _unambiguous(lists: Mapping[str, Iterable[str]], place: Place) -> None:
    """What is to be kept can't be dropped."""
    both = {*map(_normal, lists.get("keep", ()))}.intersection(map(_normal, lists.get("drop", ())))
    for word in sorted(both):
        place.wrong(f"found '{word}' in both 'keep' and 'drop': say it once")


def _words() -> Kind:
    """A list of kinds."""
    return list_of(Kind(("a kind",), lambda value: isinstance(value, str), _check_word), "kinds")


STRIP: Kind = also(
    table(
        'a table { keep = ["source", "tests:NAME"], drop = ["docstrings"] }',
        {"keep": _words(), "drop": _words()},
    ),
    _unambiguous,
)
"""The table of the option."""
