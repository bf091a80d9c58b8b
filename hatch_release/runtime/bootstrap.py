"""The first code of a release: the front of every boot file (see `bootfile.py`).

It runs as `__main__`, before anything but the interpreter's own core is imported, and again as
`__mp_main__` in a child that `multiprocessing` spawns. All it does is to bring up the module index and
to hand over to `boot.py`; it imports nothing that is not built in.
"""

import marshal
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

MAGIC = b"HRBOOT\x00\x02"  # of bootfile.py, which can't be imported yet


def _install(boot_file: str) -> "Any":  # noqa: ANN401 - the finder, whose class is only made here
    """Read `boot_file`, put its index in front of the import system, and give the finder."""
    with open(boot_file, "rb", 0) as file:
        data = file.read()
    try:
        offset = int.from_bytes(data[-16:-8], "little")
        payload = marshal.loads(memoryview(data)[offset:-24] if data[-24:-16] == MAGIC else b"")  # noqa: S302 - as trusted as the code beside it
    except (ValueError, EOFError, TypeError):
        found = data[-24:-16]
        if found != MAGIC and found[:-1] == MAGIC[:-1]:
            reason = f"has format {found[-1]}, and its launcher reads format {MAGIC[-1]}"
        else:
            reason = "is damaged"
        sys.exit(f"ERROR: {boot_file} {reason}: install the release again from its archive")
    package = "hatch_release.runtime"
    module = type(sys)(package + ".importer")
    module.__package__ = package
    exec(marshal.loads(payload["importer"]), module.__dict__)  # noqa: S102, S302 - our own code
    sys.modules[module.__name__] = module
    # ROOT/releases/VSN/start.boot
    root = boot_file.rsplit("/", 3)[0]
    return module.install(root, payload)


def _boot_file() -> str:
    """This very file's absolute path; a child's may come relative to where its parent was."""
    name: str = __file__
    if name.startswith("/"):
        return name
    import posix

    return posix.getcwd() + "/" + name


if __name__ == "__main__":
    _finder = _install(_boot_file())
    from hatch_release.runtime import boot

    boot.main(_finder, sys.argv[1:])
elif __name__ == "__mp_main__":
    if not any(
        hasattr(each, "release_payload") for each in sys.meta_path
    ):  # `site_entry.py` may have come first
        _install(_boot_file()).close_image()
    sys.path[:] = dict.fromkeys(sys.path)  # the parent's has come already
    if sys.flags.no_site:
        from hatch_release.runtime import site_builtins

        site_builtins.add()
