"""`docs/manual.md` names everything of the manual of `mix release`, and tells the truth about the code."""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from hatch_release.commands.main import COMMANDS
from hatch_release.options.kinds import Kind
from hatch_release.options.reading import RELEASES, VARIABLES
from hatch_release.options.table import OPTIONS
from hatch_release.runtime.bootfile import MODES
from tests import interpreters
from tests.builds import configure
from tests.conftest import copy_fixture
from tests.documentation.pages import DOCS, rows
from tests.projects import ROOT, run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.projects import Builder

MANUAL = {
    "Options": """
        releases: default_release: :applications :strip_beams :cookie :validate_compile_env :path :version
        {:from_app,~app_name} :quiet :include_erts :include_executables_for :rel_templates_path :overlays :steps
        :reboot_system_after_config :prune_runtime_sys_config_after_boot :start_distribution_during_config
        :config_providers :runtime_config_path
    """,
    "Modes of applications": ":permanent :transient :temporary :load :none",
    "Commands of `bin/RELEASE_NAME`": """
        start start_iex daemon daemon_iex install eval~"EXPR" rpc~"EXPR" remote restart stop pid version
    """,
    "Variables": """
        MIX_ENV RELEASE_ROOT RELEASE_COMMAND RELEASE_NAME RELEASE_VSN RELEASE_PROG RELEASE_COOKIE RELEASE_NODE
        RELEASE_SYS_CONFIG RELEASE_VM_ARGS RELEASE_REMOTE_VM_ARGS RELEASE_TMP RELEASE_MODE RELEASE_DISTRIBUTION
        RELEASE_BOOT_SCRIPT RELEASE_BOOT_SCRIPT_CLEAN ELIXIR_ERL_OPTIONS LD_LIBRARY_PATH
    """,
    "Files of the project": """
        mix.exs config/config.exs config/prod.exs config/runtime.exs rel/vm.args.eex rel/remote.vm.args.eex
        rel/env.sh.eex rel/env.bat.eex rel/overlays/
    """,
    "Files of a release": """
        bin/RELEASE_NAME erts-ERTS_VSN/ lib/APP_NAME-APP_VSN/ ebin/ include/ priv/ releases/RELEASE_VSN/ consolidated/
        elixir elixir.bat env.bat env.sh iex iex.bat remote.vm.args runtime.exs start.boot start.script
        start_clean.boot start_clean.script sys.config vm.args releases/COOKIE releases/start_erl.data tmp/
        tmp/log/erlang.log.1 tmp/pipe/
    """,
    "Steps": ":assemble :tar Mix.Release",
    "Command line": """
        mix~release mix~release~NAME mix~release.init --force --no-archives-check --no-deps-check
        --no-elixir-version-check --no-compile --overwrite --path --quiet --version
    """,
    "In the program": """
        Application.ensure_all_started/1 Application.load/1 Application.compile_env/3 System.restart/0 Config.Provider
        import~Config import_config :code.root_dir/0
    """,
    "What else the manual speaks of": "heart run_erl to_erl Umbrellas Target~triples Hot~code~upgrades .appup .relup",
}
"""What the manual of `mix release` 1.12 names, by the heading that it has on the page; `~` is a space."""

NOT_YET = "not yet: "
NONE = "none"
CLAIM = re.compile(r"(?P<kind>[a-z]+) `(?P<name>[^`]+)`(?: as `(?P<value>[^`]+)`)?")
ROWS = [row for row in rows(DOCS / "manual.md") if len(row) == 3]
PACKAGE = ROOT / "hatch_release"
SOURCE = "\n".join(file.read_text("utf-8") for end in ("py", "j2") for file in PACKAGE.rglob(f"*.{end}"))


@dataclass(frozen=True)
class Claim:
    """That something is here, or is not yet."""

    kind: str
    name: str
    value: str
    exists: bool

    def __str__(self) -> str:
        return f"{'' if self.exists else 'not yet '}{self.kind} {self.name} {self.value}".strip()


def claims(*, of_a_release: bool) -> list[Claim]:
    """What the middle column says of the code, or of a release."""
    parts = [part for _, here, _ in ROWS for part in here.split("; ") if part != NONE]
    found = []
    for part in dict.fromkeys(parts):
        claim = CLAIM.fullmatch(part.removeprefix(NOT_YET))
        assert claim, part
        found.append(Claim(claim["kind"], claim["name"], claim["value"] or "", not part.startswith(NOT_YET)))
    return [claim for claim in found if (claim.kind in IN_A_RELEASE) is of_a_release]


def option_exists(name: str, value: str) -> bool:
    if name == RELEASES:
        return True
    supported = OPTIONS[name].supported
    if not value:
        return supported is not False
    return supported is True or (isinstance(supported, Kind) and supported.fits({"from-app": "hello"}))


def variable_exists(name: str, _: str) -> bool:
    """Whether the code knows it, by its name or by a prefix and the rest."""
    if name in VARIABLES or re.search(rf"\b{name}\b", SOURCE):
        return True
    prefix, _, last = name.rpartition("_")
    return f"{prefix}_{{name}}" in SOURCE and f'"{last}"' in SOURCE


def function_exists(name: str, _: str) -> bool:
    module, _, attribute = name.partition(":")
    return hasattr(importlib.import_module(module), attribute)


def flag_exists(name: str, _: str) -> bool:
    """Whether `hatch-release build` has it."""
    if "build" not in COMMANDS:
        return False
    command = importlib.import_module("hatch_release.commands.build").command
    return name in {each for parameter in command.params for each in parameter.opts}


IN_CODE: dict[str, Callable[[str, str], bool]] = {
    "option": option_exists,
    "variable": variable_exists,
    "function": function_exists,
    "flag": flag_exists,
    "mode": lambda name, _: name in MODES,
    "tool": lambda name, _: name in COMMANDS,
}


def file_exists(root: Path, name: str) -> bool:
    """Whether a release has it; the page says VSN for each version."""
    if name == "lib/NAME-VSN":
        return (root / "lib" / "hello-1.0.0").is_dir()
    name = name.replace("python-VSN", next(root.glob("python-*")).name)
    return (root / name.replace("VSN", "1.0.0").replace("NAME", "hello")).exists()


def source_counts(root: Path, name: str) -> bool:
    """Whether a file of the project has done its work."""
    if name == "pyproject.toml":
        return (root / "releases" / "1.0.0").is_dir()
    key = {"config/config.py": "base", "config/prod.py": "extended", "config/runtime.py": "booted"}[name]
    return f"hello.{key} " in run(root / "bin" / "hello", "config").stdout


def template_counts(root: Path, name: str) -> bool:
    """Whether a file of `rel/` is in the release."""
    if name == "rel/overlays":
        return (root / "written").exists()
    file = root / "releases" / "1.0.0" / name.removeprefix("rel/").removesuffix(".j2")
    return file.exists() and "of hello, by hand" in file.read_text("utf-8")


def command_exists(root: Path, name: str) -> bool:
    """Whether the launcher knows it; most do nothing without arguments or a running system."""
    done = run(root / "bin" / "hello", name)
    return not re.search("not supported yet|Unknown command", done.stderr)


def step_was_run(root: Path, name: str) -> bool:
    """Whether the release shows the step's work."""
    return bool({"assemble": [root / "bin"], "tar": [*root.parent.glob("hello-1.0.0-*.tar.zst")]}[name])


IN_A_RELEASE: dict[str, Callable[[Path, str], bool]] = {
    "file": file_exists,
    "source": source_counts,
    "template": template_counts,
    "command": command_exists,
    "step": step_was_run,
    "target": lambda root, _: root.is_dir(),
}


@pytest.mark.parametrize("heading", MANUAL)
def test_everything_of_the_manual_has_a_row(heading: str) -> None:
    text = (DOCS / "manual.md").read_text("utf-8")
    section = text.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    named = re.findall(r"^\| (.*?) \|", section, re.MULTILINE)
    words = {word for cell in named for word in (*re.findall(r"`([^`]+)`", cell), *cell.split(", "))}
    assert [word for word in MANUAL[heading].split() if word.replace("~", " ") not in words] == []


def test_what_has_no_counterpart_has_a_reason() -> None:
    assert [mix for mix, here, remarks in ROWS if here == NONE and not remarks] == []


@pytest.mark.parametrize("claim", claims(of_a_release=False), ids=str)
def test_the_code_is_as_the_page_says(claim: Claim) -> None:
    assert IN_CODE[claim.kind](claim.name, claim.value) is claim.exists


@pytest.fixture(scope="module")
def root(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The release `hello`, whose project has every file that the page names, with an archive."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("manual"))
    head = "from hatch_release.runtime.config import config, import_config\n"
    template = "# of {{ release.name }}, by hand\n"
    files = {
        "config/config.py": f'{head}config("hello", base=1)\nimport_config("prod.py")\n',
        "config/prod.py": f'{head}config("hello", extended=1)\n',
        "config/runtime.py": f'{head}config("hello", booted=1)\n',
        **dict.fromkeys(
            [f"rel/{name}.j2" for name in ("vm.args", "remote.vm.args", "env.sh", "env.bat")], template
        ),
        "rel/overlays/written": "by hand\n",
    }
    for name, text in files.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, "utf-8")
    configure(project, 'steps = ["assemble", "tar"]')
    return builders[interpreters.running()].release(project)


@pytest.mark.parametrize("claim", claims(of_a_release=True), ids=str)
def test_a_release_is_as_the_page_says(root: Path, claim: Claim) -> None:
    assert IN_A_RELEASE[claim.kind](root, claim.name) is claim.exists
