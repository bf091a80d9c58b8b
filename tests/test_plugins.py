"""Plugins: every hook at work, where plugins are found, and what is said of one that is wrong."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import os
import stat
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from hatch_release import hookspecs
from hatch_release.plugins.answers import ANSWERS
from hatch_release.plugins.manager import HOOKS
from tests import interpreters
from tests.builds import configure, failure, greets, nothing_written
from tests.conftest import copy_fixture
from tests.projects import FIXTURES, Builder, run
from tests.trees import snapshot
from tests.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Done

NAME = "plugins_demo-1.0.0.demo-x86_64-unknown-linux-gnu.tar"
HEAD = "from hatch_release import *\nfrom hatch_release import hookimpl\n"


class Demo:
    """The fixture, built, and what was said meanwhile."""

    def __init__(self, builder: Builder, project: Path) -> None:
        (project / "release_plugin" / "overlay" / "etc" / "plugins_demo" / "empty").mkdir(exist_ok=True)
        (project / "release_plugin" / "overlay" / "etc" / "plugins_demo" / "greeting.orig").touch()
        done = builder.build(project)
        assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stdout + done.stderr
        self.said = done.stdout
        self.beside = project / "dist" / "release"
        self.root = self.beside / "plugins_demo"
        self.launcher = self.root / "bin" / "plugins_demo"


@pytest.fixture(scope="module")
def demo(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Demo:
    project = copy_fixture("plugins_demo", tmp_path_factory.mktemp("demo"))
    return Demo(builders[interpreters.running()], project)


def with_plugin(project: Path, code: str, options: str = "") -> Path:
    """The project with a plugin of its own."""
    (project / "own_plugin.py").write_text(HEAD + code, "utf-8")
    return configure(project, f'plugins = ["own_plugin"]\n{options}')


def install(directory: Path, name: str, code: str, point: str = "") -> str:
    """Install a distribution with a plugin; gives the value of PYTHONPATH with which it is found."""
    module = f"{name}_module"
    wheel = make_wheel(
        directory / "wheels",
        name,
        version="1.2",
        files={f"{module}.py": HEAD + code},
        entry_points=f"[hatch_release]\n{point or name} = {module}\n",
    )
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory / name)  # noqa: S202 - made above
    return str(directory / name)


def built(builder: Builder, project: Path, *places: str) -> Done:
    done = builder.build(project, PYTHONPATH=os.pathsep.join(places))
    assert done.returncode == 0, done.stdout + done.stderr
    return done


# Every hook at work


def test_the_fixture_implements_every_hook() -> None:
    spec = importlib.util.spec_from_file_location(
        "demo", FIXTURES / "plugins_demo/release_plugin/__init__.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    marked = {name for name, each in vars(module).items() if hasattr(each, "hatch_release_impl")}
    assert marked == set(HOOKS)


def test_each_hook_says_when_it_fires_and_what_it_expects() -> None:
    assert set(ANSWERS) == set(HOOKS)
    for name in HOOKS:
        assert inspect.getdoc(getattr(hookspecs, name)).startswith("Fires "), name  # type: ignore[union-attr]


def test_a_plugin_changes_the_release_before_its_first_step(demo: Demo) -> None:
    assert run(demo.launcher, "version").stdout == "plugins_demo 1.0.0.demo\n"


def test_named_steps_and_what_is_called_around_each(demo: Demo) -> None:
    said = [line for line in demo.said.splitlines() if line.startswith(("before", "after"))]
    assert said == [
        "before assemble, 2 to come",
        "after assemble",
        "before summary, 1 to come",
        "after summary",
        "before tar, 0 to come",
        "after tar",
    ]
    assert (demo.root / "SUMMARY").read_text() == "plugins_demo 1.0.0.demo: plugins-demo\n"


def test_overlays_of_a_plugin(demo: Demo) -> None:
    assert sorted(os.listdir(demo.root / "etc" / "plugins_demo")) == ["empty", "greeting"]  # noqa: PTH208 - names
    assert run(demo.launcher, "start").stdout == "Hello from an overlay!\n"


def test_templates_of_a_plugin(demo: Demo) -> None:
    service = demo.root / "etc" / "plugins_demo.service"
    assert "ExecStart=plugins_demo start\n" in service.read_text()
    assert stat.S_IMODE(service.stat().st_mode) == 0o600


def test_files_that_a_plugin_leaves_out_and_keeps(demo: Demo) -> None:
    package = demo.root / "lib" / "plugins_demo-1.0.0" / "plugins_demo"
    assert not (package / "spare").exists()
    assert sorted(each.name for each in package.glob("*.py*")) == [
        "__init__.pyc",
        "main.pyc",
        "provider.pyc",
        "readable.py",
    ]
    reasons = json.loads((demo.root / "releases/1.0.0.demo/consolidated/files.json").read_text())
    assert reasons["plugins_demo/spare/wheel.py"] == {
        "kept": False,
        "reason": "nothing needs it in production",
        "plugin": "release_plugin",
        "distribution": "plugins-demo",
    }
    record = (package.parent / "plugins_demo-1.0.0.dist-info" / "RECORD").read_text()
    assert "spare" not in record
    assert "readable.py" in record
    assert run(demo.launcher, "verify").returncode == 0


def test_commands_of_a_plugin_and_of_a_distribution(demo: Demo) -> None:
    assert run(demo.launcher, "jobs", "a b", "c").stdout == "jobs a b c\n"
    assert run(demo.launcher, "health").stdout == "well\n"
    assert run(demo.launcher, "health", "now").returncode == 3
    usage = run(demo.launcher).stderr
    assert "    jobs [QUEUE]           Prints the queue's jobs\n" in usage
    assert "    health                 Runs plugins_demo.main:health of plugins-demo\n" in usage
    assert "Unknown command helth, did you mean health?" in run(demo.launcher, "helth").stderr
    script = json.loads((demo.root / "releases/1.0.0.demo/start.script").read_text())
    assert script["commands"] == {"health": "plugins_demo.main:health", "jobs": "plugins_demo.main:jobs"}


def test_a_config_provider_by_its_short_name(builder: Builder, demo: Demo, project: Path) -> None:
    code = "from hatch_release.runtime import config; print(config.get_env('plugins_demo', 'queue'))"
    assert run(demo.launcher, "eval", code).stdout == "overdue\n"
    configure(project, 'config-providers = [{ provider = "plugin-demo" }]')
    message = failure(builder.build(project))
    assert (
        "config-providers[0].provider: unknown provider 'plugin-demo', there are dotenv, env, json, "
        in message
    )


def test_an_archive_format_and_what_is_delivered_with_it(demo: Demo) -> None:
    archive = demo.beside / NAME
    with tarfile.open(archive, "r:") as packed:
        assert {"SUMMARY", "bin/plugins_demo", "etc/plugins_demo/empty"} <= set(packed.getnames())
    checksum = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert (demo.beside / f"{NAME}.sha256").read_text() == f"{checksum}  {NAME}\n"
    assert demo.said.splitlines()[-1] == f"finished in plugins_demo: {NAME}, {NAME}.sha256"


def test_a_check_of_a_plugin_stops_the_build(builder: Builder, demo: Demo) -> None:
    project = demo.beside.parents[1]
    before = snapshot(demo.beside)
    configure(project, '[tool.hatch.build.targets.release.releases.plugins_demo]\nsteps = ["assemble"]')
    message = failure(builder.build(project, HATCH_RELEASE_OVERWRITE="1"))
    assert message == (
        "release 'plugins_demo': plugin release_plugin (a module of the project): "
        "no SUMMARY: put the step summary after assemble"
    )
    assert snapshot(demo.beside) == before


# Where plugins are found, and in which order they are called


SAYING = """
@hookimpl
def release_configure(release):
    release.progress.say(f"called {__name__}")
"""


def test_installed_plugins_and_modules_in_their_order(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    places = [
        install(tmp_path, "zebra", SAYING),
        install(tmp_path, "ant", SAYING),
        install(tmp_path, "last", SAYING.replace("hookimpl", "hookimpl(trylast=True)")),
        install(tmp_path, "first", SAYING.replace("hookimpl", "hookimpl(tryfirst=True)")),
    ]
    wrapper = """
@hookimpl(wrapper=True)
def release_configure(release):
    release.progress.say("called around")
    result = yield
    release.progress.say("called after")
    return result
"""
    places.append(install(tmp_path, "wrapping", wrapper))
    with_plugin(project, SAYING)
    done = built(builder, project, *places)
    called = [line.removeprefix("called ") for line in done.stdout.splitlines() if line.startswith("called")]
    assert called == [
        "around",
        "first_module",
        "own_plugin",
        "ant_module",
        "zebra_module",
        "last_module",
        "after",
    ]
    configure(project, "").joinpath("pyproject.toml").write_text(
        (project / "pyproject.toml").read_text().replace('["own_plugin"]', '["own_plugin", "!ant", "!zebra"]')
    )
    done = builder.build(project, PYTHONPATH=os.pathsep.join(places), HATCH_RELEASE_OVERWRITE="1")
    assert "called own_plugin" in done.stdout
    assert "ant_module" not in done.stdout
    assert greets(project / "dist" / "release" / "hello")


def test_of_two_that_can_have_their_way_the_first_called_has(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    for name in ("ant", "zebra"):
        (tmp_path / f"{name}-files").mkdir()
        (tmp_path / f"{name}-files" / "who").write_text(name)
    code = """
from pathlib import Path

@hookimpl
def release_overlays():
    return [Overlay(path=Path({path!r}))]
"""
    places = [
        install(tmp_path, name, code.format(path=str(tmp_path / f"{name}-files")))
        for name in ("zebra", "ant")
    ]
    built(builder, project, *places)
    root = project / "dist" / "release" / "hello"
    assert (root / "who").read_text() == "ant"
    (project / "rel" / "overlays").mkdir(parents=True)
    (project / "rel" / "overlays" / "who").write_text("the project")
    done = builder.build(project, PYTHONPATH=os.pathsep.join(places), HATCH_RELEASE_OVERWRITE="1")
    assert done.returncode == 0, done.stderr
    assert "Warning" not in done.stderr.replace("no lock found", "")
    assert (root / "who").read_text() == "the project"


# What is said of a plugin that is wrong


WHO = "plugin own_plugin (a module of the project)"
IN_RELEASE = f"release 'hello': {WHO}"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("1 / 0", "names 'own_plugin', whose import fails: ZeroDivisionError: division by zero"),
        ("import no_such", "names 'own_plugin', which can't be loaded from"),
        ("", f"{WHO} implements no hook: put @hookimpl before it"),
        (
            "def release_check(release): ...",
            f"{WHO} has a function release_check that is not marked: put @hookimpl before it",
        ),
        (
            "@hookimpl\ndef release_befor_step(release): ...",
            (
                f"{WHO} implements 'release_befor_step', which is no hook of hatch-release 0.1.0, did you mean "
                "'release_before_step'?"
            ),
        ),
        ("@hookimpl\ndef on_end(): ...", "'on_end', which is no hook of hatch-release 0.1.0: its hooks are "),
        (
            "@hookimpl\ndef release_before_step(relase): ...",
            (
                f"{WHO} implements release_before_step with the argument 'relase', which that hook of hatch-release "
                "0.1.0 doesn't have, did you mean 'release'?"
            ),
        ),
        (
            "@hookimpl\ndef release_steps(context): ...",
            "'context', which that hook of hatch-release 0.1.0 doesn't",
        ),
        (
            "@hookimpl(wrapper=True)\ndef release_check(release): return []",
            f"{WHO} implements release_check by a wrapper that",
        ),
        (
            "@hookimpl\ndef release_steps(): return ['assemble']",
            f"{IN_RELEASE} gave ['assemble'] to release_steps",
        ),
        (
            "def own(release): return release\n@hookimpl\ndef release_steps(): return {'tar': own}",
            "release 'hello': the step 'tar' is given twice, by plugin own_plugin and plugin steps: disable one",
        ),
        (
            "@hookimpl\ndef release_archive_formats(): return {'zip': print}",
            "release 'hello': the archive format 'zip' is given twice, by plugin own_plugin and plugin archives",
        ),
        (
            "@hookimpl\ndef release_steps(): raise SystemExit(3)",
            f"{IN_RELEASE} failed in release_steps: SystemExit: 3",
        ),
    ],
)
def test_a_plugin_that_is_refused_before_anything_is_written(
    builder: Builder, project: Path, code: str, message: str
) -> None:
    with_plugin(project, code)
    done = builder.build(project)
    assert message in failure(done)
    assert done.stdout == ""
    assert nothing_written(project)


def test_a_hook_of_another_page_may_be_optional(builder: Builder, project: Path) -> None:
    with_plugin(project, "@hookimpl(optionalhook=True)\ndef release_newer(anything): ...")
    assert built(builder, project)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ('plugins = ["!nothing"]', "the option plugins disables 'nothing', which is no plugin of this build"),
        ('plugins = ["!tar"]', "disables 'tar', which is no plugin"),
        ('plugins = ["!steps"]', "the option plugins disables 'steps', which is built in"),
        ('plugins = ["own plugin"]', 'release.plugins[0]: expected a module, or "!NAME", found'),
        ('plugins = ["no_such_module"]', "names 'no_such_module', which can't be loaded"),
        ('steps = ["assembel", "assemble"]', "steps[0]: unknown step 'assembel', did you mean 'assemble'?"),
        ('steps = ["assemble", "sbom"]', "steps[1]: unknown step 'sbom', there are assemble, tar"),
        ('archive = "tar.zstd"', "archive: unknown archive format 'tar.zstd', did you mean 'tar.zst'?"),
        ('archive = "7z"', "release.archive: expected"),
        ('releases.hello.archive = "rar"', "releases.hello.archive: unknown archive format 'rar', "),
    ],
)
def test_a_name_that_no_plugin_has(builder: Builder, project: Path, options: str, message: str) -> None:
    assert message in failure(builder.build(configure(project, options)))
    assert nothing_written(project)


def test_an_installed_plugin_that_cannot_be_loaded_or_has_the_name_of_another(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    broken = install(tmp_path, "broken", "1 / 0")
    message = failure(builder.build(project, PYTHONPATH=broken))
    assert "plugin broken (broken 1.2) can't be loaded: ZeroDivisionError: division by zero" in message
    assert 'plugins = ["!broken"]' in message
    places = [install(tmp_path, name, SAYING, "shared") for name in ("one", "two")]
    message = failure(builder.build(project, PYTHONPATH=os.pathsep.join(places)))
    assert "two plugins are called 'shared', of one 1.2 and two 1.2" in message
    assert nothing_written(project)


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "@hookimpl\ndef release_after_step(step): raise LookupError('no such\\nthing')",
            f"{IN_RELEASE} failed in release_after_step: LookupError: no such thing",
        ),
        (
            "@hookimpl\ndef release_before_step(release): raise ReleaseError('do this instead')",
            f"{IN_RELEASE} failed in release_before_step: do this instead",
        ),
        (
            "@hookimpl\ndef release_after_step(): return 5",
            f"{IN_RELEASE} gave 5 to release_after_step: expected nothing",
        ),
        (
            "@hookimpl\ndef release_overlays(): return ['etc']",
            "gave ['etc'] to release_overlays: expected a list of Ov",
        ),
        (
            "from pathlib import Path\n@hookimpl\ndef release_overlays(): return [Overlay(path=Path('missing'))]",
            f"{IN_RELEASE}: the overlay missing does not exist",
        ),
        (
            "@hookimpl\ndef release_check(): return ['one', 2]",
            "to release_check: expected nothing or a list of strings",
        ),
        (
            "@hookimpl\ndef release_commands(): return [Command(name='start', entry='hello:x')]",
            f"{IN_RELEASE}: the command 'start' has the name of one that every release has",
        ),
        (
            "@hookimpl\ndef release_commands(): return [Command(name='say', entry='helo:x')]",
            "the command 'say' is helo:x, and the release holds no module helo, did you mean 'hello'?",
        ),
        (
            "@hookimpl\ndef release_files(): return [FileRule(pattern='!', reason='')]",
            f"{IN_RELEASE}: the rule for '!' holds a wrong pattern",
        ),
        (
            "@hookimpl\ndef release_after_step(release): (release.path / 'bin/hello').unlink()",
            f"{IN_RELEASE} has removed bin/hello, which no release can do without",
        ),
        (
            "@hookimpl\ndef release_configure(release): release.name = 'other'",
            f"{IN_RELEASE} has changed the field name of the release, which is there to be read",
        ),
        (
            "@hookimpl\ndef release_after_step(release): release.artifacts.append(release.scratch / 'x')",
            "the artifacts of release 'hello' name ",
        ),
        (
            "@hookimpl(wrapper=True)\ndef release_check(release):\n    yield\n    yield",
            "release 'hello': a wrapper of release_check: wrap_controller",
        ),
        (
            "@hookimpl(wrapper=True)\ndef release_check(release):\n    yield\n    return 'all'",
            "release 'hello': a wrapper of release_check gave 'all'",
        ),
    ],
)
def test_a_plugin_that_fails_is_named_and_leaves_the_installed_release(
    builder: Builder, assembled: Path, code: str, message: str
) -> None:
    before = snapshot(assembled / "dist")
    (assembled / "own_plugin.py").write_text(HEAD + code, "utf-8")
    done = builder.build(assembled, HATCH_RELEASE_OVERWRITE="1")
    assert message in failure(done)
    assert snapshot(assembled / "dist") == before


@pytest.fixture(scope="module")
def assembled(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a plugin, whose release is there already."""
    project = copy_fixture("hello", tmp_path_factory.mktemp("assembled"))
    with_plugin(project, SAYING, "check = false")
    builders[interpreters.running()].release(project)
    return project


def test_the_cause_is_shown_to_whom_wants_to_see_it(builder: Builder, project: Path) -> None:
    with_plugin(project, "@hookimpl\ndef release_configure(): raise LookupError('here')")
    done = builder.build(project, HATCH_VERBOSE="1")
    assert "own_plugin.py" in done.stderr
    assert 'raise LookupError("here")' in done.stderr or "LookupError: here" in done.stderr


def test_a_plugin_that_moves_the_process_elsewhere_does_no_harm(builder: Builder, project: Path) -> None:
    with_plugin(
        project, "import os\n@hookimpl\ndef release_before_step():\n    os.chdir('/')\n    os.umask(0o777)"
    )
    built(builder, project)
    assert greets(project / "dist" / "release" / "hello")


def test_an_error_of_release_finished_leaves_what_was_delivered(builder: Builder, project: Path) -> None:
    with_plugin(project, "@hookimpl\ndef release_finished(): raise OSError('no network')")
    assert f"{IN_RELEASE} failed in release_finished: OSError: no network" in failure(builder.build(project))
    assert greets(project / "dist" / "release" / "hello")
