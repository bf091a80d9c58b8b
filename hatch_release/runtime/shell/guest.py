"""A subclass of IPython's shell that leaves alone what is the process's: see `ipython.py`."""

from __future__ import annotations

import atexit
import bdb
import contextlib
import linecache
import os
import sys
import time
from collections import defaultdict

from IPython.core.autocall import ExitAutocall
from IPython.core.builtin_trap import BuiltinTrap
from IPython.core.compilerop import CachingCompiler
from IPython.core.display_functions import display
from IPython.core.display_trap import DisplayTrap
from IPython.core.error import UsageError
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Any as AnyTrait
from traitlets import Type, default
from traitlets.config import Config

from . import compiling, processes
from .showing import SHOW

TYPE_CHECKING = False
if TYPE_CHECKING:
    import ast
    import asyncio
    from collections.abc import Callable
    from types import CodeType, TracebackType
    from typing import Any

_LOOKS, _PAUSE = 100, 0.01
"""How often, and with how many seconds between, it is looked whether a thread has come to its end."""


class _NoBuiltinTrap(BuiltinTrap):
    """Leaves `builtins` alone."""

    def activate(self) -> None:
        """Nothing."""

    def deactivate(self) -> None:
        """Nothing."""


class _NoDisplayTrap(DisplayTrap):
    """Leaves `sys.displayhook` alone."""

    def set(self) -> None:
        """Nothing."""

    def unset(self) -> None:
        """Nothing."""


class _Exit(ExitAutocall):
    """`exit`, `exit()` and `exit(3)`."""

    def __call__(self, code: object = None) -> None:
        raise SystemExit(code)


class _NoProfile:
    """What IPython asks for directories of a profile."""

    location = startup_dir = log_dir = pid_dir = security_dir = static_dir = ""


class Guest(InteractiveShell):
    """IPython's shell without what is the process's."""

    # Anything: there are no directories for a profile.
    profile_dir = AnyTrait()
    compiler_class = Type(default_value=compiling.Compiler, klass=CachingCompiler)

    def __init__(self, name: str, run: Callable[[CodeType, dict[str, Any]], None], *, colors: bool) -> None:
        self.left: SystemExit | None = None
        self.rl_next_input: str | None = None
        self._raised: tuple[Any, Any, Any] | None = None
        self._execute = run
        self._memory: dict[str, Any] = {}
        config = Config()
        config.HistoryManager.enabled = False
        config.HistoryManager.hist_file = ":memory:"
        # It would parse sources, which a release has not, keep what it parsed in the home directory, and take its time.
        # What lives in the system can be asked itself.
        config.IPCompleter.use_jedi = False
        config.InteractiveShell.display_page = True
        config.InteractiveShell.colors = "neutral" if colors else "nocolor"
        super().__init__(config=config, user_ns={"__name__": "__main__", "__doc__": None})
        atexit.unregister(self.atexit_operations)
        self.compile.named = name
        self.display_formatter.active_types = ["text/plain"]

    # What IPython sets up for a process of its own.

    def init_ipython_dir(self, ipython_dir: object) -> None:
        """There is none."""

    def init_profile_dir(self, profile_dir: object) -> None:  # noqa: ARG002 - IPython's
        """There is none."""
        self.profile_dir = _NoProfile()

    def init_virtualenv(self) -> None:
        """A release has its modules."""

    def init_sys_modules(self) -> None:
        """`__main__` is the program's."""

    def init_pushd_popd_magic(self) -> None:
        """Without the checks of the home directory, which there may not be."""
        self.home_dir = os.path.expanduser("~")
        self.dir_stack: list[str] = []

    def init_builtins(self) -> None:
        """Put into the shell's namespace what would be put into `builtins`."""
        self.builtin_trap = _NoBuiltinTrap(shell=self)
        own = {"display": display, SHOW: self._show}
        self.user_ns.update(own)
        self.user_ns_hidden.update(own)

    def init_prompts(self) -> None:
        """`sys.ps1` would tell the program that it is interactive."""

    def init_traceback_handlers(self, custom_exceptions: Any) -> None:  # noqa: ANN401 - IPython's
        """Tracebacks have no frame of IPython's own in front."""
        super().init_traceback_handlers(custom_exceptions)
        self.InteractiveTB.tb_offset = 0

    def init_history(self) -> None:
        """Keep it in memory, and not in a dictionary that is all shells'."""
        super().init_history()
        if hasattr(type(self.history_manager), "outputs"):
            self.history_manager.outputs = defaultdict(list)

    def init_displayhook(self) -> None:
        """Leave `sys.displayhook` alone: `_Compiler` calls ours."""
        super().init_displayhook()
        self.display_trap = _NoDisplayTrap(hook=self.displayhook)

    def init_hooks(self) -> None:
        """Refuse what would use the terminal of the system."""
        super().init_hooks()
        self.set_hook("editor", _refuse_editor, 0)

    @property
    def db(self) -> dict[str, Any]:
        """What magics remember, which ends with the shell."""
        return self._memory

    @db.setter
    def db(self, _value: object) -> None:
        """Not in files."""

    @default("exiter")
    def _exiter_default(self) -> _Exit:
        return _Exit(self)

    # Running code.

    def run_here(self, source: str) -> None:
        """Run a cell in this thread."""
        self.left = None
        failed = None
        try:
            transformed = self.transform_cell(source)
        except Exception:  # noqa: BLE001 - shown by the cell
            transformed, failed = source, sys.exc_info()
        if failed is None and not self._imported(transformed):
            return
        cell = self.run_cell_async(
            source, store_history=True, transformed_cell=transformed, preprocessing_exc_tuple=failed
        )
        result = None
        try:
            # It awaits nothing: `run_code` waits for code that does.
            cell.send(None)
        except StopIteration as end:
            result = end.value
        finally:
            cell.close()
            self.events.trigger("post_execute")
            self.events.trigger("post_run_cell", result)
        left, self.left = self.left, None
        if left is not None:
            raise left

    def _imported(self, source: str) -> bool:
        """Import what dotted names begin with, as all commands do; whether that went well."""
        try:
            compiling.import_names(source, self.user_ns)
        except BaseException:  # noqa: BLE001 - what a module raises
            self.showtraceback()
            return False
        return True

    async def run_ast_nodes(
        self,
        nodelist: list[ast.stmt],
        cell_name: str,
        interactivity: str = "last_expr",
        *others: object,
        **more: object,
    ) -> object:
        """Run statements one by one; but all of those with one that awaits in the event loop, where it is at home."""
        if self.autoawait and len(nodelist) > 1 and compiling.awaits(nodelist):
            nodelist, interactivity = compiling.together(nodelist, interactivity), "none"
        return await super().run_ast_nodes(nodelist, cell_name, interactivity, *others, **more)

    async def run_code(self, code_obj: CodeType, result: Any = None, *, async_: bool = False) -> bool:  # noqa: ANN401, ARG002 - IPython's
        """Run compiled code; whether it failed."""
        try:
            self._execute(code_obj, self.user_ns)
        except SystemExit as error:
            self.left = error
            self._note(result, error)
        except bdb.BdbQuit as error:
            self._note(result, error)
        except BaseException as error:  # noqa: BLE001 - the code's own
            self._note(result, error)
            error.__traceback__ = _beginning(error.__traceback__, code_obj)
            self.showtraceback(
                (type(error), error, error.__traceback__), tb_offset=0, running_compiled_code=True
            )
        else:
            return False
        return True

    @staticmethod
    def _note(result: Any, error: BaseException) -> None:  # noqa: ANN401 - IPython's
        if result is not None:
            result.error_in_exec = error

    def _show(self, value: object = None) -> None:
        """Show the value of an expression."""
        self.displayhook(value)

    def _get_exc_info(self, exc_tuple: Any = None) -> tuple[Any, Any, Any]:  # noqa: ANN401 - IPython's
        """What was raised at last, in this shell: not `sys.last_value`, which is the program's."""
        found = exc_tuple or sys.exc_info()
        if found[0] is None:
            if self._raised is None:
                raise ValueError("No exception to find")
            return self._raised
        self._raised = found
        return self._raised

    def debugger(self, force: bool = False) -> None:  # noqa: FBT001, FBT002 - IPython's
        """`%debug`: look into what was raised at last."""
        if self._raised is None:
            raise UsageError("nothing was raised in this shell")
        if force or self.call_pdb:
            # Not by the function for tracebacks, which looks into `sys.last_value`. Without a key for completion,
            # readline, if the program uses it, stays the program's.
            debugger = self.debugger_cls(completekey=None)
            debugger.reset()
            debugger.botframe = self._raised[2].tb_frame
            debugger.interaction(None, self._raised[2])

    def ask_exit(self) -> None:
        """Leave the shell."""
        raise SystemExit

    # Programs that are run from here.

    def system(self, cmd: str) -> None:
        """`!COMMAND`: its output comes here, and it has no input."""
        self.user_ns["_exit_code"] = processes.run(self.var_expand(cmd, depth=1))

    system_piped = system_raw = system

    def end(self) -> None:
        """Let go of everything."""
        scripts = self.magics_manager.registry.get("ScriptMagics")
        if scripts is not None:
            atexit.unregister(scripts.kill_bg_processes)
            if hasattr(scripts, "stop_event_loop"):
                scripts.stop_event_loop()
            elif scripts.event_loop is not None:
                _close(scripts.event_loop)
        for name in self.compile.names:
            linecache.cache.pop(name, None)
        with contextlib.suppress(Exception):
            self.atexit_operations()
        self._raised = None
        self.user_ns.clear()


def _refuse_editor(*_file_and_line: object) -> None:
    raise UsageError("an editor would open where the system runs, not here")


def _close(loop: asyncio.AbstractEventLoop) -> None:
    """Close an event loop that runs in a thread of its own."""
    loop.call_soon_threadsafe(loop.stop)
    for _ in range(_LOOKS):
        if not loop.is_running():
            loop.close()
            return
        time.sleep(_PAUSE)


def _beginning(traceback: TracebackType | None, code: CodeType) -> TracebackType | None:
    """The part of a traceback that begins with the code itself; nothing when it didn't come so far."""
    each = traceback
    while each is not None and each.tb_frame.f_code is not code:
        each = each.tb_next
    return each
