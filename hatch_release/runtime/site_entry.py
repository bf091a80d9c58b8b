"""How a child that `python3` itself starts finds the release.

A program may start `sys.executable -m package` or run a script by it. That interpreter imports this file, and gets the
release's modules as its parent has them. Nothing is exported into the environment for that: the interpreter knows
where it is, and RELEASE_VSN which version.

`site` imports it by a `.pth` file of the bundled interpreter, whatever PYTHONPATH says: tools that instrument a program
put a `sitecustomize` of their own there. It is the interpreter's `sitecustomize` as well, for where no such file is
read: a virtual environment made with this interpreter, and Debian's, which has other directories.
"""

import sys


def _boot_file() -> str:
    """The clean boot file of the version that this interpreter belongs to; empty when there is none."""
    import os

    directory = sys.base_prefix
    root, _, python = directory.rpartition("/")
    version = os.environ.get("RELEASE_VSN", "") if os.environ.get("RELEASE_ROOT") == root else ""
    places = [f"{root}/releases/{version}/start.data", f"{root}/releases/start.data"]
    for place in places if version else places[1:]:
        try:
            with open(place, encoding="utf-8") as file:
                python_version, version = file.read().split()
        except (OSError, ValueError):
            continue
        if python == f"python-{python_version}":
            return f"{root}/releases/{version}/start_clean.boot"
    return ""


def _attach(boot_file: str) -> None:
    """Bring up the module index of the boot file, as a spawned child does."""
    import marshal

    with open(boot_file, "rb") as file:
        code = marshal.loads(file.read()[16:])  # noqa: S302 - as trusted as the code beside it
    exec(code, {"__name__": "__mp_main__", "__file__": boot_file})  # noqa: S102 - our own code


# The directory that holds the `.pth` file, and nothing to import.
_SITE = f"{__file__.rpartition('/')[0]}/site-packages"
sys.path[:] = [entry for entry in sys.path if entry != _SITE]
if not any(hasattr(finder, "release_payload") for finder in sys.meta_path):
    _found = _boot_file()
    if _found:
        _attach(_found)
