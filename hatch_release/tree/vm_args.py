"""`vm.args` and `remote.vm.args`: read as the launcher reads them, and refused when the interpreter refuses them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, NamedTuple

from hatch_release.errors import ReleaseError
from hatch_release.runtime import layout
from hatch_release.tree.templates import SUFFIX, templates_directory

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from hatch_release.assembly import Assembly

_MARK = "the script was run"
_SCRIPT = f"import sys; sys.stdout.write({_MARK!r})\n"
_IGNORED = "Invalid -W option ignored"
"""How CPython begins to tell of a bad `-W`, which does not stop it."""
_SECONDS = 60


class Word(NamedTuple):
    """One word of the file."""

    line: int
    text: str


def read_words(text: str) -> list[Word]:
    """The words of a file of options: grouped by quotes, without what follows a `#` at the start of a word.

    Args:
        text: The file's.

    Raises:
        ReleaseError: When a quote is not closed in its line.
    """
    return [
        Word(number, word)
        for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), 1)
        for word in _words(line, number)
    ]


def _words(line: str, number: int) -> Iterator[str]:
    word, quote, started = "", "", False
    for char in f"{line} ":
        if quote:
            word, quote = (word, "") if char == quote else (word + char, quote)
        elif char in "'\"":
            quote, started = char, True
        elif char.isspace():
            if started:
                yield word
            word, started = "", False
        elif char == "#" and not started:
            return
        else:
            word, started = word + char, True
    if quote:
        raise ReleaseError(f"line {number} has a quote that is not closed")


def check_vm_args(assembly: Assembly) -> None:
    """Ask the interpreter of the release whether it takes the options of both files.

    Raises:
        ReleaseError: When it doesn't; names the file, the line and what the interpreter says.
    """
    release = assembly.release
    bundled = release.path / release.python_directory / "bin" / "python3"
    python = bundled if release.python_directory else assembly.interpreter.executable
    script = release.scratch / "vm_args.py"
    script.write_text(_SCRIPT, encoding="utf-8")
    for name in (layout.VM_ARGS, layout.REMOTE_VM_ARGS):
        file = release.version_path / name
        template = templates_directory(release) / (name + SUFFIX)
        where = template if template.is_file() else file.relative_to(release.path)
        try:
            words = read_words(file.read_text(encoding="utf-8"))
            if words:
                _check(python, words, script)
        except (ReleaseError, OSError, UnicodeError) as error:
            raise ReleaseError(f"{str(where).removeprefix(f'{release.project.root}/')}: {error}") from error


def _check(python: Path, words: Sequence[Word], script: Path) -> None:
    """Refuse words that the interpreter refuses, with the first one that is wrong."""
    told = _told(python, words, script)
    if told is None:
        return
    # An option's argument may be the next word: what is wrong comes after the longest beginning that is good.
    good = next(
        count for count in range(len(words) - 1, -1, -1) if _told(python, words[:count], script) is None
    )
    wrong = words[good]
    raise ReleaseError(
        f"line {wrong.line}: Python doesn't take '{wrong.text}' as an option before its program: {told}"
    )


def _told(python: Path, words: Sequence[Word], script: Path) -> str | None:
    """What the interpreter says against some options; None when it takes them."""
    command = [str(python), "-I", "-S", *(word.text for word in words), str(script)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            check=False,
            timeout=_SECONDS,
            env={},
            cwd=script.parent,
        )
    except subprocess.TimeoutExpired:
        return f"nothing is run within {_SECONDS} s"
    ignored = next((line for line in done.stderr.splitlines() if line.startswith(_IGNORED)), None)
    if ignored:
        return ignored
    if done.returncode == 0 and done.stdout.endswith(_MARK):
        return None
    lines = done.stderr.strip().splitlines()
    return lines[0] if lines and done.returncode else "the program of the release would not be run"
