"""Which imports inside the standard library count, and when: both ways for each rule of `branches.py`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from hatch_release.imports import scan as import_scan
from hatch_release.imports.branches import BRANCHES, WORDS
from hatch_release.imports.reachability import Scanned, reach

LATER = {("sysconfig", "venv"), ("datetime", "_pydatetime")}
"""Imports that not every version makes."""
HASHES = ("_md5", "_sha1", "_sha2", "_sha3", "_blake2")


def scan(source: str, name: str = "application", *, is_package: bool = False) -> Scanned:
    """What a module with that source names."""
    code = compile(source, name, "exec")
    found = import_scan.scan(code, name, sys.stdlib_module_names, WORDS, is_package=is_package)
    return Scanned.from_json(found)


def reached(modules: dict[str, str], outside: str, *, named: tuple[str, ...] = ()) -> dict[str, str]:
    """The reasons for what a program with the source `outside` reaches of a library of those sources."""
    packages = {name.rpartition(".")[0] for name in modules}
    scanned = {name: scan(source, name, is_package=name in packages) for name, source in modules.items()}
    return reach(modules.keys(), {**scanned, "application": scan(outside)}, {}, named=named).reasons


ASYNCIO = {
    "asyncio": "from . import base_events",
    "asyncio.base_events": "import concurrent.futures\ntry: import ssl\nexcept ImportError: ssl = None",
    "concurrent": "",
    "concurrent.futures": "def __getattr__(name):\n from .process import ProcessPoolExecutor",
    "concurrent.futures.process": "import multiprocessing",
    "multiprocessing": "",
    "http": "",
    "http.client": "import ssl",
    "ssl": "import _ssl",
    "_ssl": "",
    "compileall": "def f():\n from concurrent.futures import ProcessPoolExecutor",
}


@pytest.mark.parametrize(
    "source",
    [
        "import asyncio, ssl",
        "import asyncio, http.client",
        "import asyncio\nasyncio.open_connection('example.org', 443, ssl=True)",
        "import asyncio\nasyncio.open_connection('example.org', 443, **{'ssl': True, 'limit': 9})",
        "import asyncio\noptions['ssl'] = True",
    ],
)
def test_asyncio_has_ssl_where_something_names_it(source: str) -> None:
    assert "_ssl" in reached(ASYNCIO, source)


def test_asyncio_alone_has_neither_ssl_nor_processes() -> None:
    # Handed on by position: streams have no such parameter, so no program can ask that way.
    found = reached(ASYNCIO, "import asyncio\nasyncio.open_connection('example.org', 80)")
    assert {"asyncio.base_events", "concurrent.futures"} <= found.keys()
    assert found.keys().isdisjoint({"ssl", "_ssl", "concurrent.futures.process", "multiprocessing"})


@pytest.mark.parametrize(
    "source",
    [
        "from concurrent.futures import ProcessPoolExecutor",
        "from concurrent.futures import *",
        "from concurrent import futures\nfutures.ProcessPoolExecutor()",
        "import concurrent.futures as c\ngetattr(c, 'ProcessPoolExecutor')()",
        "import concurrent.futures.process",
        "import concurrent.futures, compileall",
    ],
)
def test_processes_are_there_where_something_names_them(source: str) -> None:
    assert "multiprocessing" in reached(ASYNCIO, source)


def test_threads_alone_need_no_processes() -> None:
    found = reached(ASYNCIO, "from concurrent.futures import ThreadPoolExecutor, as_completed")
    assert "concurrent.futures" in found
    assert "multiprocessing" not in found


HASHING = {
    "hashlib": "import _md5, _sha1, _sha2, _sha3, _blake2, _hashlib",
    "hmac": "import hashlib\ntry: import _hashlib\nexcept ImportError: pass",
    "secrets": "import hmac, random",
    "random": "from hashlib import sha512",
    "uuid": "def uuid5():\n from hashlib import sha1",
    "urllib": "",
    "urllib.request": "import hashlib, ssl",
    "ssl": "import _ssl",
    "_ssl": "",
    "_hashlib": "",
    **dict.fromkeys(HASHES, ""),
}


@pytest.mark.parametrize(
    "source",
    [
        "import hashlib",
        "from hashlib import md5",
        "import hmac",
        "import secrets",
        "import random, ssl",
        "import urllib.request",
        "__import__('hashlib')",
    ],
)
def test_who_hashes_has_the_fast_hashes(source: str) -> None:
    assert "_hashlib" in reached(HASHING, source)


def test_who_does_not_hash_has_the_built_in_ones() -> None:
    found = reached(HASHING, "import random, uuid")
    assert {"hashlib", *HASHES} <= found.keys()
    assert "_hashlib" not in found


def test_a_python_without_built_in_hashes_keeps_the_others() -> None:
    without = {name: source for name, source in HASHING.items() if name != "_sha3"}
    assert "_hashlib" in reached(without, "import random")


def test_what_the_user_includes_counts_as_named() -> None:
    assert "_hashlib" in reached(HASHING, "import random", named=("hashlib",))


def test_the_runtimes_own_words_do_not_count() -> None:
    source = scan("import hashlib, importlib\nNAMES = {'ssl', 'uuid'}\nimportlib.import_module(x)")
    scanned = {name: scan(text, name) for name, text in HASHING.items()}
    found = reach(HASHING, {**scanned, "hatch_release.runtime.importer": source}, {}).reasons
    assert "hashlib" in found
    assert found.keys().isdisjoint({"_hashlib", "ssl", "uuid"})
    assert {"_hashlib", "ssl", "uuid"} <= reach(HASHING, {**scanned, "elsewhere": source}, {}).reasons.keys()


def test_time_zones_in_a_configuration_bring_what_reads_them() -> None:
    plain = scan("def zone(key):\n import zoneinfo\n return zoneinfo.ZoneInfo(key)")
    scanned = {"zoneinfo": scan(""), "hatch_release.runtime.config.plain": plain}
    assert "zoneinfo" not in reach({"zoneinfo"}, scanned, {})
    assert "zoneinfo" in reach({"zoneinfo"}, scanned, {"the configuration": ["zoneinfo.ZoneInfo"]})
    assert "zoneinfo" in reach({"zoneinfo"}, {**scanned, "application": scan("import zoneinfo")}, {})


def test_a_fallback_stays_where_there_is_nothing_better() -> None:
    modules = {"decimal": "try: from _decimal import *\nexcept ImportError: from _pydecimal import *"}
    assert "_pydecimal" in reached({**modules, "_pydecimal": ""}, "import decimal")
    assert "_pydecimal" not in reached({**modules, "_pydecimal": "", "_decimal": ""}, "import decimal")
    assert "_pydecimal" in reached({**modules, "_pydecimal": "", "_decimal": ""}, "import _pydecimal")


@pytest.mark.parametrize("word", ["XmlListener", "XmlClient"])
def test_listeners_that_speak_xml_bring_it(word: str) -> None:
    modules = {
        "multiprocessing": "",
        "multiprocessing.connection": "def accept():\n import xmlrpc.client as xmlrpclib",
        "xmlrpc": "",
        "xmlrpc.client": "",
    }
    assert "xmlrpc.client" in reached(modules, f"from multiprocessing.connection import {word}")
    assert "xmlrpc" not in reached(modules, "from multiprocessing.connection import Listener")


def test_the_server_of_pydoc_goes_unless_pydoc_is_named() -> None:
    modules = {"pydoc": "import webbrowser", "webbrowser": "", "pdb": "import pydoc"}
    assert "webbrowser" in reached(modules, "import pydoc")
    assert "webbrowser" not in reached(modules, "import pdb")


def test_every_rule_speaks_of_imports_that_this_python_has() -> None:
    seen = 0
    for branch in BRANCHES:
        for module, target in branch.edges():
            found = importlib.util.find_spec(module)
            source = Path((found and found.origin) or "built-in")
            if source.suffix != ".py" or not importlib.util.find_spec(target.partition(".")[0]):
                continue
            is_package = source.name == "__init__.py"
            names = scan(source.read_text(encoding="utf-8"), module, is_package=is_package)
            assert target in {*names.imports, *names.strings} or (module, target) in LATER, (module, target)
            seen += 1
    assert seen > len(BRANCHES)
