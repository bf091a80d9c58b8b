"""The private directory that leads to a node: its lock, and its socket.

It is `control/` of mode 0700 below RELEASE_TMP. Where RELEASE_TMP can't be written and nobody has set it, a private
directory in /tmp or /dev/shm takes its place, which node and commands find by the same rule. Everything below it is
reached through a descriptor of the directory: nobody can swap it meanwhile, and a socket's path fits into the 108 bytes
that unix(7) allows, however deep the release lies.
"""

from __future__ import annotations

import os

from ..layout import TMP
from .place import PRIVATE, Place, RefusedError, open_private

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "control"
_COMMON = 0o777
_ATTEMPTS = 10
_FALLBACKS = ("/tmp", "/dev/shm")  # noqa: S108 - the directory that is made there is checked
_PREFIX = "hatch-release-"


def candidates(root: str) -> Iterator[str]:
    """The directories for what is written at run time, the best first.

    Args:
        root: The release's.
    """
    default = f"{root}/{TMP}"
    wanted = os.environ.get("RELEASE_TMP") or default
    yield wanted
    if wanted == default:
        for place in _FALLBACKS:
            yield f"{place}/{_PREFIX}{os.geteuid()}-{_identity(root)}"


def of_others(root: str) -> Iterator[str]:
    """The private directories of other users' nodes of this release, for root.

    Args:
        root: The release's.
    """
    ending = f"-{_identity(root)}"
    for place in _FALLBACKS if os.geteuid() == 0 else ():
        try:
            names = os.listdir(place)
        except OSError:
            continue
        yield from (f"{place}/{name}" for name in names if name.startswith(_PREFIX) and name.endswith(ending))


def _all(root: str) -> Iterator[str]:
    """Where a node's directory may be; looked for one after the other, since /tmp may be large."""
    yield from candidates(root)
    yield from of_others(root)


def _identity(root: str) -> str:
    """What tells one release from another, however it is reached."""
    found = os.stat(root)
    return f"{found.st_dev:x}-{found.st_ino:x}"


def is_default(root: str) -> bool:
    """Whether nobody has set RELEASE_TMP.

    Args:
        root: The release's.
    """
    return next(candidates(root)) == f"{root}/{TMP}"


def create(root: str) -> Place:
    """Make the directory unless it is there, and open it.

    Args:
        root: The release's.

    Raises:
        RefusedError: When it belongs to somebody else, or is no directory.
        OSError: When none can be made.
    """
    reasons: list[OSError] = []
    for number, place in enumerate(candidates(root)):
        for _again in range(_ATTEMPTS):
            try:
                made = _make(place, private=number > 0)
                return Place(f"{place}/{NAME}", open_private(f"{place}/{NAME}"), made)
            except FileNotFoundError as error:  # another node has just ended, and removed it
                reasons.append(error)
            except RefusedError:
                if number == 0:
                    raise
                break
            except OSError as error:
                reasons.append(error)
                break
    raise reasons[0]


def _make(place: str, *, private: bool) -> tuple[str, ...]:
    """Make `place` and the directory in it; what was not there before."""
    made = _make_one(place, PRIVATE if private else _COMMON)
    if private:
        os.close(open_private(place))
    return (*made, *_make_one(f"{place}/{NAME}", PRIVATE))


def _make_one(path: str, mode: int) -> tuple[str, ...]:
    """Make a directory, and those above it; it alone is given, if it was not there before."""
    try:
        os.mkdir(path, mode)
    except FileExistsError:
        return ()
    except FileNotFoundError:
        os.makedirs(path, mode, exist_ok=True)
    if mode == PRIVATE:
        os.chmod(path, mode)  # whatever the umask is
    return (path,)


def find(root: str, file: str) -> Place | None:
    """The directory that holds `file`; None when none does.

    Args:
        root: The release's.
        file: The name of what leads to the node.

    Raises:
        PermissionError: When only others may look there.
    """
    denied = None
    for place in _all(root):
        path = f"{place}/{NAME}"
        try:
            found = Place(path, os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC))
        except PermissionError as error:
            denied = denied or error
            continue
        except OSError:
            continue
        if found.has(file):
            return found
        found.close()
    if denied:
        raise denied
    return None
