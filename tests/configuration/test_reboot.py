"""`reboot-system-after-config`: the system starts anew, in the same process, with what it was configured to be."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests import interpreters
from tests.builds import configure
from tests.configuration.configured import Configured
from tests.conftest import copy_fixture
from tests.projects import clean_environment
from tests.runtime.nodes import wait_for

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

INTERPRETER = """
import json
config("python", **json.loads(os.environ.get("PYTHON_SETTINGS", "{}")))
"""
NAME = re.compile(r"configured-1\.0\.0-\d{14}-[0-9a-f]{4}\.runtime\.config")


@pytest.fixture(scope="module", params=interpreters.available())
def rebooting(
    request: pytest.FixtureRequest, builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory
) -> Configured:
    project = copy_fixture("configured", tmp_path_factory.mktemp(f"rebooting-{request.param}"))
    with (project / "config" / "runtime.py").open("a", encoding="utf-8") as stream:
        stream.write(INTERPRETER)
    configure(project, "reboot-system-after-config = true")
    return Configured(project, builders[str(request.param)].release(project))


def flags(release: Configured, settings: dict[str, Any], **environment: str) -> dict[str, Any]:
    """What the application sees of the interpreter that it runs in."""
    done = release.run("start", "--flags", cwd=None, PYTHON_SETTINGS=json.dumps(settings), **environment)
    assert (done.returncode, done.stderr) == (0, "")
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def written(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.config"))


def test_options_of_the_interpreter_take_effect(rebooting: Configured, tmp_path: Path) -> None:
    settings = {
        "xoptions": {"dev": True, "int_max_str_digits": 5000, "importtime": False},
        "warnoptions": ["ignore::DeprecationWarning"],
        "optimize": 1,
        "utf8_mode": True,
        "hash_seed": 7,
    }
    one, other = (flags(rebooting, settings, RELEASE_TMP=str(tmp_path)) for _ in range(2))
    assert one == other  # the hash of a text too
    assert one["xoptions"] == {"dev": True, "int_max_str_digits": "5000", "utf8": "1"}
    assert "ignore::DeprecationWarning" in one["warnoptions"]
    assert (one["optimize"], one["utf8_mode"]) == (1, 1)


def test_the_interpreter_is_as_isolated_with_a_hash_seed_as_without(
    rebooting: Configured, tmp_path: Path
) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('a foreign json')\n", "utf-8")
    environment = {"PYTHONPATH": str(tmp_path), "RELEASE_TMP": str(tmp_path / "tmp")}
    code = "import os, sys; print(os.environ['PYTHONPATH'], sys.path)"
    settings = json.dumps({"hash_seed": 7})
    seeded = rebooting.run("eval", code, cwd=tmp_path, PYTHON_SETTINGS=settings, **environment)
    plain = rebooting.run("eval", code, cwd=tmp_path, **environment)
    assert seeded.stdout == plain.stdout
    assert seeded.stderr == ""


def test_the_result_is_written_for_its_owner_alone(rebooting: Configured, tmp_path: Path) -> None:
    assert (
        rebooting.report(RELEASE_TMP=str(tmp_path), PORT="9000", DATABASE_PASSWORD="topsecret")["port"]
        == "9000"
    )
    (file,) = written(tmp_path)
    assert NAME.fullmatch(file.name)
    assert file.stat().st_mode & 0o777 == 0o600
    assert json.loads(file.read_text("utf-8"))["configured"]["port"] == 9000


def test_the_second_start_has_secrets_and_origins_too(rebooting: Configured, tmp_path: Path) -> None:
    report = rebooting.report(RELEASE_TMP=str(tmp_path), DATABASE_PASSWORD="topsecret")
    assert report["database"] == "{'pool': 5, 'url': 'postgres://db/prod', 'password': [secret]}"
    code = (
        "from hatch_release.runtime.config.store import source_of; print(source_of(('configured', 'port')))"
    )
    done = rebooting.run("eval", code, RELEASE_TMP=str(tmp_path), PORT="9000")
    assert done.stdout == "releases/1.0.0/runtime.py:9\n"


def test_eval_leaves_nothing_behind(rebooting: Configured, tmp_path: Path) -> None:
    assert rebooting.run("eval", "print('done')", RELEASE_TMP=str(tmp_path)).stdout == "done\n"
    assert written(tmp_path) == []


def test_config_writes_nothing(rebooting: Configured, tmp_path: Path) -> None:
    assert rebooting.run("config", "configured", "port", RELEASE_TMP=str(tmp_path)).returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_can_not_be_written_is_named(rebooting: Configured) -> None:
    done = rebooting.run("start", RELEASE_TMP="/proc/nowhere")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "ERROR: Cannot start release because it could not write /proc/nowhere/configured-1.0.0-"
    )
    assert len(done.stderr.splitlines()) == 1


def test_a_wrong_setting_is_told_before_anything_is_written(rebooting: Configured, tmp_path: Path) -> None:
    settings = json.dumps({"optimise": 1})
    done = rebooting.run("start", RELEASE_TMP=str(tmp_path), PYTHON_SETTINGS=settings)
    assert done.stderr == "ERROR: unknown setting 'optimise' of python: did you mean 'optimize'?\n"
    assert written(tmp_path) == []


def test_the_process_stays_the_same(builder: Builder, project: Path, tmp_path: Path) -> None:
    with (project / "config" / "runtime.py").open("a", encoding="utf-8") as stream:
        stream.write("\nwith open(os.environ['STARTS'], 'a') as file:\n    print(os.getpid(), file=file)\n")
    configure(project, "reboot-system-after-config = true\nprune-runtime-sys-config-after-boot = true")
    (project / "configured" / "waiting.py").write_text(WAITING, "utf-8")
    application = (
        '\n[tool.hatch.build.targets.release.applications]\nwaiting = { start = "configured.waiting:main" }\n'
    )
    with (project / "pyproject.toml").open("a", encoding="utf-8") as stream:
        stream.write(application)
    release = Configured(project, builder.release(project))
    starts, seen, temporary = tmp_path / "starts", tmp_path / "seen", tmp_path / "tmp"
    process = subprocess.Popen(
        [release.root / "bin" / "configured", "start"],
        env=clean_environment(STARTS=str(starts), SEEN=str(seen), RELEASE_TMP=str(temporary)),
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: seen.exists() and len(seen.read_text("utf-8").splitlines()) == 2)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
    # Two starts of the system, since it has restarted itself; the configuration was run once for each.
    assert set(starts.read_text("utf-8").split()) == {str(process.pid)}
    assert seen.read_text("utf-8") == f"{release.version_path}/sys\n" * 2
    assert written(temporary) == []


WAITING = """
import os
import threading

from hatch_release.runtime import restart


def main():
    with open(os.environ["SEEN"], "a") as file:
        print(os.environ["RELEASE_SYS_CONFIG"], file=file)
    if len(open(os.environ["SEEN"]).readlines()) == 1:
        restart()
    threading.Event().wait()
"""


def test_without_it_settings_of_the_interpreter_can_not_change_at_boot(each: Configured) -> None:
    done = each.run("start", PYTHON_DEV="1")
    assert done.returncode == 1
    assert done.stderr.startswith(
        "ERROR: Cannot configure python because reboot-system-after-config is false"
    )
    assert "before the config providers was:\n\n    None\n" in done.stderr
    assert "after the config providers was:\n\n    {'xoptions': {'dev': True}}\n" in done.stderr


def test_settings_from_the_assembly_take_effect_without_it(builder: Builder, project: Path) -> None:
    with (project / "config" / "config.py").open("a", encoding="utf-8") as stream:
        stream.write(
            '\nconfig("python", X={"dev": True}, W=["ignore:a b:DeprecationWarning"], hash_seed=1)\n'
        )
    release = Configured(project, builder.release(project))
    vm_args = (release.version_path / "vm.args").read_text("utf-8").splitlines()
    assert vm_args[-1] == '-X dev -W "ignore:a b:DeprecationWarning"'
    one, other = (json.loads(release.run("start", "--flags").stdout) for _ in range(2))
    assert one == other
    assert one["xoptions"] == {"dev": True}
