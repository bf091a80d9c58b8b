"""Imports of the standard library, and of what ships, that hardly any program comes to, and what shows that one does.

Each belongs to a branch that only runs when somebody asks for it by name, on another system, or where another module
is missing. Read from the sources of CPython 3.10 to 3.14. A name that only data holds, such as
`asyncio.open_connection(**json.loads(text))` with `ssl` inside, is not seen; the branch then fails with an error that
names the module, as in a Python that was compiled without it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_CONCURRENT = "concurrent.futures"
_SELF_TESTED = ("difflib", "heapq", "pickle", "pickletools")


@dataclass(frozen=True)
class Branch:
    """Imports of one kind: they count when one of the conditions holds, and never when there is none."""

    modules: tuple[str, ...]
    """Who imports."""
    targets: tuple[str, ...]
    """What they import."""
    named: frozenset[str] = frozenset()
    """Counts when a module outside of the standard library, or the user, names one of these."""
    asked: frozenset[str] = frozenset()
    """Counts when an import that counts, whoever makes it, asks for one of these."""
    instead: tuple[frozenset[str], ...] = ()
    """Counts when Python has not one module of each of these groups, which do its work."""

    def edges(self) -> Iterator[tuple[str, str]]:
        """Who imports what."""
        yield from ((module, target) for module in self.modules for target in self.targets)

    def is_taken(self, named: Collection[str], asked: Collection[str], available: Collection[str]) -> bool:
        """Whether its imports count.

        Args:
            named: What modules outside of the standard library name.
            asked: What the imports that count ask for.
            available: All modules that Python has.
        """
        if not self.named.isdisjoint(named) or not self.asked.isdisjoint(asked):
            return True
        return any(group.isdisjoint(available) for group in self.instead)


def _each(*names: str) -> tuple[frozenset[str], ...]:
    """Groups of modules from names with bars between those that replace each other."""
    return tuple(frozenset(name.split("|")) for name in names)


BRANCHES = (
    # On other systems.
    Branch(("platform",), ("plistlib",)),  # mac_ver
    Branch(("asyncio",), ("asyncio.windows_events",)),
    Branch(("multiprocessing.context",), ("multiprocessing.popen_spawn_win32",)),
    # `_test()`, for who runs the file itself.
    Branch(("random",), ("statistics",)),
    Branch(_SELF_TESTED, ("doctest",)),
    # Strings that are no modules: a scheme of installation, methods, a format of error messages, a flag.
    Branch(("sysconfig",), ("venv",)),
    Branch(("unicodedata",), ("decimal", "uu")),
    Branch(("_ctypes", "_sqlite3"), ("uu",)),
    Branch(("_ssl",), ("email",)),
    # The same in Python, for Pythons that lack it in C.
    Branch(("decimal",), ("_pydecimal",), instead=_each("_decimal")),
    Branch(("datetime",), ("_pydatetime",), instead=_each("_datetime")),
    Branch(("zoneinfo",), ("zoneinfo._zoneinfo",), instead=_each("_zoneinfo")),
    # `pydoc.browse`; help in a shell needs no server.
    Branch(("pydoc",), ("http.server", "webbrowser"), named=frozenset({"pydoc"})),
    # Imported by `concurrent.futures.__getattr__`, for which `import *` asks too.
    Branch(
        (_CONCURRENT,),
        (f"{_CONCURRENT}.process",),
        named=frozenset({"ProcessPoolExecutor"}),
        asked=frozenset({f"{_CONCURRENT}.{name}" for name in ("*", "process", "ProcessPoolExecutor")}),
    ),
    # Listeners that speak XML, which managers know as `xmlrpclib`.
    Branch(
        ("multiprocessing.connection",),
        ("xmlrpc.client",),
        named=frozenset({"XmlClient", "XmlListener", "xmlrpclib"}),
    ),
    # Time zones in a configuration, which has to import them to have any.
    Branch(("hatch_release.runtime.config.plain",), ("zoneinfo",), asked=frozenset({"zoneinfo"})),
    # Without ssl, asyncio does all but `ssl=...`: a word that who uses it writes.
    Branch(
        ("asyncio.base_events", "asyncio.selector_events", "asyncio.sslproto"),
        ("ssl",),
        named=frozenset({"ssl", "_ssl"}),
        asked=frozenset({"ssl", "_ssl"}),
    ),
    # OpenSSL's hashes are faster than the built-in ones. That is worth its size to a program that hashes, not to
    # modules that hash a seed or an identifier. With ssl, OpenSSL is there in any case.
    Branch(
        ("hashlib", "hmac"),
        ("_hashlib",),
        named=frozenset({"_hashlib", "_ssl", "hashlib", "hmac", "secrets", "ssl"}),
        asked=frozenset({"_ssl", "ssl"}),
        instead=_each("_md5", "_sha1", "_sha2|_sha256", "_sha2|_sha512", "_sha3", "_blake2"),
    ),
)
WORDS = frozenset(name for branch in BRANCHES for name in branch.named)
"""What scanning has to look for, also where it is no module's name."""
BY_EDGE = {edge: branch for branch in BRANCHES for edge in branch.edges()}
BRANCHING = frozenset(module for module, _ in BY_EDGE)
"""The modules that have such imports."""
