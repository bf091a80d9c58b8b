"""Runs one command and prints what it used: a process of its own that stays as small as Python can be.

Linux counts into a child's peak memory what its parent held when the child was made, so the parent must be
smaller than whatever it measures: this file imports nothing but built-in modules and is started with `-I -S`.
It also empties the page cache itself, once it is loaded, so that loading it warms nothing.

Arguments: KIND COUNT TREE... COMMAND...
    KIND is `warm`, `drop` (the whole page cache, needs root) or `forget` (the COUNT trees that follow).
Output: one line `CPU WALL PEAK FLOOR CODE`.
    CPU and WALL are seconds, of the command and the children that it waited for; PEAK is the largest
    resident memory of one of these processes in bytes, FLOOR the smallest PEAK that can be seen from here;
    CODE is the exit code, negative for a signal.
"""

from __future__ import annotations

import posix
import sys
import time

KIB = 1024
DROP_CACHES = "/proc/sys/vm/drop_caches"


def forget(tree: str) -> None:
    """Take the pages of every file below `tree`, or of one file, from the cache."""
    try:
        entries = list(posix.scandir(tree))
    except NotADirectoryError:
        forget_file(tree)
        return
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            forget(entry.path)
        elif entry.is_file():
            forget_file(entry.path)


def forget_file(path: str) -> None:
    """Take the pages of one file from the cache."""
    descriptor = posix.open(path, posix.O_RDONLY)
    posix.posix_fadvise(descriptor, 0, 0, posix.POSIX_FADV_DONTNEED)
    posix.close(descriptor)


def cool(kind: str, trees: list[str]) -> None:
    """Make the page cache what `kind` says; written pages go to the disk first, or they would stay."""
    if kind == "warm":
        return
    posix.sync()
    if kind == "drop":
        with open(DROP_CACHES, "w") as control:  # noqa: PTH123 - pathlib would make this process too big
            control.write("3\n")
    for tree in trees if kind == "forget" else []:
        forget(tree)


def own_peak() -> int:
    """The peak memory of this process in bytes (`VmHWM`, proc(5))."""
    with open("/proc/self/status") as status:  # noqa: PTH123 - pathlib would make this process too big
        line = next(line for line in status if line.startswith("VmHWM:"))
    return int(line.split()[1]) * KIB


def main() -> None:
    """Do what the module says."""
    kind, count = sys.argv[1], int(sys.argv[2])
    trees, command = sys.argv[3 : 3 + count], sys.argv[3 + count :]
    silent = [
        (posix.POSIX_SPAWN_OPEN, 0, "/dev/null", posix.O_RDONLY, 0),
        (posix.POSIX_SPAWN_OPEN, 1, "/dev/null", posix.O_WRONLY, 0),
    ]
    cool(kind, trees)
    start = time.monotonic()
    child = posix.posix_spawn(command[0], command, posix.environ, file_actions=silent)
    _, status, usage = posix.wait4(child, 0)
    wall = time.monotonic() - start
    cpu = usage.ru_utime + usage.ru_stime
    code = posix.waitstatus_to_exitcode(status)
    print(repr(cpu), repr(wall), usage.ru_maxrss * KIB, own_peak(), code)


main()
