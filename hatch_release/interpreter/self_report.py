"""What an interpreter says about itself: a program for it to run, which writes one JSON object.

It runs in the interpreter that is asked, under `-I -S`, and so uses the standard library only. The keys of
the object are the fields of `hatch_release.interpreter.Interpreter`.
"""

from __future__ import annotations

import _imp
import importlib
import importlib.machinery
import importlib.util
import json
import os
import platform
import sys
import sysconfig
from pathlib import Path
from typing import Any


def version_of(info: Any) -> str:  # noqa: ANN401 - sys.version_info's type has no name
    """The version in `info` (as `sys.version_info` is made) in the spelling of PEP 508."""
    version = ".".join(map(str, info[:3]))
    return version if info[3] == "final" else f"{version}{info[3][0]}{info[4]}"


def markers() -> dict[str, str]:
    """The environment that PEP 508 markers are evaluated in."""
    return {
        "implementation_name": sys.implementation.name,
        "implementation_version": version_of(sys.implementation.version),
        "os_name": os.name,
        "platform_machine": platform.machine(),
        "platform_python_implementation": platform.python_implementation(),
        "platform_release": platform.release(),
        "platform_system": platform.system(),
        "platform_version": platform.version(),
        "python_full_version": platform.python_version(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "sys_platform": sys.platform,
    }


def frozen() -> list[str]:
    """The names of the modules that are part of the interpreter's binary."""
    names = set(sys.stdlib_module_names) | {"importlib._bootstrap", "importlib._bootstrap_external"}
    names.update(getattr(_imp, "_frozen_module_names", list)())  # since CPython 3.11
    return sorted({name for name in names if _imp.is_frozen(name)} | set(sys.builtin_module_names))


def build_paths() -> list[str]:
    """The directories that the interpreter was configured with, compiled in and lies in."""
    # get_config_vars() puts the present prefix over the configured one, hence the module behind it.
    name = getattr(sysconfig, "_get_sysconfigdata_name", str)()
    try:
        variables = vars(importlib.import_module(name))["build_time_vars"]
    except (ImportError, KeyError, ValueError):
        variables = sysconfig.get_config_vars()
    names = ("prefix", "exec_prefix", "abs_builddir", "abs_srcdir")
    found = {str(variables[name]) for name in names if variables.get(name)}
    found |= {sys.base_prefix, sys.base_exec_prefix, str(Path(sys.base_prefix).resolve())}
    return sorted(found | {os.path.normpath(path) for path in found})


def libc() -> str:
    """`gnu` for glibc, `musl` for another C library of Linux, empty elsewhere."""
    if not sys.platform.startswith("linux"):
        return ""
    try:
        return "gnu" if os.confstr("CS_GNU_LIBC_VERSION") else "musl"
    except (OSError, ValueError):
        return "musl"


def report() -> dict[str, Any]:
    """All that is asked for."""
    dynload = [path for path in map(Path, sys.path) if path.name == "lib-dynload" and path.is_dir()]
    return {
        "executable": str(Path(getattr(sys, "_base_executable", None) or sys.executable).resolve()),
        "version": version_of(sys.version_info),
        "build": sys.version,
        "abiflags": getattr(sys, "abiflags", ""),
        "implementation": sys.implementation.name,
        "cache_tag": sys.implementation.cache_tag,
        "magic": importlib.util.MAGIC_NUMBER.hex(),
        "stdlib": str(Path(os.__file__).parent),
        "dynload": str(dynload[0]) if dynload else None,
        "extension_suffixes": importlib.machinery.EXTENSION_SUFFIXES,
        "prefix": sys.base_prefix,
        "platform": sysconfig.get_platform(),
        "platlibdir": sys.platlibdir,
        "libc": libc(),
        "frozen": frozen(),
        "markers": markers(),
        "build_paths": build_paths(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(report()))
