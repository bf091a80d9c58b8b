"""What an assembled release says of its applications: `start.script`, the boot files, `NAME.rel`, and errors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from hatch_release.errors import ReleaseError
from hatch_release.runtime import bootfile
from tests import interpreters
from tests.builds import at, configure, failure, nothing_written, replace
from tests.projects import Builder, run, write_project
from tests.wheels import locked, make_wheel

if TYPE_CHECKING:
    from pathlib import Path

DECLARED = "[hatch_release.application]\n{0} = {0}:application\n"
CONTEXT = """
import contextlib


@contextlib.contextmanager
def application():
    yield
"""
FAILING = "import contextlib\nraise LookupError('no\\nsuch thing')\n"
PYPROJECT = """
[project]
name = "shop"
version = "1.0"
requires-python = ">=3.10"
dependencies = ["plain"]

[project.optional-dependencies]
jobs = ["taskq"]

[dependency-groups]
ops = ["agent"]

[project.entry-points."hatch_release.application"]
web = "shop.web:application"
admin = "shop.admin:application"

[tool.hatch.build.targets.release]
extras = ["jobs"]
groups = ["ops"]
steps = ["release_steps:add", "assemble", "release_steps:after"]
applications = { admin = { restarts = 3, within = 1 }, sleeper = { command = ["sleep", "1"], ready = { port = 80 } } }
preload = ["plain.py", "!shop/manual.py", "!shop/amdin.py"]
"""
STEPS = """
import os


def add(release):
    modes = os.environ.get("ADDED")
    release.boot_scripts.update(eval(modes) if modes else {"start_jobs": {"taskq": "transient", "store": "transient"}})
    return release


def after(release):
    if "LATE" in os.environ:
        release.boot_scripts["late"] = {}
    return release
"""
FILES = {
    "shop/__init__.py": "",
    "shop/__main__.py": "raise SystemExit('never imported')",
    "shop/web.py": CONTEXT,
    "shop/admin.py": CONTEXT,
    "shop/manual.py": FAILING,
    "shop/parts/__init__.py": "",
    "shop/parts/one.py": "",
    "shop/tests/__init__.py": FAILING,
    "release_steps.py": STEPS,
}
MODES = {
    "agent": "permanent",
    "store": "permanent",
    "taskq": "permanent",
    "admin": "permanent",
    "sleeper": "permanent",
    "web": "permanent",
}


def make(directory: Path, **changed: str) -> Path:
    """The project `shop`; `taskq`, which it needs for an extra, needs `store`; `agent` comes by a group."""
    project = write_project(directory / "shop", {**FILES, "pyproject.toml": PYPROJECT})
    requires = {"plain": [], "store": [], "agent": [], "taskq": ["store"]}
    lines = []
    for name, needed in requires.items():
        files = {f"{name}.py": changed.get(name, "" if name == "plain" else CONTEXT)}
        points = "" if name == "plain" else DECLARED.format(name)
        wheel = make_wheel(directory / "wheels", name, requires=needed, files=files, entry_points=points)
        lines.append(locked(name, wheel))
    (project / "requirements.lock").write_text("".join(lines))
    return project


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """The project, to change at will."""
    return make(tmp_path)


@pytest.fixture(scope="module")
def built(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The release and what building it said."""
    project = make(tmp_path_factory.mktemp("built"))
    done = builders[interpreters.running()].build(project)
    assert done.returncode == 0, done.stdout + done.stderr
    return project / "dist" / "release" / "shop", done.stderr


def script_of(root: Path, name: str = "start") -> dict[str, Any]:
    script: dict[str, Any] = json.loads((root / "releases" / "1.0" / f"{name}.script").read_text())
    return script


def modes_of(root: Path, name: str = "start") -> dict[str, str]:
    return {each["name"]: each["mode"] for each in script_of(root, name)["applications"]}


def test_the_script_tells_what_boots_in_which_order(built: tuple[Path, str]) -> None:
    script = script_of(built[0])
    assert (script["format"], script["release"], script["version"]) == (2, "shop", "1.0")
    assert modes_of(built[0]) == MODES
    assert [each["name"] for each in script["applications"]] == [
        *(
            "store",
            "taskq",
            "admin",
            "sleeper",
            "agent",
            "web",
        )  # configured ones first, what they need before
    ]
    by_name = {each["name"]: each for each in script["applications"]}
    assert by_name["admin"] == {
        "name": "admin",
        "distribution": "shop",
        "kind": "object",
        "mode": "permanent",
        "start": "shop.admin:application",
        "command": [],
        "restarts": 3,
        "within": 1.0,
        "shutdown": 5.0,
        "ready": {},
        "needs": ["store", "taskq"],
        "directory": "lib/shop-1.0",
    }
    sleeper = by_name["sleeper"]
    assert (sleeper["kind"], sleeper["start"], sleeper["command"]) == ("command", "", ["sleep", "1"])
    assert sleeper["ready"] == {"port": 80, "seconds": 30.0}


def test_the_script_tells_why_each_distribution_is_in(built: tuple[Path, str]) -> None:
    distributions = script_of(built[0])["distributions"]
    assert {name: each["why"] for name, each in distributions.items()} == {
        "shop": ["the project"],
        "plain": ["required by shop"],
        "taskq": ["extra jobs of the project"],
        "store": ["required by taskq"],
        "agent": ["dependency group ops"],
    }
    assert distributions["plain"] == {
        "version": "1.0",
        "mode": "load",
        "why": ["required by shop"],
        "path": "lib/plain-1.0",
    }


def test_the_description_lists_distributions_with_their_modes(built: tuple[Path, str]) -> None:
    description = json.loads((built[0] / "releases" / "1.0" / "shop.rel").read_text())
    assert {each["name"]: (each["mode"], each["path"]) for each in description["applications"]} == {
        "shop": ("permanent", "lib/shop-1.0"),
        "plain": ("load", "lib/plain-1.0"),
        "taskq": ("permanent", "lib/taskq-1.0"),
        "store": ("permanent", "lib/store-1.0"),
        "agent": ("permanent", "lib/agent-1.0"),
    }


def test_embedded_mode_preloads_what_is_started_and_the_patterns(built: tuple[Path, str]) -> None:
    root, said = built
    script = script_of(root)
    assert script["mode"] == "embedded"
    assert script["preloaded"] == [
        *(
            "agent",
            "plain",
            "shop",
            "shop.admin",
            "shop.parts",
            "shop.parts.one",
            "shop.web",
            "store",
            "taskq",
        )
    ]
    assert set(script["preloaded"]) <= set(script["imaged"])
    assert "Warning: the pattern '!shop/amdin.py' of the option preload fits no module of the release" in said
    assert "manual.py" not in said


def test_the_clean_boot_script_starts_nothing(built: tuple[Path, str]) -> None:
    assert modes_of(built[0], "start_clean") == dict.fromkeys(MODES, "load")
    script = script_of(built[0], "start_clean")
    assert (script["mode"], script["preloaded"], script["imaged"]) == ("interactive", [], [])


def test_a_step_adds_a_boot_script(built: tuple[Path, str]) -> None:
    root = built[0]
    assert modes_of(root, "start_jobs") == {
        **dict.fromkeys(MODES, "load"),
        "taskq": "transient",
        "store": "transient",
    }
    assert script_of(root, "start_jobs")["preloaded"] == ["plain", "store", "taskq"]


def test_eval_starts_what_is_needed_first(built: tuple[Path, str]) -> None:
    code = "from hatch_release.runtime import *; print(ensure_all_started('web'), started_applications())"
    done = run(built[0] / "bin" / "shop", "eval", code)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "['store', 'taskq', 'web'] ['store', 'taskq', 'web']\n"


@pytest.mark.parametrize("name", ["start", "start_clean", "start_jobs"])
def test_the_boot_file_says_the_same(built: tuple[Path, str], name: str) -> None:
    path = built[0] / "releases" / "1.0" / f"{name}.boot"
    payload = bootfile.unpack(path.read_bytes(), name)
    script = script_of(built[0], name)
    assert json.loads(json.dumps(payload["applications"])) == script["applications"]
    assert (payload["mode"], list(payload["preload"])) == (script["mode"], script["preloaded"])
    assert payload["directories_of"] == {
        each: f"lib/{each}-1.0" for each in ("shop", "plain", "taskq", "store", "agent")
    }


def test_a_boot_file_of_another_format_is_refused(built: tuple[Path, str]) -> None:
    data = (built[0] / "releases" / "1.0" / "start.boot").read_bytes()
    for number in (bootfile.FORMAT - 1, bootfile.FORMAT + 1):
        message = rf"x/start\.boot has format {number}, and format {bootfile.FORMAT} is what is read here: "
        with pytest.raises(ReleaseError, match=message):
            bootfile.unpack(
                data.replace(bootfile.MAGIC, bootfile.MAGIC[:-1] + bytes([number])), "x/start.boot"
            )
    with pytest.raises(ReleaseError, match=r"x/start\.boot is damaged: "):
        bootfile.unpack(data[:-1], "x/start.boot")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            'applications = { taskq = "load" }',
            (
                "application web is permanent, and its distribution shop requires taskq, which the option "
                "applications leaves 'load' (loaded, yet not started): set taskq to permanent, transient or temporary, "
                "or all applications of shop to load or none"
            ),
        ),
        (
            'applications = { plain = "none" }',
            (
                "application web is permanent, and its distribution shop requires plain, which the option "
                "applications leaves 'none' (not loaded): set plain to load, or all applications of shop "
                "to load or none"
            ),
        ),
        (
            'applications = { taskqs = "load" }',
            (
                "the option applications names 'taskqs', which is no application and no distribution of this release "
                "(a new application needs start or command), did you mean 'taskq'?"
            ),
        ),
        (
            'preload = ["!!"]',
            "the option preload holds a wrong pattern: Invalid git pattern: '!'",
        ),
    ],
)
def test_what_is_refused_while_assembling(builder: Builder, shop: Path, options: str, message: str) -> None:
    key = options.partition(" ")[0]
    text = (shop / "pyproject.toml").read_text()
    kept = [line for line in text.splitlines() if not line.startswith(f"{key} =")]
    (shop / "pyproject.toml").write_text("\n".join(kept))
    configure(shop, f"\n{options}")
    assert failure(builder.build(shop)) == at(shop, options) + message
    assert nothing_written(shop)


@pytest.mark.parametrize(
    ("added", "message"),
    [
        (
            '{"s": {"wep": "load"}}',
            "names 'wep', which is no application of this release, did you mean 'web'?",
        ),
        ('{"s": {"web": "permanant"}}', "makes web 'permanant', which is no mode, did you mean 'permanent'?"),
        (
            '{"start": {}}',
            "the boot script 'start' that a step has added has the name of one that is always there",
        ),
        ('{"a/b": {}}', "the boot script 'a/b' that a step has added can't be a file's name"),
        ('{"s": "web"}', "the boot script 's' that a step has added is 'web': expected modes by application"),
        (
            '{"s": {"web": "permanent", "taskq": "none"}}',
            (
                "application web is permanent in the boot script 's', and its distribution shop requires taskq, which "
                "the boot script 's' leaves 'none'"
            ),
        ),
    ],
)
def test_boot_scripts_that_can_t_be(builder: Builder, shop: Path, added: str, message: str) -> None:
    assert message in failure(builder.build(shop, ADDED=added))
    assert nothing_written(shop)


def test_a_boot_script_that_comes_too_late(builder: Builder, shop: Path) -> None:
    assert failure(builder.build(shop, LATE="1")) == (
        "a step of release 'shop' has changed boot_scripts after they were written: put it before assemble"
    )
    assert nothing_written(shop)


def test_a_module_that_can_t_be_preloaded(builder: Builder, shop: Path) -> None:
    replace(shop, '"!shop/manual.py", ', "")
    assert failure(builder.build(shop)) == at(shop, "preload =") + (
        "preloading the module shop.manual of release 'shop' fails with LookupError: no such thing: "
        'correct it, or take it out with preload = ["!shop/manual.py"]'
    )
    assert nothing_written(shop)
    # Interactive mode doesn't import it, nor does a build that doesn't try.
    configure(shop, 'mode = "interactive"')
    root = builder.release(shop)
    assert (script_of(root)["mode"], "shop.manual" in script_of(root)["preloaded"]) == ("interactive", True)
    replace(shop, 'mode = "interactive"', "check = false")
    assert script_of(builder.release(shop, HATCH_RELEASE_OVERWRITE="1"))["mode"] == "embedded"


def test_the_check_imports_the_module_of_every_application(builder: Builder, tmp_path: Path) -> None:
    project = make(tmp_path, taskq="import no_such_library\n")
    assert failure(builder.build(project)) == at(project, "dependencies =") + (
        "importing application taskq of release 'shop' fails with ModuleNotFoundError: No module named "
        "'no_such_library': add what is missing to the project's dependencies (and its lock), or set check = false"
    )


def test_a_console_script_is_started_in_interactive_mode(builder: Builder, project: Path) -> None:
    root = builder.release(project)
    (path,) = (root / "releases").glob("*/start.script")
    script = json.loads(path.read_text())
    (application,) = script["applications"]
    assert (script["mode"], application["name"], application["kind"]) == ("interactive", "hello", "script")
    assert run(root / "bin" / "hello", "start").stdout == "Hello, world!\n"
