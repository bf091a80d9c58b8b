"""Console scripts: finding one by name, importing what it refers to, and calling it as pip's would.

Source: the entry points specification (`module:object`) of the Python Packaging User Guide.
"""

from __future__ import annotations

import gc
import sys

from .errors import ReleaseError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from .importer import IndexFinder


def find(scripts: dict[str, str], name: str) -> str:
    """The `module:attribute` of the console script `name`.

    Args:
        scripts: Every console script of the release.
        name: What the user asked for.

    Raises:
        ReleaseError: When there is none of that name; the message names the nearest and all others.
    """
    if name in scripts:
        return scripts[name]
    known = ", ".join(sorted(scripts)) or "none"
    if not name:
        raise ReleaseError(f"RUN expects the name of a console script: this release has {known}")
    import difflib

    near = difflib.get_close_matches(name, scripts, 1)
    hint = f", did you mean '{near[0]}'? It" if near else ": it"
    raise ReleaseError(f"no console script '{name}' in this release{hint} has {known}")


def load(
    finder: IndexFinder,
    reference: str,
    program: str,
    arguments: list[str],
    ready: Callable[[], None] | None = None,
) -> Callable[[], Any]:
    """Import what `reference` names, and give it ready to be called.

    The garbage collector rests while modules are imported: they make objects that stay, and each
    collection would walk all of them in vain. What stays is then kept out of later collections.

    Args:
        finder: Serves the release's modules.
        reference: `module:attribute`.
        program: Becomes `sys.argv[0]`.
        arguments: Become the rest of `sys.argv`.
        ready: Called between the import and the call.
    """
    sys.argv = [program, *arguments]

    def call() -> Any:  # noqa: ANN401 - whatever the script gives to sys.exit
        module, _, attribute = reference.partition(":")
        with Importing(finder):
            __import__(module)
        target: Any = sys.modules[module]
        for name in attribute.split("."):
            target = getattr(target, name)
        if ready is not None:
            ready()
        return target()

    return call


class Importing:
    """A context in which the program is imported: the collector rests, and what stays is kept from it later.

    Args:
        finder: Serves the release's modules; its image is not used afterwards.
    """

    def __init__(self, finder: IndexFinder) -> None:
        """Nothing is changed yet."""
        self._finder = finder

    def __enter__(self) -> None:
        """Let the collector rest."""
        self._thresholds = gc.get_threshold()
        gc.set_threshold(0)

    def __exit__(self, *_error: object) -> None:
        """Let it work again, on what comes from now on."""
        gc.freeze()
        # A module may have set its own, and one that calls gc.disable() means it.
        if gc.get_threshold()[0] == 0:
            gc.set_threshold(*self._thresholds)
        self._finder.close_image()
