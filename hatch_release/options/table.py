"""The options of a release: one table that the checks, the defaults and `docs/options.md` are made from.

An option is a field of `Options`, annotated with what it may be, what of that is supported so far, and where
it may be given. To support an option that is refused, drop its `supported` (and widen the field's type).
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, field, fields, replace
from enum import Flag, auto
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

from hatch_release.options.applications import APPLICATIONS
from hatch_release.options.kinds import (
    BOOLEAN,
    COOKIE,
    FALSE,
    NAMED,
    OVERLAY,
    PATH,
    PLUGIN,
    PROVIDER,
    RELEASE_NAME,
    STEPS,
    STRING,
    VERSION,
    Kind,
    Place,
    either,
    list_of,
    one_of,
    table,
    text,
)
from hatch_release.options.strip import STRIP, Strip

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "HATCH_RELEASE_"
"""How the variables begin that override the tables."""


class Where(Flag):
    """Where an option may be given."""

    TARGET = auto()
    """In the target's table, for all releases."""
    RELEASE = auto()
    """In the table of one release."""
    ENVIRONMENT = auto()
    """As a variable `HATCH_RELEASE_NAME`."""
    TABLES = TARGET | RELEASE
    ANYWHERE = TARGET | RELEASE | ENVIRONMENT


@dataclass(frozen=True)
class Option:
    """What is known of one option."""

    kind: Kind
    doc: str
    supported: Kind | bool = True
    """What of `kind` works so far: all (True), nothing (False), or what a narrower kind accepts."""
    where: Where = Where.TABLES
    unset: str = ""
    """What holds without it, where `default` doesn't tell."""
    names: str = ""
    """What its values without a colon are names of, where plugins give these."""
    name: str = ""
    """As a table spells it; both this and `default` come from the field."""
    default: Any = None

    @property
    def attribute(self) -> str:
        """Its name in `Options`."""
        return self.name.replace("-", "_")

    @property
    def variable(self) -> str:
        """The variable that overrides the tables; empty for an option that has none."""
        return f"{PREFIX}{self.attribute.upper()}" if self.where & Where.ENVIRONMENT else ""

    def check(self, value: object, place: Place) -> Any:  # noqa: ANN401 - each option has its own type
        """Give what the option holds when it is given `value`; problems go to `place`."""
        before = len(place.problems)
        result = self.kind.check(value, place)
        if len(place.problems) > before:
            return result
        if self.supported is False:
            place.wrong("this option is not supported yet")
        elif isinstance(self.supported, Kind) and not self.supported.fits(value):
            place.wrong(f"this value is not supported yet, so far: {self.supported.expected}")
        return result


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options of one release, checked. A field's type is what is supported so far."""

    default_release: Annotated[
        str | None,
        Option(
            text("the name of a release", RELEASE_NAME),
            "Which release is assembled when several exist and none is named.",
            where=Where.TARGET,
            unset="none",
        ),
    ] = None
    applications: Annotated[
        dict[str, dict[str, Any]],
        Option(
            APPLICATIONS,
            "Applications by name: their modes, and how they are started and kept running, see below; without any, "
            "the console script of the project's name, or its only one, is the application.",
        ),
    ] = field(default_factory=dict)
    version: Annotated[
        str | None,
        Option(
            either(
                VERSION, table('a table { from-app = "NAME" }', {"from-app": STRING}, required=("from-app",))
            ),
            "The release's version, which is also a directory's name.",
            supported=VERSION,
            where=Where.ANYWHERE,
            unset="the project's",
        ),
    ] = None
    path: Annotated[
        str | None,
        Option(
            PATH,
            "Where the release is installed, relative to the project; then archives are inside it.",
            where=Where.ANYWHERE,
            unset="`dist/release/NAME`",
        ),
    ] = None
    include_python: Annotated[
        bool | str,
        Option(
            either(BOOLEAN, text('a path, a version or a "module:function"')),
            "Which interpreter is included. `true`: the one that assembles; `false`: none, the target machine "
            "needs the same; a path: that of an installation or an archive of one, relative to the project; a "
            'version such as `"3.12"`: one that uv finds or installs; a function: it gives one of these.',
        ),
    ] = True
    include_executables_for: Annotated[
        tuple[str, ...],
        Option(
            list_of(one_of("unix", "windows"), 'systems ("unix", "windows")'),
            'For which systems scripts are written; `["unix", "windows"]` later.',
            supported=Kind(('["unix"]',), lambda value: list(value) == ["unix"]),
        ),
    ] = ("unix",)
    strip: Annotated[
        bool | dict[str, tuple[str, ...]],
        Option(
            either(BOOLEAN, STRIP),
            "`true` drops sources, unused tests, type stubs, headers and debug symbols; `false` drops nothing; "
            "a table says what to keep or drop besides, see below.",
        ),
    ] = True
    stdlib: Annotated[
        str, Option(one_of("used", "full"), "Which part of the standard library is included.")
    ] = "used"
    stdlib_include: Annotated[
        tuple[str, ...],
        Option(list_of(STRING, "modules"), "Modules of the standard library to include as well."),
    ] = ()
    cookie: Annotated[
        str | None,
        Option(
            COOKIE,
            "The control cookie, the secret that lets one process control another.",
            unset="random, kept between builds",
        ),
    ] = None
    validate_compile_env: Annotated[
        bool,
        Option(BOOLEAN, "Check at boot that values read with `compile_env` are still the same."),
    ] = True
    config_path: Annotated[str, Option(PATH, "The configuration that is read when assembling.")] = (
        "config/config.py"
    )
    runtime_config_path: Annotated[
        str | bool,
        Option(
            either(PATH, FALSE),
            "The configuration that is read at every boot; `false` turns it off.",
        ),
    ] = "config/runtime.py"
    config_providers: Annotated[
        tuple[dict[str, Any], ...],
        Option(
            list_of(PROVIDER, 'tables { provider = "module:Class", init = ... }'),
            "What adds to the configuration at boot, in order: classes, or the names `runtime`, `toml`, `json`, "
            "`dotenv`, `env`, `secrets` and those of plugins.",
            names="provider",
        ),
    ] = ()
    reboot_system_after_config: Annotated[
        bool, Option(BOOLEAN, "Restart once the configuration is known, to apply all of it.")
    ] = False
    prune_runtime_sys_config_after_boot: Annotated[
        bool, Option(BOOLEAN, "Remove the written configuration after that restart.")
    ] = False
    start_distribution_during_config: Annotated[
        bool, Option(BOOLEAN, "Answer commands such as `rpc` already while the configuration is loaded.")
    ] = False
    rel_templates_path: Annotated[
        str,
        Option(PATH, "Where templates and `overlays/` are found, relative to the project."),
    ] = "rel"
    overlays: Annotated[
        tuple[dict[str, Any], ...],
        Option(
            list_of(OVERLAY, 'paths or tables { path = "deploy", exclude = ["*.bak"] }'),
            "More directories that are copied into the release as they are, relative to the project; later ones win.",
        ),
    ] = ()
    steps: Annotated[
        tuple[str, ...],
        Option(
            STEPS,
            "What is done, in order: `assemble` once, `tar` after it, steps of plugins and functions of the project "
            "anywhere.",
            names="step",
        ),
    ] = ("assemble",)
    archive: Annotated[
        str,
        Option(
            text('"tar.zst", "tar.gz", "zip" or a format of a plugin', NAMED),
            "What the step `tar` writes.",
            names="archive format",
        ),
    ] = "tar.zst"
    lock: Annotated[
        str | None,
        Option(
            PATH,
            "A `pylock.toml`, `uv.lock` or requirements with hashes, relative to the project; without any "
            "the newest versions that fit are taken, with a warning.",
            unset="found",
        ),
    ] = None
    preload: Annotated[
        tuple[str, ...],
        Option(
            list_of(STRING, "patterns"),
            "Modules to preload in embedded mode, as `.gitignore` patterns, besides the applications' own; "
            "`!` takes out.",
        ),
    ] = ()
    target: Annotated[
        str | None,
        Option(
            text("a target triple"),
            "The system to assemble for.",
            supported=False,
            unset="the assembling one",
        ),
    ] = None
    floor: Annotated[
        str | None,
        Option(
            text("a libc or system with its version"),
            "The oldest libc or system that the result must run on.",
            supported=False,
            unset="none",
        ),
    ] = None
    members: Annotated[
        tuple[str, ...], Option(list_of(STRING, "patterns"), "The members of a workspace.", supported=False)
    ] = ()
    extras: Annotated[
        tuple[str, ...],
        Option(list_of(STRING, "strings"), "The project's extras (optional dependencies) to include."),
    ] = ()
    groups: Annotated[
        tuple[str, ...], Option(list_of(STRING, "strings"), "The project's dependency groups to include.")
    ] = ()
    plugins: Annotated[
        tuple[str, ...],
        Option(
            list_of(PLUGIN, 'modules and "!NAME"'),
            'Modules of the project that are plugins; `"!NAME"` disables a plugin that is installed.',
        ),
    ] = ()
    mode: Annotated[
        str,
        Option(
            one_of("auto", "embedded", "interactive"),
            "Load modules at boot or at their first import; `auto`: embedded for declared applications, interactive "
            "for a console script.",
        ),
    ] = "auto"
    lazy_imports: Annotated[
        str | bool,
        Option(
            either(one_of("auto"), BOOLEAN),
            "Lazy imports (Python 3.15 and newer, interactive mode).",
            supported=False,
        ),
    ] = "auto"
    check: Annotated[bool, Option(BOOLEAN, "Start the assembled release once, without its applications.")] = (
        True
    )
    overwrite: Annotated[
        bool, Option(BOOLEAN, "Replace an installed release of the same version.", where=Where.ANYWHERE)
    ] = False
    quiet: Annotated[bool, Option(BOOLEAN, "Show no progress.", where=Where.ANYWHERE)] = False
    force: Annotated[
        bool, Option(BOOLEAN, "Make everything anew, whatever earlier builds left.", where=Where.ENVIRONMENT)
    ] = False
    cache_dir: Annotated[
        str | None,
        Option(
            PATH,
            "Where what was made once is kept for later builds, relative to the project.",
            where=Where.ENVIRONMENT,
            unset="the user's directory for caches",
        ),
    ] = None
    report: Annotated[
        str | None,
        Option(
            PATH,
            "A file, relative to the project, that tells as JSON what became of the build.",
            where=Where.ENVIRONMENT,
            unset="none",
        ),
    ] = None
    no_compile: Annotated[
        bool,
        Option(
            BOOLEAN,
            "Take the project's newest wheel in `dist/` instead of building one.",
            where=Where.ENVIRONMENT,
        ),
    ] = False
    no_deps_check: Annotated[
        bool, Option(BOOLEAN, "Accept dependencies that are missing or don't fit.", where=Where.ENVIRONMENT)
    ] = False
    no_python_version_check: Annotated[
        bool,
        Option(
            BOOLEAN,
            "Accept an interpreter that the project's `requires-python` excludes.",
            where=Where.ENVIRONMENT,
        ),
    ] = False

    given: dict[str, tuple[str | int, ...]] = field(default_factory=dict, repr=False, compare=False)
    """The ways from the top of the project's file to the options that it gives, by their names."""

    @property
    def stripping(self) -> Strip:
        """What `strip` means for each distribution."""
        return Strip.of(self.strip)


def _options() -> Iterator[Option]:
    """The options as the fields of `Options` tell them."""
    hints = get_type_hints(Options, include_extras=True)
    for each in (one for one in fields(Options) if one.name != "given"):
        default = each.default if each.default_factory is MISSING else each.default_factory()
        yield replace(hints[each.name].__metadata__[0], name=each.name.replace("_", "-"), default=default)


OPTIONS: Mapping[str, Option] = {option.name: option for option in _options()}
"""All options by name, in the order of the documentation."""
