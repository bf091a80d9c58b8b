"""When the configuration is loaded: before everything else of the system, by whom, and what if that fails."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.builds import configure
from tests.configuration.configured import Configured
from tests.projects import clean_environment, run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

PORT = "from hatch_release.runtime import get_env; print(get_env('configured', 'port'))"
LATE_RUNTIME = """
from hatch_release.runtime.config import config
{}
"""


@pytest.fixture
def clone(configured: Configured, tmp_path: Path) -> Configured:
    """A copy of the release, to change at will."""
    return configured.clone(tmp_path)


def test_it_is_there_before_the_application_is_imported(clone: Configured) -> None:
    order = "import sys; config('configured', first='configured.report' not in sys.modules)"
    (clone.version_path / "runtime.py").write_text(LATE_RUNTIME.format(order), "utf-8")
    assert clone.report()["first"] == "True"
    assert clone.report(RELEASE_MODE="embedded")["first"] == "True"


def test_what_a_copied_file_imports_later_is_refused_too(clone: Configured) -> None:
    for text, expected in (
        (
            "from hatch_release.runtime.config import import_config; import_config('x.py')",
            "import_config is not possible",
        ),
        ("__import__('hatch_release.options')", "imports hatch_release.options, which assembles releases"),
        ("import hatchling", "imports hatchling, which assembles releases"),
        ("config('configured',", "is no Python that this interpreter knows"),
    ):
        (clone.version_path / "runtime.py").write_text(LATE_RUNTIME.format(text), "utf-8")
        done = clone.run("start")
        assert (done.returncode, done.stdout) == (1, "")
        last = done.stderr.splitlines()[-1]
        assert (
            last.startswith("ERROR: releases/1.0.0/runtime.py:3 ") or "runtime.py:3: import_config" in last
        ), done.stderr
        assert expected in last


def test_another_file_can_be_named(configured: Configured, tmp_path: Path) -> None:
    copy = tmp_path / "other config" / "mine.config"
    copy.parent.mkdir()
    values = json.loads((configured.version_path / "sys.config").read_text("utf-8"))
    values["configured"]["greeting"] = "good day"
    copy.write_text(json.dumps(values), "utf-8")
    named = str(copy.with_suffix(""))
    assert configured.report(RELEASE_SYS_CONFIG=named)["greeting"] == "'good day'"
    done = configured.run("config", "configured", "greeting", RELEASE_SYS_CONFIG=named)
    assert done.stdout == f"configured.greeting  'good day'  {copy}\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            None,
            "cannot read the configuration {file}: No such file or directory; let RELEASE_SYS_CONFIG name another one",
        ),
        ("{", "the configuration {file} is damaged (Expecting property name"),
        ("[]", "the configuration {file} gave a value of type list: expected a table of applications"),
        ('{"a": 1}', "the configuration {file} gave a value of type int for the application 'a'"),
        (
            '{"a": {"b": {"$dat": 1}}}',
            "the configuration {file} is damaged (the key $dat, which is none of those",
        ),
        ('{"a": "\udcff"}', "cannot read the configuration {file}: it is no UTF-8"),
    ],
)
def test_a_file_that_is_missing_or_damaged_is_named(
    configured: Configured, tmp_path: Path, text: str | None, expected: str
) -> None:
    file = tmp_path / "mine.config"
    if text is not None:
        file.write_bytes(text.encode("utf-8", "surrogateescape"))
    for command in (("start",), ("eval", "1"), ("run", "configured"), ("config",)):
        done = configured.run(*command, RELEASE_SYS_CONFIG=str(tmp_path / "mine"))
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith(f"ERROR: {expected.format(file=file)}")
        assert len(done.stderr.splitlines()) == 1


def test_an_ending_too_many_is_told(configured: Configured) -> None:
    named = f"{configured.version_path}/sys.config"
    done = configured.run("start", RELEASE_SYS_CONFIG=named)
    assert f"(without its ending: {configured.version_path}/sys)" in done.stderr


def test_a_release_without_configuration_reads_one_that_is_named(
    builder: Builder, project: Path, tmp_path: Path
) -> None:
    shutil.rmtree(project / "config")
    text = (project / "pyproject.toml").read_text("utf-8").partition("# Each looks")[0]
    (project / "pyproject.toml").write_text(text, "utf-8")
    report = (project / "configured" / "report.py").read_text("utf-8")
    (project / "configured" / "report.py").write_text(report.replace("compile_env(", "get_env("), "utf-8")
    release = Configured(project, builder.release(project))
    assert json.loads((release.version_path / "start.script").read_text("utf-8"))["config"] is None
    assert release.run(
        "eval", "import sys; print('json' in sys.modules, 'hatch_release.runtime.config' in sys.modules)"
    ).stdout == ("False False\n")
    assert release.run("eval", PORT).stdout == "None\n"
    (tmp_path / "mine.config").write_text('{"configured": {"port": 7}}', "utf-8")
    assert release.run("eval", PORT, RELEASE_SYS_CONFIG=str(tmp_path / "mine")).stdout == "7\n"


@pytest.mark.parametrize("how", ["spawn", "fork"])
def test_children_of_multiprocessing_have_it(each: Configured, how: str) -> None:
    code = f"""
import multiprocessing
from hatch_release.runtime import get_env
if __name__ == "__main__":
    with multiprocessing.get_context("{how}").Pool(1) as pool:
        print(pool.apply(get_env, ("configured", "port")))
"""
    done = each.run("eval", code, PORT="9000")
    assert done.stdout == "9000\n", done.stderr


def test_children_by_sys_executable_have_it(each: Configured) -> None:
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {PORT!r}])"
    assert each.run("eval", code, PORT="9000").stdout == "9000\n"


def test_an_interpreter_started_by_hand_finds_it(configured: Configured) -> None:
    (python,) = configured.root.glob("python-*/bin/python3")
    done = subprocess.run(
        [python, "-c", PORT], env=clean_environment(), capture_output=True, text=True, check=False
    )
    assert done.stdout == "8000\n", done.stderr


def test_eval_starts_nothing_and_sees_what_start_sees(configured: Configured) -> None:
    code = "import json; from configured.report import report; print(json.dumps(report()))"
    done = configured.run("eval", code, PORT="9000", CONFIGURED_NEW="x")
    started = configured.report(PORT="9000", CONFIGURED_NEW="x")
    differ = {"FIXED", "names"}  # what report adds, and a set, whose order differs from process to process
    assert {**json.loads(done.stdout), "names": ""} == {
        **{key: started[key] for key in started if key not in differ},
        "names": "",
    }


PLUGIN = """
from hatch_release import Command, hookimpl


@hookimpl
def release_commands():
    return [Command(name="look", entry="configured.report:main", help="Looks at a key")]
"""


@pytest.mark.parametrize("reboot", ["false", "true"])
def test_commands_of_plugins_have_it_too(
    builder: Builder, project: Path, tmp_path: Path, reboot: str
) -> None:
    (project / "release_plugin.py").write_text(PLUGIN, "utf-8")
    configure(project, f'plugins = ["release_plugin"]\nreboot-system-after-config = {reboot}')
    root = builder.release(project)
    variables = {"RELEASE_TMP": str(tmp_path / "tmp"), "PORT": "9000"}
    assert run(root / "bin" / "configured", "look", "port", cwd=None, **variables).stdout == "9000\n"
    assert not list(tmp_path.glob("tmp/*.config"))
    failed = run(
        root / "bin" / "configured", "look", "port", cwd=None, **{**variables, "CONFIGURED_PORT": "x"}
    )
    assert failed.returncode == 1
    assert failed.stderr.startswith("ERROR: environment variable CONFIGURED_PORT is 'x'")


def test_commands_that_start_no_system_do_not_load_it(clone: Configured) -> None:
    (clone.version_path / "runtime.py").write_text("raise SystemExit('not wanted')", "utf-8")
    assert clone.run("version").stdout == "configured 1.0.0\n"
    assert "runtime.py" in clone.run("verify").stderr  # changed, which is all that it says


def test_a_daemon_that_can_not_be_configured_tells_its_caller(configured: Configured, tmp_path: Path) -> None:
    temporary = tmp_path / "tmp"
    done = configured.run("daemon", RELEASE_TMP=str(temporary), CONFIGURED_PORT="many")
    assert done.returncode == 1
    assert "environment variable CONFIGURED_PORT is 'many', but configured.port is of type int" in done.stderr


def test_config_and_providers_may_use_the_dependencies(builder: Builder, project: Path) -> None:
    with (project / "config" / "config.py").open("a", encoding="utf-8") as stream:
        stream.write(
            "\nfrom configured.settings import Level\n\nconfig('configured', level=Level.HIGH.value)\n"
        )
        # What only the build needs of the standard library may be used too.
        stream.write("import turtledemo, wave\n")
    configure(project, "check = false")
    root = builder.release(project)
    assert "level=<Level.HIGH: 2>" in run(root / "bin" / "configured", "start", "--settings").stdout
