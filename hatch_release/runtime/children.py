"""The options that a program hands on to an interpreter that it starts.

The launcher runs the interpreter with `-I -S`. `subprocess` tells `multiprocessing` and those made after it (joblib's
loky, billiard, multiprocess) to start children with the options of their parent, but with `-S` a child of the bundled
interpreter doesn't find the release (`site_entry.py`).
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any


def let_read_site(module: ModuleType) -> None:
    """Let children read `site` though this process doesn't.

    Args:
        module: `subprocess`, just imported.
    """
    subprocess: Any = module
    options = subprocess._args_from_interpreter_flags  # noqa: SLF001 - what multiprocessing imports, by this name

    def without_no_site() -> list[str]:
        return [option for option in options() if option != "-S"]

    subprocess._args_from_interpreter_flags = without_no_site  # noqa: SLF001 - as above
