"""Reading and following the blocks of a page."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest

from docs.generator import blocks
from tests.documentation.session import Session, agrees, commands

if TYPE_CHECKING:
    from pathlib import Path

PAGE = """\
<!-- test: run -->
# A page

```toml title="shop/pyproject.toml"
name = "shop"
```

<!-- test: also
$ touch seen
-->
- In a list:

  ```console
  $ ls shop \\
      seen
  seen
  ...
  $ cat /etc/shop
  cat: /etc/shop: No such file...
  ```

<!-- test: not run: it needs a screen -->
```sh
false
```

<!-- test: append -->
```toml title="shop/pyproject.toml"
version = "1"
```

<!-- test: exit 3 -->
```sh
cd shop
test "$(cat pyproject.toml)" = 'name = "shop"
version = "1"' && (exit 3)
```
"""


@pytest.fixture
def guide(tmp_path: Path) -> blocks.Guide:
    page = tmp_path / "page.md"
    page.write_text(PAGE, "utf-8")
    return blocks.read(page)


def test_blocks_have_what_stands_above_them(guide: blocks.Guide) -> None:
    assert guide.is_run
    assert [(each.language, each.line, each.title, each.markers) for each in guide.blocks] == [
        ("toml", 4, "shop/pyproject.toml", ()),
        ("console", 8, "", ()),
        ("console", 13, "", ()),
        ("sh", 23, "", ("not run: it needs a screen",)),
        ("toml", 28, "shop/pyproject.toml", ("append",)),
        ("sh", 33, "", ("exit 3",)),
    ]


def test_commands_and_what_they_print(guide: blocks.Guide) -> None:
    found = list(commands(guide.blocks[2]))
    assert [(each.text, each.output, each.line) for each in found] == [
        ("ls shop \\\n    seen\n", ("seen", "..."), 14),
        ("cat /etc/shop\n", ("cat: /etc/shop: No such file...",), 18),
    ]


def test_what_is_shown_is_compared() -> None:
    assert agrees("one\ntwo  \nthree\n", ("one", "...", "th...e"))
    assert agrees("one\n", ("...", "one", "..."))
    assert not agrees("one\ntwo\n", ("one",))
    assert not agrees("one\n", ("one", "two"))


def test_a_page_is_followed_from_the_first_block_to_the_last(guide: blocks.Guide, tmp_path: Path) -> None:
    with contextlib.closing(Session(tmp_path / "session", tmp_path)) as session:
        for block in guide.blocks[:2]:
            session.follow(block)
        with pytest.raises(AssertionError, match="No such file or directory"):
            session.follow(
                blocks.Block("console", "$ cat /etc/shop\nwhat is not there\n", 1, markers=("exit 1",))
            )
        for block in guide.blocks[3:]:
            session.follow(block)
        with pytest.raises(AssertionError, match=r"\(exit 1\)"):
            session.follow(blocks.Block("sh", "false\n", 1))
    assert (tmp_path / "session" / "work" / "seen").exists()
