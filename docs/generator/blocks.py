"""The code blocks of a page, and what comments above them tell the tests; readers never see these.

```
<!-- test: run -->                    at the top of a page: its blocks are run, one after the other, in one directory
<!-- test: needs PROGRAM -->          at the top: left out where the program is missing; above a block: this block is
<!-- test: not run: WHY -->           at the top: none of the page's are; above a block: this one is not
<!-- test: exit 1 -->                 above a block: its last command ends with this code
<!-- test: append -->                 above a file: added to what the file holds already
<!-- test: also
$ COMMAND
-->                                   run as well, and not shown
```
A block whose fence has `title="PATH"` is a file, and is written. One in `console`, `sh` or `bash` without a title is
run: in `console` lines with `$ ` are commands, and what follows is what they print.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SHELLS = ("console", "sh", "bash")
MARKER = re.compile(r"^[ ]*<!-- test: (?P<words>.*?)\s*-->\n?", re.MULTILINE | re.DOTALL)
NOT_RUN = "not run: "
NEEDS = "needs "
RUN = "run"
ALSO = "also\n"
_FENCE = re.compile(
    r"^(?P<indent> *)(?P<ticks>`{3,})(?P<info>[^`\n]*)\n(?P<text>.*?)^(?P=indent)(?P=ticks) *$",
    re.MULTILINE | re.DOTALL,
)
_TITLE = re.compile(r'title="([^"]+)"')


@dataclass(frozen=True)
class Block:
    """One code block, or commands that are not shown."""

    language: str
    text: str
    line: int
    """Of the fence, from 1."""
    title: str = ""
    """The path of the file that it is; empty for anything else."""
    markers: tuple[str, ...] = ()
    """What stands in the comments directly above."""

    @property
    def is_shell(self) -> bool:
        """Whether it holds commands."""
        return not self.title and self.language in SHELLS

    @property
    def reason_not_to_run(self) -> str:
        """Why it is not run; empty when it is."""
        return self.marked(NOT_RUN)

    def marked(self, word: str) -> str:
        """What follows `word` in a comment above; empty without one."""
        return next((each.removeprefix(word) for each in self.markers if each.startswith(word)), "")


@dataclass(frozen=True)
class Guide:
    """A page, as the tests read it."""

    path: Path
    markers: tuple[str, ...]
    """Those of the whole page: what stands above its title."""
    blocks: tuple[Block, ...] = field(repr=False)

    @property
    def is_run(self) -> bool:
        """Whether its blocks are run."""
        return RUN in self.markers

    @property
    def needed(self) -> tuple[str, ...]:
        """The programs that it needs."""
        return tuple(each.removeprefix(NEEDS) for each in self.markers if each.startswith(NEEDS))

    @property
    def reason_not_to_run(self) -> str:
        """Why none of it is run; empty where it doesn't say."""
        return next((each.removeprefix(NOT_RUN) for each in self.markers if each.startswith(NOT_RUN)), "")


def read(path: Path) -> Guide:
    """Read a page."""
    text = path.read_text("utf-8")
    top = re.match(r"(?:<!-- test: [^\n]* -->\n)*", text)
    head = MARKER.findall(top[0]) if top else []
    return Guide(path, tuple(head), tuple(_blocks(text, len(top[0]) if top else 0)))


def _blocks(text: str, start: int) -> Iterator[Block]:
    """The blocks of a page and its hidden commands, in order."""
    waiting: list[str] = []
    position = start
    while True:
        fence = _FENCE.search(text, position)
        marker = MARKER.search(text, position)
        found = min((each for each in (fence, marker) if each), key=lambda each: each.start(), default=None)
        if found is None:
            return
        line = text.count("\n", 0, found.start()) + 1
        if found is marker:
            if found["words"].startswith(ALSO):
                yield Block("console", found["words"].removeprefix(ALSO) + "\n", line)
            else:
                waiting.append(found["words"])
        else:
            language, _, info = found["info"].strip().partition(" ")
            title = _TITLE.search(info)
            body = re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE)
            yield Block(language, body, line, title[1] if title else "", tuple(waiting))
            waiting = []
        position = found.end()
