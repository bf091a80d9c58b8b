"""Runs the blocks of a page as a reader would: one shell, one directory, from the first block to the last."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tests.projects import clean_environment

if TYPE_CHECKING:
    from collections.abc import Iterator

    from docs.generator.blocks import Block

SYSTEM = ("/opt/", "/etc/", "/srv/", "/var/")
"""Directories of the machine that pages write to: they are below the session's own in place of the machine's."""
ANYTHING = "..."
"""In what a command prints: a line of it stands for any lines, inside a line for any characters."""
END = "---end-of-command---"


@dataclass(frozen=True)
class Command:
    """A command of a block, with what the page says that it prints."""

    text: str
    output: tuple[str, ...] | None
    """Lines; None where the page doesn't show any."""
    line: int


def commands(block: Block) -> Iterator[Command]:
    """The commands of a block: of `console` those after a prompt, else the whole."""
    if block.language != "console":
        yield Command(block.text, None, block.line)
        return
    for each in re.finditer(
        r"^\$ (.*\n(?:> .*\n|(?<=\\\n).*\n)*)((?:(?!\$ ).*\n)*)", block.text, re.MULTILINE
    ):
        text = re.sub(r"^> ", "", each[1], flags=re.MULTILINE)
        line = block.line + 1 + block.text.count("\n", 0, each.start())
        yield Command(text, tuple(each[2].splitlines()) or None, line)


def agrees(printed: str, shown: tuple[str, ...]) -> bool:
    """Whether a page shows what was printed, but for white space at the ends and what `...` stands for."""
    return re.fullmatch("".join(map(_pattern, shown)) + r"\s*", printed.rstrip() + "\n") is not None


def _pattern(line: str) -> str:
    """What matches a line that a page shows."""
    if line.strip() == ANYTHING:
        return r"(?:.*\n)*?"
    return re.escape(line.rstrip()).replace(re.escape(ANYTHING), ".*?") + r"\s*?\n"


class Session:
    """One shell in a directory of its own.

    Args:
        directory: For all that the session writes, its home included.
        wheels: Where hatch finds hatch-release.
    """

    def __init__(self, directory: Path, wheels: Path) -> None:
        self.root = directory / "machine"
        self.work = directory / "work"
        programs = directory / "programs"
        for each in (self.work, programs, *(self.root / name.strip("/") for name in SYSTEM)):
            each.mkdir(parents=True)
        (programs / "sudo").write_text('#!/bin/sh\nexec "$@"\n', "utf-8")
        (programs / "sudo").chmod(0o755)
        path = f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        self.shell = subprocess.Popen(
            ["/bin/bash", "--norc", "--noprofile"],
            cwd=self.work,
            env=clean_environment(
                PATH=path,
                PS1="",
                LC_ALL="C.UTF-8",
                UV_FIND_LINKS=str(wheels),
                PIP_FIND_LINKS=str(wheels),
                HATCH_DATA_DIR=str(directory / "hatch"),
                HATCH_CACHE_DIR=str(directory / "hatch-cache"),
            ),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def close(self) -> None:
        """End the shell and what it has left in its group."""
        for stream in (self.shell.stdin, self.shell.stdout):
            if stream is not None:
                stream.close()
        os.killpg(self.shell.pid, signal.SIGKILL)
        self.shell.wait()

    def follow(self, block: Block) -> None:
        """Write the file that a block is, or run its commands."""
        if block.title:
            self._write(block)
        elif block.is_shell and not block.reason_not_to_run and not self._is_without(block):
            wanted = list(commands(block))
            for number, command in enumerate(wanted, 1):
                code = int(block.marked("exit ") or 0) if number == len(wanted) else 0
                self._run(command, code)

    def _is_without(self, block: Block) -> bool:
        needed = block.marked("needs ").split()
        return any(shutil.which(each) is None for each in needed)

    def _write(self, block: Block) -> None:
        file = Path(self._place(block.title))
        if not file.is_absolute():
            file = Path(self._ask("pwd")[0].strip()) / file
        file.parent.mkdir(parents=True, exist_ok=True)
        mode = "a" if "append" in block.markers else "w"
        with file.open(mode, encoding="utf-8") as written:
            written.write(self._place(block.text))

    def _run(self, command: Command, code: int) -> None:
        printed, ended = self._ask(self._place(command.text))
        printed = printed.replace(str(self.root), "")
        told = f"line {command.line}: {command.text}{printed}(exit {ended})"
        assert ended == code, told
        assert command.output is None or agrees(printed, command.output), (
            told + "\nshown:\n" + "\n".join(command.output)
        )

    def _ask(self, text: str) -> tuple[str, int]:
        """Run commands in the shell: what they print, and the exit code of the last."""
        assert self.shell.stdin is not None
        assert self.shell.stdout is not None
        self.shell.stdin.write(f"{{ {text.rstrip()}\n}} </dev/null\nprintf '\\n{END} %s\\n' $?\n")
        self.shell.stdin.flush()
        lines: list[str] = []
        for line in self.shell.stdout:
            if line.startswith(END):
                return "".join(lines).removesuffix("\n"), int(line.split()[1])
            lines.append(line)
        raise AssertionError(f"the shell has ended: {text}{''.join(lines)}")

    def _place(self, text: str) -> str:
        """Put directories of the machine below the session's own."""
        return re.sub(rf"(?<![\w./-])({'|'.join(SYSTEM)})", rf"{self.root}\1", text)
