"""What the payload of a boot file is. For those who write it and for type checkers: what boots never imports it."""

from __future__ import annotations

from typing import Any, TypedDict


class ApplicationSpec(TypedDict):
    """One application of a release, as one boot script treats it."""

    name: str
    distribution: str
    """The distribution that it belongs to (PEP 503)."""
    kind: str
    """`script`: a console script, whose exit code, signals and arguments are its own; `object`: `start` is a
    context manager factory, a coroutine function or a plain one; `command`: a child process."""
    mode: str
    """One of `MODES`."""
    start: str
    """`module:attribute`; empty for a command."""
    command: tuple[str, ...]
    """A program and its arguments; empty unless it is a command."""
    restarts: int
    """How often within `within` seconds it is started again before its mode decides."""
    within: float
    shutdown: float
    """How many seconds it has to stop."""
    ready: dict[str, Any]
    """When a command is ready: `port` or `command` answers, for which it has `seconds`; empty: once it is alive."""
    needs: tuple[str, ...]
    """Names of the applications of the distributions that its own needs, directly or not, in start order."""
    directory: str
    """Where its distribution is, relative to the root."""


class ConfigPlan(TypedDict):
    """How the configuration of a release is loaded at boot (`config/boot.py`)."""

    environment: str
    """What `config_env()` gives."""
    providers: tuple[tuple[str, Any], ...]
    """Names of the config providers in order, each with its state as `config/plain.py` encodes it."""
    compiled: tuple[tuple[tuple[str, ...], Any], ...]
    """Application and keys of what `compile_env` reads, each with the encoded value from assembling."""
    validate: bool
    """Whether those must be the same at boot."""
    reboot: bool
    prune: bool
    distribution: bool
    """The options reboot-system-after-config, prune-runtime-sys-config-after-boot, start-distribution-during-config."""
    origins: str
    """The file that says what has set each value of sys.config, relative to the root."""


class Payload(TypedDict):
    """What a boot file knows of its release. Every path is relative to the release's root."""

    name: str
    """Name of the release."""
    version: str
    """Version of the release."""
    importer: bytes
    """Marshalled code of `importer.py`, which has to run before anything can be imported by index."""
    directories: tuple[str, ...]
    """Directories that modules lie in."""
    suffixes: tuple[str, ...]
    """What follows a module's name in its path; those of packages begin with a slash."""
    path: tuple[int, ...]
    """Which of `directories` are put on `sys.path`, in order, behind the interpreter's own."""
    hot: dict[str, tuple[int, int, int, int]]
    """The modules in the image: name to directory, suffix, offset and size in the image."""
    cold: bytes
    """The marshalled index of all the others: name to directory and suffix. Read at the first miss."""
    image: str
    """The file that holds the code of the modules in `hot`, in load order."""
    metadata: str
    """The index of the distributions' metadata, relative to the root (`metadata.py`)."""
    lines: tuple[tuple[int, str], ...]
    """Lines of `.pth` and `.start` files, each with the number of its directory."""
    python: str
    """The bundled interpreter's directory, empty when there is none."""
    libraries: tuple[str, ...]
    """Shared libraries that the application loads at start, in order."""
    applications: tuple[ApplicationSpec, ...]
    """All applications of the release in the order of starting, also those that this boot script doesn't start."""
    mode: str
    """`embedded` or `interactive`, unless RELEASE_MODE says otherwise (`preload.py`)."""
    preload: tuple[str, ...]
    """Names of the modules that embedded mode imports before anything starts, packages before their modules."""
    directories_of: dict[str, str]
    """Distributions by name, each with its directory relative to the root."""
    scripts: dict[str, str]
    """Every console script of the release: name to `module:attribute`."""
    config: ConfigPlan | None
    """How the configuration is loaded; None when there is none, so that booting does nothing about it."""
    commands: dict[str, str]
    """The commands of `bin/NAME` that the release adds to the launcher's own: name to `module:attribute`."""
