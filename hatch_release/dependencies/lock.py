"""The file that pins a project's dependencies: finding it, and making sure that it carries hashes."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from packaging.utils import canonicalize_name

from hatch_release.errors import OptionError, ReleaseError

if TYPE_CHECKING:
    from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

OPTION = "lock"
REQUIREMENTS_FILES = ("requirements.lock", "requirements.txt", "requirements/prod.txt")
"""Where a hashed requirements file is looked for when the option `lock` names none."""

_PYLOCK_NAME = re.compile(r"pylock(\.[^.]+)?\.toml")  # PEP 751, "File Name"
_PACKAGES_HEADER = re.compile(r"^(?=\[\[\s*packages\s*\]\])", re.MULTILINE)
_RELATIVE_PATH = re.compile(r"""(\bpath\s*=\s*)(?:"(?!/)([^"]*)"|'(?!/)([^']*)')""")
_SOURCE_DIRECTORIES = ("directory", "editable", "path", "virtual")
_COMMENT = re.compile(r"(^|\s)#.*$")
_FILE_OPTION = re.compile(
    r"(?P<option>-r|--requirement|-c|--constraint|-f|--find-links)(?:\s*=\s*|\s+|(?<=^-[rcf]))(?P<value>\S.*)"
)
_LOCAL = re.compile(r"(?:(?:-e|--editable)[\s=]*)?(?:file:)?(?P<path>\.[^\s\[]*)(?:\[[^\]]*\])?(?:\s*;.*)?")


@dataclass(frozen=True)
class Lock:
    """One lock file."""

    path: Path
    """The file, absolute."""
    kind: Literal["pylock", "uv", "requirements"]
    """`pylock` (PEP 751), `uv` (uv.lock) or `requirements` (a requirements file with hashes)."""


def find_lock(root: Path, configured: str | None) -> Lock | None:
    """The lock of the project at `root`, or None when it has none.

    Args:
        root: The project's root.
        configured: The option `lock`, relative to `root`; None looks for `pylock.toml`, `uv.lock` and
            then for a requirements file (`REQUIREMENTS_FILES`) whose requirements all carry `--hash`.

    Raises:
        ReleaseError: When the configured file is missing, is no lock or has a requirement without a
            hash, or when a `pylock.toml` has a file without a hash.
    """
    if configured is not None:
        return _configured(root, configured)
    if (root / "pylock.toml").is_file():
        return _checked_pylock(root / "pylock.toml")
    if (root / "uv.lock").is_file():
        return Lock(root / "uv.lock", "uv")
    files = (root / name for name in REQUIREMENTS_FILES)
    return next((Lock(path, "requirements") for path in files if _is_hashed(path, root)), None)


def read_toml(path: Path) -> dict[str, Any]:
    """The tables of the TOML file at `path`.

    Raises:
        ReleaseError: When it cannot be read.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ReleaseError(f"{path} cannot be read as TOML: {error}") from error


def check_hashes(pylock: dict[str, Any], source: Path) -> None:
    """Makes sure that every file in the tables `pylock` has a hash, as PEP 751 asks.

    What cannot have one (a directory, a commit of a repository) is left to uv.

    Raises:
        ReleaseError: Naming the first distribution that has none; `source` is the file to blame.
    """
    for package in pylock.get("packages", []):
        files = [*package.get("wheels", []), package.get("sdist"), package.get("archive")]
        if any(not file.get("hashes") for file in files if file is not None):
            raise ReleaseError(
                f"{source} has no hash for a file of {package.get('name')}: make the lock again from "
                "an index that gives hashes (`uv lock`, `uv export --format pylock.toml`)"
            )


def pylock_without(path: Path, project: str) -> str | None:
    """The text of the pylock at `path` without the package `project`, usable from any directory.

    `uv export` puts the project itself into the lock as a directory; installing that would build the
    project a second time, while its wheel exists already.

    Returns:
        The text, its relative paths made absolute; None when `project` is not in the lock.
    """
    header, *packages = _PACKAGES_HEADER.split(path.read_text("utf-8"))
    kept = [package for package in packages if not _describes(package, project)]
    if len(kept) == len(packages):
        return None
    return _RELATIVE_PATH.sub(lambda match: _absolute(match, path.parent), header + "".join(kept))


def pins(lock: Lock, root: Path) -> str | None:
    """The text that decides what is installed from a lock; the same text gives the same files.

    Args:
        lock: The lock.
        root: The project's root.

    Returns:
        None when the lock leaves something open: directories of sources, whose contents may change.

    Raises:
        ReleaseError: When it cannot be read.
    """
    if lock.kind == "requirements":
        return "\n".join(requirement_lines(lock.path, root))
    packages = read_toml(lock.path).get("packages" if lock.kind == "pylock" else "package", [])
    if any(_is_directory(package) for package in packages):
        return None
    return lock.path.read_text("utf-8")


def _is_directory(package: dict[str, Any]) -> bool:
    """Whether a package of a lock is a directory; the project's own wheel is built in any case."""
    source = package.get("source", {})  # of uv.lock
    places = [package.get("directory", {}).get("path"), *(source.get(kind) for kind in _SOURCE_DIRECTORIES)]
    return any(place not in {None, "."} for place in places)


def requirement_lines(path: Path, root: Path) -> list[str]:
    """The lines of a requirements file, those of the files that it includes in their place.

    Args:
        path: The file.
        root: The project's root: a line that stands for the project itself (`-e .`) is left out.

    Returns:
        One line per requirement or option, without comments and continuations; files that an option
        names are absolute.

    Raises:
        ReleaseError: When a file cannot be read.
    """
    lines = []
    for line in _logical_lines(path):
        option = _FILE_OPTION.fullmatch(line)
        if option is None:
            lines += [] if _is_project(line, root) else [line]
        elif option["option"] in {"-r", "--requirement"}:
            lines += requirement_lines(path.parent / option["value"], root)
        elif "://" in option["value"]:
            lines.append(line)
        else:
            lines.append(f"{option['option']} {path.parent / option['value']}")
    return lines


def _configured(root: Path, configured: str) -> Lock:
    path = root / configured
    if not path.is_file():
        raise OptionError(
            f"the option lock names {configured!r}, which is no file in {root}: correct it, or make the lock",
            OPTION,
        )
    if _PYLOCK_NAME.fullmatch(path.name):
        return _checked_pylock(path)
    if path.name == "uv.lock":
        if not root.resolve().is_relative_to(path.resolve().parent):
            raise OptionError(
                f"the option lock names {configured!r}, which is not where uv looks for it, beside the pyproject.toml "
                "of the project or its workspace: move it there, or name what `uv export --format pylock.toml` "
                "makes of it",
                OPTION,
            )
        return Lock(path, "uv")
    if path.suffix in {".toml", ".lock"} and _is_toml(path):
        raise OptionError(
            f"the option lock names {configured!r}, which is no lock that is read here: "
            "name a pylock.toml or pylock.NAME.toml, a uv.lock or a requirements file with hashes "
            "(most tools export one of these)",
            OPTION,
        )
    unhashed = _unhashed(requirement_lines(path, root))
    if unhashed:
        raise OptionError(
            f"the option lock names {configured!r}, where {unhashed[0]!r} has no hash: "
            f"make one with `uv pip compile --generate-hashes pyproject.toml -o {configured}`",
            OPTION,
        )
    return Lock(path, "requirements")


def _checked_pylock(path: Path) -> Lock:
    check_hashes(read_toml(path), path)
    return Lock(path, "pylock")


def _is_toml(path: Path) -> bool:
    try:
        return bool(tomllib.loads(path.read_text("utf-8")))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError):
        return False


def _is_hashed(path: Path, root: Path) -> bool:
    """Whether the file at `path` exists and locks: requirements with hashes, or nothing to install at all."""
    if not path.is_file():
        return False
    lines = requirement_lines(path, root)
    # A file that says only `.` installs the project and locks nothing; one of comments was generated
    # for a project without dependencies.
    return not _unhashed(lines) and (bool(_requirements(lines)) or not _logical_lines(path))


def _requirements(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.startswith("-") or line.startswith(("-e", "--editable"))]


def _unhashed(lines: list[str]) -> list[str]:
    return [line for line in _requirements(lines) if not re.search(r"\s--hash[=\s]", line)]


def _logical_lines(path: Path) -> list[str]:
    """The lines of one file without comments, continuations joined."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ReleaseError(f"{path} cannot be read as a requirements file: {error}") from error
    joined = "\n".join(_COMMENT.sub("", line) for line in text.splitlines()).replace("\\\n", " ")
    return [" ".join(line.split()) for line in joined.splitlines() if line.strip()]


def _is_project(line: str, root: Path) -> bool:
    local = _LOCAL.fullmatch(line)
    return local is not None and (root / local["path"]).resolve() == root.resolve()


def _describes(package: str, project: str) -> bool:
    """Whether one `[[packages]]` table is about the distribution `project`."""
    table = tomllib.loads(package)["packages"][0]
    return canonicalize_name(table.get("name", "")) == canonicalize_name(project)


def _absolute(match: re.Match[str], base: Path) -> str:
    path = base / (match[2] if match[2] is not None else match[3])
    return match[1] + json.dumps(str(path), ensure_ascii=False)  # also a TOML basic string
