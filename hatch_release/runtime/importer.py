"""The module index at work: an import inside a release is a lookup, not a directory search.

The finder stands first on `sys.meta_path`. Names it does not know fall through to Python's own finders,
which find whatever lies on `sys.path`. Modules keep their real files and a real `__file__`.

This module is brought up by `bootstrap.py` before the import system can serve the release, so it imports
nothing but what every interpreter has loaded by then.
"""

from __future__ import annotations

import marshal
import posix
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import (
    ExtensionFileLoader,
    PathFinder,
    SourceFileLoader,
    SourcelessFileLoader,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import CodeType, ModuleType
    from typing import Any

    from .payload import Payload


_COMPLETED = frozenset({"importlib.metadata", "importlib_metadata", "ssl", "subprocess", "zoneinfo"})
"""Modules that are told of the release when they are imported."""
_ON_TERMINALS = frozenset({"_curses", "readline"})
"""Modules that look for terminal descriptions as soon as they are loaded."""


class ImageLoader(SourcelessFileLoader):
    """Loads a sourceless module whose code is in the image; everything else about it is its file's."""

    def __init__(self, finder: IndexFinder, name: str, path: str, offset: int, size: int) -> None:
        """Remember where in the image of `finder` the code of `name` is; `path` is its own file."""
        super().__init__(name, path)
        self._finder = finder
        self._offset = offset
        self._size = size

    def get_code(self, fullname: str) -> CodeType | None:
        """The module's code: from the image while the system boots, from its own file later on."""
        image = self._finder.image
        if image < 0:
            return super().get_code(fullname)
        try:
            data = posix.pread(image, self._size, self._offset)
        except OSError:
            data = b""
        # Another thread may have closed the image meanwhile, and the number be another file's by now.
        if len(data) != self._size or self._finder.image != image:
            return super().get_code(fullname)
        code: CodeType = marshal.loads(data)  # noqa: S302 - our own
        return code

    def __reduce__(self) -> tuple[type[SourcelessFileLoader], tuple[str, str]]:
        """Copied or pickled, it is the loader of the module's own file."""
        return SourcelessFileLoader, (self.name, self.path)


class IndexFinder:
    """Finds the modules of one release by name."""

    def __init__(self, root: str, payload: Payload) -> None:
        """Serve the modules of `payload`, whose paths are relative to the release's `root`."""
        self.release_root = root
        self.release_payload = payload
        self.image = -1
        self._directories = [f"{root}/{directory}/" for directory in payload["directories"]]
        self._suffixes = payload["suffixes"]
        self._hot = payload["hot"]
        self._cold: dict[str, tuple[int, int]] | None = None
        self.path: list[str] = []
        """`sys.path` as it was when the release was brought up."""

    def open_image(self) -> None:
        """Load modules from the image from now on."""
        try:
            self.image = posix.open(
                f"{self.release_root}/{self.release_payload['image']}", posix.O_RDONLY | posix.O_CLOEXEC
            )
        except OSError:
            return  # the modules' own files say the same

    def read_ahead(self) -> None:
        """Ask the kernel to read all that the application loads at start, at once."""
        if self.image < 0 or not hasattr(posix, "posix_fadvise"):
            return
        posix.posix_fadvise(self.image, 0, 0, posix.POSIX_FADV_WILLNEED)
        for library in self.release_payload["libraries"]:
            try:
                file = posix.open(f"{self.release_root}/{library}", posix.O_RDONLY | posix.O_CLOEXEC)
            except OSError:
                continue  # loading it will say what is wrong with it
            posix.posix_fadvise(file, 0, 0, posix.POSIX_FADV_WILLNEED)
            posix.close(file)

    def close_image(self) -> None:
        """Load modules from their own files from now on.

        A system that has started may close descriptors that are not its own, as daemons do; a number that
        is then used for another file must never be read as code.
        """
        image, self.image = self.image, -1
        if image >= 0:
            try:
                posix.close(image)
            except OSError:
                return  # the application has closed it with all others

    def find_spec(
        self,
        name: str,
        path: Sequence[str] | None = None,
        target: ModuleType | None = None,  # noqa: ARG002 - the import system's signature
    ) -> ModuleSpec | None:
        """The spec of a module of the release, or None to let Python's own finders look."""
        spec = self._find(name)
        if spec is None or (path is None and sys.path == self.path):
            return spec
        location = (
            str(spec.origin) if not spec.submodule_search_locations else spec.submodule_search_locations[0]
        )
        home = location.rpartition("/")[0]
        if path is not None:  # of a package that may be another one of this name, or have moved on
            return spec if home in path else None
        return self._added_before(name, home) or spec

    def _added_before(self, name: str, home: str) -> ModuleSpec | None:
        """The spec of a module in a directory that the program has put in front of ours, as OpenCV does.

        Args:
            name: The module's.
            home: The directory of the release that holds one of this name.
        """
        end = sys.path.index(home) if home in sys.path else len(sys.path)
        added = [entry for entry in sys.path[:end] if entry not in self.path]
        found = PathFinder.find_spec(name, added) if added else None
        return found if found is not None and found.loader is not None else None

    def _find(self, name: str) -> ModuleSpec | None:
        """The spec of a module of the release."""
        hot = self._hot.get(name)
        if hot is not None:
            directory, suffix, offset, size = hot
            return self._spec(name, directory, suffix, offset, size)
        if self._cold is None:
            cold: dict[str, tuple[int, int]] = marshal.loads(self.release_payload["cold"])  # noqa: S302 - our own
            self._cold = cold
        found = self._cold.get(name)
        return None if found is None else self._spec(name, found[0], found[1], 0, 0)

    def _spec(self, name: str, directory: int, suffix: int, offset: int, size: int) -> ModuleSpec:
        """A spec like the one `FileFinder` would make for the same file."""
        ending = self._suffixes[suffix]
        base = self._directories[directory] + name.replace(".", "/")
        file = base + ending
        loader: Any
        if size:
            loader = ImageLoader(self, name, file, offset, size)
        elif ending.endswith(".pyc"):
            loader = SourcelessFileLoader(name, file)
        elif ending.endswith(".py"):
            loader = SourceFileLoader(name, file)
        else:
            loader = ExtensionFileLoader(name, file)
        if name in _COMPLETED:
            self._complete(loader)
        elif name in _ON_TERMINALS:
            from . import target_data

            target_data.add_terminals(self._share)
        spec = ModuleSpec(name, loader, origin=file)
        if ending[0] == "/":
            spec.submodule_search_locations = [base]
        spec.has_location = True
        return spec

    def _complete(self, loader: Any) -> None:  # noqa: ANN401 - any of the four loaders
        """Let the module that `loader` loads know what the release brings for it."""
        execute = loader.exec_module

        def exec_module(module: ModuleType) -> None:
            execute(module)
            if module.__name__ == "subprocess":
                from . import children

                if self.release_payload["python"]:
                    children.let_read_site(module)
                return
            from . import target_data

            if module.__name__ == "ssl":
                target_data.add_certificates(module, self._share)
            elif module.__name__ == "zoneinfo":
                target_data.add_time_zones(module, self._share)
            else:
                from . import metadata

                metadata.install(module, self.release_root, self.release_payload["metadata"])

        loader.exec_module = exec_module

    @property
    def _share(self) -> str:
        """Where the interpreter's data for bare targets is."""
        return f"{self.release_root}/{self.release_payload['python']}/share"

    @staticmethod
    def invalidate_caches() -> None:
        """Do nothing: a release does not change while it runs."""


def install(root: str, payload: Payload) -> IndexFinder:
    """Make the release at `root` importable, from the index and by `sys.path`."""
    finder = IndexFinder(root, payload)
    finder.open_image()
    sys.meta_path.insert(0, finder)
    sys.path[:] = [entry for entry in sys.path if not entry.endswith(".zip")]
    directories = payload["directories"]
    sys.path += [f"{root}/{directories[number]}" for number in payload["path"]]
    finder.path = list(sys.path)
    for number, line in payload["lines"]:
        _run_line(f"{root}/{directories[number]}", line)
    return finder


def _run_line(sitedir: str, line: str) -> None:
    """Run a line of a `.pth` or `.start` file as `site` does; some look for `sitedir` in their caller's frame."""
    try:
        exec(line)  # noqa: S102 - what the distribution asks for in a virtual environment too
    except Exception as error:  # noqa: BLE001 - one line's failure must not stop the others, nor the boot
        sys.stderr.write(f"Error in a .pth or .start file of {sitedir}: {type(error).__name__}: {error}\n")
