"""Writing what boots: `start.boot` and `start_clean.boot`, their readable twins, and the module image."""

from __future__ import annotations

import json
import marshal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hatch_release.runtime import bootfile, layout
from hatch_release.runtime.payload import Payload

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from hatch_release.applications.boot_scripts import BootScript
    from hatch_release.applications.declared import Application
    from hatch_release.runtime.payload import ConfigPlan
    from hatch_release.tree.boot_index import ModuleIndex

RUNTIME_PACKAGE = "hatch_release.runtime"
PYC_HEADER_SIZE = 16
"""Bytes before the code in a `.pyc` (PEP 552)."""

# What `start` needs of the runtime, in the order in which it needs it.
_RUNTIME_AT_START = (
    "", ".boot", ".leave", ".site_builtins", ".errors", ".system", ".preload", ".console_script", ".policy",
)  # fmt: skip


@dataclass(kw_only=True)
class BootPlan:
    """Everything that the boot files of one release are made of."""

    name: str
    version: str
    index: ModuleIndex
    path: Sequence[str]
    """Directories for `sys.path`, relative to the root, in order."""
    image: str
    """The image's path, relative to the root."""
    metadata: str
    """The metadata index's path, relative to the root."""
    python: str
    """The bundled interpreter's directory, relative to the root; empty when there is none."""
    scripts: Mapping[str, str]
    commands: Mapping[str, str]
    boot_scripts: Mapping[str, BootScript]
    """Boot scripts by name."""
    distributions: Mapping[str, Application]
    """The distributions of the release by name."""
    lines: Sequence[tuple[str, str]] = ()
    """Lines of `.pth` and `.start` files to run at every start, each with its directory, relative to the root."""
    hot: Sequence[str] = ()
    """The modules that are imported at start, in load order."""
    libraries: Sequence[str] = ()
    config: ConfigPlan | None = None
    """How the configuration is loaded."""
    _pieces: dict[str, tuple[int, int]] = field(default_factory=dict)


def write_image(root: Path, plan: BootPlan) -> None:
    """Write the code of the plan's hot modules into one file, in load order.

    Args:
        root: The release's root.
        plan: Remembers where each piece is, for `write_boot_files`.
    """
    target = root / plan.image
    target.parent.mkdir(parents=True, exist_ok=True)
    runtime = [RUNTIME_PACKAGE.partition(".")[0], *(RUNTIME_PACKAGE + name for name in _RUNTIME_AT_START)]
    offset = 0
    with target.open("wb") as image:
        for name in dict.fromkeys([*runtime, *plan.hot]):
            module = plan.index.modules.get(name)
            if module is None or not module.suffix.endswith(".pyc"):
                continue
            with open(f"{root}/{module.path(name)}", "rb", buffering=0) as file:  # noqa: PTH123 - hundreds
                code = file.read()[PYC_HEADER_SIZE:]
            plan._pieces[name] = (offset, len(code))  # noqa: SLF001 - the plan is this file's own
            offset += image.write(code)


def write_boot_files(root: Path, plan: BootPlan) -> None:
    """Write each boot script of the plan for the machine, `NAME.boot`.

    Args:
        root: The release's root.
        plan: What to write; the image has been written before, if there is to be one.
    """
    directory = root / layout.RELEASES / plan.version
    bootstrap = _runtime_file(root, plan, "bootstrap")
    for name, script in plan.boot_scripts.items():
        payload = _payload(root, plan, script)
        (directory / (name + layout.BOOT_SUFFIX)).write_bytes(bootfile.pack(bootstrap, payload))


def write_readable(root: Path, plan: BootPlan) -> None:
    """Write the same for people, `NAME.script`: once, when all is known.

    Args:
        root: The release's root.
        plan: As the boot files were written from it last.
    """
    directory = root / layout.RELEASES / plan.version
    modules = {name: module.path(name) for name, module in sorted(plan.index.modules.items())}
    for name, script in plan.boot_scripts.items():
        readable = json.dumps({**_readable(plan, script), "modules": modules}, indent=2) + "\n"
        (directory / (name + layout.SCRIPT_SUFFIX)).write_text(readable, encoding="utf-8")


def _runtime_file(root: Path, plan: BootPlan, name: str) -> bytes:
    """The compiled module `name` of the runtime."""
    full_name = f"{RUNTIME_PACKAGE}.{name}"
    return (root / plan.index.modules[full_name].path(full_name)).read_bytes()


def _payload(root: Path, plan: BootPlan, script: BootScript) -> Payload:
    """The payload of one boot script."""
    modules = plan.index.modules
    places = [*plan.path, *(directory for directory, _ in plan.lines)]
    directories = _numbers([*places, *(module.directory for module in modules.values())])
    suffixes = _numbers(module.suffix for module in modules.values())
    files = {name: (directories[each.directory], suffixes[each.suffix]) for name, each in modules.items()}
    return Payload(
        name=plan.name,
        version=plan.version,
        importer=_runtime_file(root, plan, "importer")[PYC_HEADER_SIZE:],
        directories=tuple(directories),
        suffixes=tuple(suffixes),
        path=tuple(directories[each] for each in plan.path),
        hot={name: (*files[name], *piece) for name, piece in plan._pieces.items()},  # noqa: SLF001
        cold=marshal.dumps({name: place for name, place in files.items() if name not in plan._pieces}, 2),  # noqa: SLF001
        image=plan.image,
        metadata=plan.metadata,
        python=plan.python,
        lines=tuple((directories[directory], line) for directory, line in plan.lines),
        libraries=tuple(plan.libraries) if script.starts else (),
        applications=script.applications,
        mode=script.mode,
        preload=script.preload,
        directories_of={name: each.path for name, each in plan.distributions.items()},
        scripts=dict(plan.scripts),
        config=plan.config,
        commands=dict(plan.commands),
    )


def _numbers(values: Iterable[str]) -> dict[str, int]:
    """Each distinct value with its number, in the order of first appearance."""
    return {value: number for number, value in enumerate(dict.fromkeys(values))}


def _readable(plan: BootPlan, script: BootScript) -> dict[str, object]:
    """The same as the payload, but for the index of modules."""
    return {
        "format": bootfile.FORMAT,
        "release": plan.name,
        "version": plan.version,
        "mode": script.mode,
        "applications": list(script.applications),
        "distributions": {
            name: {"version": each.version, "mode": each.mode, "why": list(each.why), "path": each.path}
            for name, each in plan.distributions.items()
        },
        "preloaded": list(script.preload),
        "scripts": dict(sorted(plan.scripts.items())),
        "config": plan.config,
        "commands": dict(plan.commands),
        "path": list(plan.path),
        "lines": [list(each) for each in plan.lines],
        "image": plan.image,
        "imaged": list(plan._pieces) if script.starts else [],  # noqa: SLF001
        "libraries": list(plan.libraries) if script.starts else [],
    }
