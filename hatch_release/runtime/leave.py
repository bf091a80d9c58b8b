"""The end of the process: what the interpreter does that others can see, and nothing after it.

When Python ends it joins threads, runs exit handlers, flushes streams, and then takes every module
apart, which can take longer than the program's own work and changes nothing that anyone sees. The
process is over, so the system takes back its memory at once. Source of the order and of the exit codes:
CPython's `Py_FinalizeEx`, `pymain_run_python`, `_PyErr_PrintEx` and `handle_system_exit`.

Two limits follow. `__del__` of an object that is alive at the end is not called, which the language
reference doesn't promise either; `leftovers.py` does it for the files among them. And a second stream that
the program opened on descriptor 1 or 2 itself, beside `sys.stdout` and `sys.stderr`, has to be flushed by it.
"""

from __future__ import annotations

import os
import stat
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, NoReturn

_STANDARD_ERROR = 2

FLUSH_FAILED = 120
"""CPython's exit code when the standard streams can't be flushed at the end."""

TYPED = ("<eval", "<rpc", "<remote")
"""How the file names of code begin that was typed, not imported."""

_C_STREAM_USERS = ("_ctypes", "_curses", "readline")
"""Modules of the standard library through which a program reaches C's own buffered streams."""


def run(function: Callable[..., Any], *parameters: object) -> NoReturn:
    """Call `function` as the whole program, and end the process as Python would.

    What the function gives is handed to `sys.exit`, as a console script's wrapper does.
    """
    error = _end_of(function, parameters)
    _flush_quietly(sys.stderr, sys.stdout)
    code = _outcome(error)
    # The very type: CPython leaves subclasses of it to end with exit code 1.
    leave(code, interrupted=type(error) is KeyboardInterrupt)


def _end_of(function: Callable[..., Any], parameters: tuple[object, ...]) -> BaseException:
    """What ends the program; given, so that it is no longer being handled when a hook is called."""
    try:
        sys.exit(function(*parameters))
    except BaseException as error:  # noqa: BLE001 - whatever it is
        return error


def leave(code: int, *, interrupted: bool = False) -> NoReturn:
    """End the process.

    Args:
        code: The exit code.
        interrupted: Die by SIGINT instead, so that a shell sees an interrupted program.
    """
    if not complete():
        code = FLUSH_FAILED
    if interrupted:
        _interrupt()
    _exit(code)


def complete() -> bool:
    """Join threads, run exit handlers, flush streams and files; false when the streams can't be flushed."""
    flushed = True
    try:
        _join_threads()
        import atexit

        atexit._run_exitfuncs()  # noqa: SLF001 - what the interpreter itself calls
        flushed = _flush_streams()
        if _writes_to_files():
            from . import leftovers

            leftovers.complete()
    except BaseException as error:  # noqa: BLE001 - a signal's handler raised it: too late for anybody
        _ignored("while the system ends", error)
    return flushed


def _outcome(error: BaseException) -> int:
    """Show what ended the program, and give the exit code that it stands for."""
    if isinstance(error, SystemExit):
        return exit_code(error.code)
    traceback = error.__traceback__ = program_part(error.__traceback__)
    sys.last_type, sys.last_value, sys.last_traceback = type(error), error, traceback
    sys.last_exc = error  # type: ignore[attr-defined,unused-ignore]  # Python 3.12 and newer
    hook = getattr(sys, "excepthook", None)
    if hook is None:
        _complain("sys.excepthook is missing\n")
    if hook is None or hook is sys.__excepthook__:
        _display(error)
        return 1
    try:
        hook(type(error), error, traceback)
    except SystemExit as left:
        return exit_code(left.code)
    except BaseException as failure:  # noqa: BLE001 - a program's own hook may fail; its exception must still be seen
        _complain("Error in sys.excepthook:\n")
        show(failure)
        _complain("\nOriginal exception was:\n")
        _display(error)
    return 1


def abandon(code: int) -> NoReturn:
    """End the process without the threads that don't end: streams are flushed, nothing more.

    Args:
        code: The exit code.
    """
    _flush_quietly(sys.stdout, sys.stderr)
    os._exit(code)


def limit(seconds: float, end: Callable[[], object]) -> None:
    """Call `end` in `seconds`, if threads that don't end have kept the process until then.

    Args:
        seconds: How long.
        end: Ends the process.
    """
    import threading
    import time

    def give_up() -> None:
        time.sleep(seconds)
        names = [each.name for each in threading.enumerate() if not each.daemon]
        _complain(f"Warning: these threads don't end and are given up: {', '.join(names)}\n")
        end()

    threading.Thread(target=give_up, daemon=True).start()


def exit_code(code: object) -> int:
    """The exit code that `SystemExit(code)` stands for; anything but a number is printed."""
    if code is None:
        return 0
    if isinstance(code, int):
        # What C's long can't hold becomes -1.
        return code & 0xFF if -(1 << 63) <= code < 1 << 63 else 0xFF
    try:
        text = str(code)
    except Exception:  # noqa: BLE001 - the program's own object
        text = ""
    if sys.stderr is None:
        _write_error(f"{text}\n".encode("utf-8", "backslashreplace"))
    else:
        _complain(f"{text}\n")
    return 1


def _write_error(data: bytes) -> None:
    """Write to the descriptor of standard error, as far as it is open."""
    try:
        os.write(_STANDARD_ERROR, data)
    except OSError:
        return


def show(error: BaseException) -> None:
    """Print an exception as the interpreter would, without the frames that led to the program."""
    error.__traceback__ = program_part(error.__traceback__)
    _display(error)


def _display(error: BaseException) -> None:
    """Print an exception with its traceback; unlike the interpreter's own, this knows the lines of `eval`."""
    if sys.stderr is None:
        return
    try:
        import traceback

        traceback.print_exception(type(error), error, error.__traceback__)
    except Exception:  # noqa: BLE001 - short of memory or stack; the interpreter's own needs neither
        sys.__excepthook__(type(error), error, error.__traceback__)
    if isinstance(error, ModuleNotFoundError):
        from . import left_out

        _complain(left_out.hint(error.name))


def _complain(text: str) -> None:
    """Write to standard error, if there is one."""
    try:
        sys.stderr.write(text)
    except Exception:  # noqa: BLE001 - nobody is left to tell
        return


def _ignored(where: str, error: BaseException) -> None:
    """Show an exception that nothing can be done about any more."""
    _complain(f"Exception ignored {where}:\n")
    show(error)


def program_part(traceback: TracebackType | None) -> TracebackType | None:
    """The traceback from the first frame that is not the runtime's own or the import system's.

    In `eval` that is the code's own first frame, also when an event loop lies between. None when the error
    came from no code of the program, as with a syntax error.
    """
    own = __file__.rpartition("/")[0] + "/"
    first = None
    part = traceback
    while part is not None:
        name = part.tb_frame.f_code.co_filename
        if name.startswith(TYPED):
            return part
        file = str(part.tb_frame.f_globals.get("__file__") or "")
        if first is None and not file.startswith(own) and not name.startswith("<frozen importlib"):
            first = part
        part = part.tb_next
    return first


def _interrupt() -> NoReturn:
    """End by SIGINT itself (CPython's `exit_sigint`)."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGINT)
    os._exit(128 + signal.SIGINT)


def _join_threads() -> None:
    """Wait for the threads that are no daemons."""
    threading = sys.modules.get("threading")
    if threading is None:
        return
    try:
        threading._shutdown()  # noqa: SLF001 - what the interpreter itself calls: joins the threads
    except BaseException as error:  # noqa: BLE001 - an impatient ^C; the exit handlers run all the same
        _ignored("on threading shutdown", error)


def _flush_streams() -> bool:
    """Flush standard output and error; whether that worked."""
    done = True
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None and not getattr(stream, "closed", False):
                stream.flush()
        except BaseException as error:  # noqa: BLE001 - a program may have put anything there
            done = False
            if stream is sys.stdout:
                where = "on flushing sys.stdout:" if sys.version_info >= (3, 13) else f"in: {stream!r}"
                _complain(f"Exception ignored {where}\n{type(error).__name__}: {error}\n")
    # What was printed before the program put streams of its own into their places.
    if sys.__stdout__ is not sys.stdout or sys.__stderr__ is not sys.stderr:
        _flush_quietly(sys.__stdout__, sys.__stderr__)
    return done


def _flush_quietly(*streams: Any) -> None:  # noqa: ANN401 - a program may have put anything there
    """Flush streams as far as that works."""
    for stream in streams:
        try:  # noqa: SIM105 - contextlib is not imported at every start
            stream.flush()
        except Exception:  # noqa: BLE001, S110 - the last flush of all says what is wrong
            pass


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
        if writable and int(number) > _STANDARD_ERROR:
            return True
    return False


def _exit(code: int) -> NoReturn:
    """Leave by C's `exit` where C's own streams and handlers may be in use, so that they end well."""
    if any(name in sys.modules for name in _C_STREAM_USERS) or has_foreign_code():
        try:
            import ctypes

            # PyDLL keeps the GIL: no daemon thread runs while C's exit handlers do.
            ctypes.PyDLL(None).exit(code)
        except (ImportError, OSError, AttributeError):
            pass  # no ctypes in this release: what follows is all there is to do
    os._exit(code)


def has_foreign_code() -> bool:
    """Whether any module is compiled and not the interpreter's own."""
    for module in list(sys.modules.values()):
        try:
            # Not `module.__file__`: a module that loads itself when first touched must not do so now.
            file = object.__getattribute__(module, "__dict__").get("__file__")
        except AttributeError:
            continue
        if isinstance(file, str) and file.endswith(".so") and "/lib-dynload/" not in file:
            return True
    return False
