"""A root file system that holds nothing but glibc, a POSIX shell and coreutils.

That is what a release may expect of its target. Made of this machine's files and entered with bubblewrap:
no Python, no network but loopback, nothing writable.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

GLIBC = (
    "ld-linux-x86-64.so.2",
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "librt.so.1",
    "libutil.so.1",
    "libresolv.so.2",
    "libnss_files.so.2",
    "libnss_dns.so.2",
)
COREUTILS = ("cat", "readlink", "sleep", "ls", "kill", "env", "sha256sum", "touch", "mkdir", "rm", "id")
PLACE = "/opt/über raum"
"""Where the release is inside: with a space and a letter beyond ASCII."""


def make(root: Path, shell: str = "dash") -> Path:
    """Fill the empty directory `root`; `shell` is `dash`, `bash` or `busybox`."""
    libraries = root / "lib" / "x86_64-linux-gnu"
    libraries.mkdir(parents=True)
    (root / "lib64").mkdir()
    for name in GLIBC:
        source = Path("/lib/x86_64-linux-gnu") / name
        if source.exists():
            shutil.copy(source, libraries / name)
    shutil.copy(libraries / "ld-linux-x86-64.so.2", root / "lib64")
    programs = root / "bin"
    programs.mkdir()
    busybox = _program("busybox")
    shutil.copy(busybox, programs / "busybox")
    for name in COREUTILS:
        (programs / name).symlink_to("busybox")
    if shell == "busybox":
        (programs / "sh").symlink_to("busybox")
    else:
        shutil.copy(_program(shell), programs / "sh")
        _copy_libraries(programs / "sh", libraries)
    for name in ("proc", "dev", PLACE[1:], "tmp"):
        (root / name).mkdir(parents=True)
    return root


def command(
    root: Path, release: Path, *arguments: str, shell_code: str = "", options: Sequence[str] = ()
) -> list[str]:
    """The command line that runs `arguments`, or `shell_code`, in the bare root with `release` at `PLACE`.

    `options` are more of bubblewrap's, such as `--tmpfs /tmp` for what has to write somewhere.
    """
    inside = ["/bin/sh", "-c", shell_code] if shell_code else list(arguments)
    return [
        _program("bwrap"),
        "--unshare-all",
        "--die-with-parent",
        "--new-session",
        "--clearenv",
        "--ro-bind",
        str(root),
        "/",
        "--ro-bind",
        str(release),
        PLACE,
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        "--setenv",
        "PATH",
        "/bin",
        "--chdir",
        "/",
        *options,
        "--",
        *inside,
    ]


def run(
    root: Path, release: Path, *arguments: str, shell_code: str = "", options: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    """Run something in the bare root and wait for it."""
    line = command(root, release, *arguments, shell_code=shell_code, options=options)
    return subprocess.run(
        line, capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL
    )


def add_libraries(root: Path, *names: str) -> None:
    """Put more of this machine's libraries into a bare root, with what they need themselves."""
    libraries = root / "lib" / "x86_64-linux-gnu"
    for name in names:
        source = Path("/usr/lib/x86_64-linux-gnu") / name
        if not source.exists():
            pytest.skip(f"{name} is not installed")
        shutil.copy(source, libraries)
        _copy_libraries(source, libraries)


def _program(name: str) -> str:
    """Path of a program that the machine must have; `.ci/run` installs it."""
    found = shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def _copy_libraries(program: Path, libraries: Path) -> None:
    """Copy what the shell itself needs beyond glibc (bash wants libtinfo)."""
    listed = subprocess.run(["/usr/bin/ldd", str(program)], capture_output=True, text=True, check=True).stdout
    for word in listed.split():
        if word.startswith("/lib/") and not (libraries / Path(word).name).exists():
            shutil.copy(word, libraries)
