"""The end of the process: what the interpreter does that others can see, and nothing after it.

When Python ends it joins threads, runs exit handlers, flushes streams, and then takes every module
apart, which can take longer than the program's own work and changes nothing that anyone sees. The
process is over, so the system takes back its memory at once. Source of the order and of the exit codes:
CPython's `Py_FinalizeEx`, `pymain_run_python` and `handle_system_exit`.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_LAST_STANDARD_STREAM = 2

FLUSH_FAILED = 120
"""CPython's exit code when the standard streams can't be flushed at the end."""


def run(function: Callable[..., Any], *parameters: object) -> NoReturn:
    """Call `function` as the whole program, and end the process as Python would.

    What the function gives is handed to `sys.exit`, as a console script's wrapper does.
    """
    try:
        sys.exit(function(*parameters))
    except SystemExit as error:
        code = _exit_code(error.code)
    except KeyboardInterrupt as error:
        _report(error)
        _interrupt()
    except BaseException as error:  # noqa: BLE001 - the program's end, whatever it is
        _report(error)
        code = 1
    leave(code)


def leave(code: int) -> NoReturn:
    """End the process with the exit code `code`."""
    threading = sys.modules.get("threading")
    if threading is not None:
        threading._shutdown()  # noqa: SLF001 - what the interpreter itself calls: joins the threads
    import atexit

    atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter itself calls
    if not _flush_streams() and code == 0:
        code = FLUSH_FAILED
    _flush_files()
    _exit(code)


def _exit_code(code: object) -> int:
    """The exit code that `SystemExit(code)` stands for; anything but a number is printed."""
    if code is None:
        return 0
    if isinstance(code, int):
        return code & 0xFF
    sys.stdout.flush()
    sys.stderr.write(f"{code}\n")
    return 1


def _report(error: BaseException) -> None:
    """Show an exception as the interpreter would, without the frames that led to the program."""
    traceback = _program_part(error.__traceback__)
    error.__traceback__ = traceback
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    try:
        sys.excepthook(type(error), error, traceback)
    except BaseException:  # noqa: BLE001 - a program's own hook may fail; its exception must still be seen
        sys.__excepthook__(type(error), error, traceback)


def _program_part(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame that is not the runtime's own or the import system's."""
    own = __file__.rpartition("/")[0]
    part = traceback
    while part is not None:
        file = part.tb_frame.f_globals.get("__file__") or ""
        name = part.tb_frame.f_code.co_filename
        if not (str(file).startswith(own) or name.startswith("<frozen importlib")) or name.startswith(
            "<eval"
        ):
            return part
        part = part.tb_next
    return traceback


def _interrupt() -> NoReturn:
    """End by SIGINT itself, so that a shell sees an interrupted program (CPython's `exit_sigint`)."""
    import signal

    sys.stdout.flush()
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    leave(128 + signal.SIGINT)


def _flush_streams() -> bool:
    """Flush standard output and error; whether that worked."""
    done = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not stream.closed:
                stream.flush()
        except (OSError, ValueError, AttributeError) as error:
            done = done and stream is not sys.stdout
            if stream is sys.stdout and sys.stderr is not None:
                sys.stderr.write(f"Exception ignored in: {stream!r}\n{type(error).__name__}: {error}\n")
    return done


def _flush_files() -> None:
    """Flush the files that the program left open: taking the modules apart would have done that."""
    if not _writes_to_files():
        return
    import gc
    import io

    kinds = {io.TextIOWrapper, io.BufferedWriter, io.BufferedRandom}
    gc.unfreeze()
    for each in gc.get_objects():
        if type(each) in kinds and not each.closed:
            try:
                each.flush()
            except (OSError, ValueError):
                continue  # nobody is left to tell, as when Python takes the object apart


def _writes_to_files() -> bool:
    """Whether the process has a descriptor open for writing besides the standard streams.

    Looking costs microseconds, walking all objects in search of files milliseconds. The permissions of the
    links in /proc/self/fd are the descriptors' modes (proc(5)).
    """
    try:
        numbers = os.listdir("/proc/self/fd")
    except OSError:
        return True
    for number in numbers:
        try:
            writable = os.lstat(f"/proc/self/fd/{number}").st_mode & stat.S_IWUSR
        except OSError:
            continue  # the descriptor of the listing itself
        if writable and int(number) > _LAST_STANDARD_STREAM:
            return True
    return False


def _exit(code: int) -> NoReturn:
    """Leave by C's `exit` where foreign C code is loaded, so that its own streams and handlers end well."""
    if has_foreign_code():
        try:
            import ctypes

            # PyDLL keeps the GIL: no daemon thread runs while C's exit handlers do.
            ctypes.PyDLL(None).exit(code)
        except (ImportError, OSError, AttributeError):
            pass  # no ctypes in this release: what follows is all there is to do
    os._exit(code)


def has_foreign_code() -> bool:
    """Whether any module is compiled and not the interpreter's own."""
    files = [getattr(module, "__file__", None) for module in list(sys.modules.values())]
    return any(
        isinstance(file, str) and file.endswith(".so") and "/lib-dynload/" not in file for file in files
    )
