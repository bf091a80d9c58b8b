"""Plugins: every hook at work, where plugins are found, and what is said of one that is wrong."""

from __future__ import annotations

import hashlib
import importlib.util
import inspect
import json
import os
import stat
import tarfile
from typing import TYPE_CHECKING

import pytest

from hatch_release import hookspecs
from hatch_release.plugins.answers import ANSWERS
from hatch_release.plugins.manager import HOOKS
from tests import interpreters
from tests.builds import configure, failure, greets
from tests.conftest import copy_fixture
from tests.own_plugins import SAYING, built, install, with_plugin
from tests.projects import FIXTURES, Builder, run
from tests.trees import snapshot

if TYPE_CHECKING:
    from pathlib import Path


NAME = "plugins_demo-1.0.0.demo-x86_64-unknown-linux-gnu.tar"


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
