"""The manual's sections "Application configuration" and "Config providers", sentence by sentence, in our words.

Each test says the sentence that it shows, and runs on every version of Python. What a sentence says in detail is shown
by the other files of this folder.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests import interpreters
from tests.builds import configure
from tests.configuration.configured import Configured
from tests.configuration.test_reboot import written
from tests.conftest import copy_fixture

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder


@pytest.fixture(scope="module", params=interpreters.available())
def rebooting(
    request: pytest.FixtureRequest, builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory
) -> Configured:
    """The fixture, which reboots, and removes what it has written for that."""
    project = copy_fixture("configured", tmp_path_factory.mktemp(f"pruning-{request.param}"))
    (project / "config").rename(project / "settings")
    configure(
        project,
        'config-path = "settings/config.py"\nruntime-config-path = "settings/runtime.py"\n'
        "reboot-system-after-config = true\nprune-runtime-sys-config-after-boot = true",
    )
    return Configured(project, builders[str(request.param)].release(project))


def test_there_are_two_mechanisms_build_time_and_run_time(each: Configured) -> None:
    """Releases provide two mechanisms for configuring applications."""
    report = each.report(PORT="1")
    assert (report["greeting"], report["port"]) == ("'hello'", "1")


def test_the_build_time_configuration_is_loaded_if_it_exists(each: Configured) -> None:
    """Whenever a release is assembled, `config/config.py` is loaded, if it exists."""
    assert (
        json.loads((each.version_path / "sys.config").read_text("utf-8"))["configured"]["greeting"] == "hello"
    )


def test_it_imports_others_by_the_environment(each: Configured) -> None:
    """It commonly imports other files by the environment: `dev.py`, `prod.py`."""
    assert each.report()["environment"] == "'prod'"


def test_a_variable_is_read_on_the_building_machine(each: Configured) -> None:
    """A variable in it is computed on the host; setting it right before the start has no effect."""
    assert each.report(BUILT_BY="somebody")["built-by"] == "'nobody'"


def test_the_run_time_configuration_is_all_that_is_needed(each: Configured) -> None:
    """To enable run-time configuration, a file `config/runtime.py` is all there is to create."""
    assert each.report(DATABASE_PASSWORD="topsecret")["database"].endswith("'password': [secret]}")


def test_it_runs_whenever_the_project_or_the_release_starts(each: Configured) -> None:
    """It is executed whenever the project (in development) or the release starts."""
    assert each.report(PORT="1")["port"] == "1"
    assert each.report(PORT="2")["port"] == "2"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("config('configured', port=1)", "failed with NameError: name 'config' is not defined"),
        (
            "from hatch_release.runtime.config import import_config; import_config('prod.py')",
            "import_config is not possible here",
        ),
        ("import hatch_release.builder", "imports hatch_release.builder, which assembles releases"),
    ],
)
def test_it_follows_three_rules(each: Configured, tmp_path: Path, text: str, expected: str) -> None:
    """It must import what it uses; it must not import other files; it must not access what assembles."""
    clone = each.clone(tmp_path)
    (clone.version_path / "runtime.py").write_text(text, "utf-8")
    done = clone.run("start")
    assert done.returncode == 1
    assert expected in done.stderr.splitlines()[-1]


def test_it_is_copied_and_runs_early(each: Configured, tmp_path: Path) -> None:
    """It is copied to the release and executed early, when only the main parts of the system have been started."""
    clone = each.clone(tmp_path)
    code = "import sys\nfrom hatch_release.runtime.config import config\n"
    code += "config('configured', seen='configured' in sys.modules)\n"
    (clone.version_path / "runtime.py").write_text(code, "utf-8")
    assert clone.report()["seen"] == "False"


def test_the_system_restarts_within_the_same_process(rebooting: Configured, tmp_path: Path) -> None:
    """Once the configuration is loaded, the system is restarted within the same process, and it takes place."""
    done = rebooting.run("start", "--flags", PYTHON_DEV="1", RELEASE_TMP=str(tmp_path))
    assert json.loads(done.stdout)["xoptions"] == {"dev": True}


def test_the_path_can_be_changed(rebooting: Configured) -> None:
    """The path of the run-time configuration is an option, resolved when assembling: the file is always copied."""
    assert not (rebooting.project / "config").exists()
    assert (rebooting.version_path / "runtime.py").is_file()


def test_what_is_computed_is_written_below_tmp(rebooting: Configured, tmp_path: Path) -> None:
    """The computed configuration is written to the directory that RELEASE_TMP names."""
    done = rebooting.run("start", RELEASE_TMP="/proc/nowhere")
    assert done.stderr.startswith(
        "ERROR: Cannot start release because it could not write /proc/nowhere/configured-1.0.0-"
    )
    code = "import os; print(os.environ['RELEASE_TMP'])"
    assert rebooting.run("eval", code, RELEASE_TMP=str(tmp_path)).stdout == f"{tmp_path}\n"


def test_providers_load_any_configuration(each: Configured, tmp_path: Path) -> None:
    """Custom mechanisms load any sort of configuration while the system boots: a vault, a JSON file."""
    (tmp_path / "vault").write_text("long enough", "utf-8")
    (tmp_path / "extra.json").write_text('{"configured": {"extra": [1]}}', "utf-8")
    report = each.report(VAULT=str(tmp_path / "vault"), CONFIG_DIR=str(tmp_path))
    assert (report["token"], report["extra"]) == ("[secret]", "[1]")


def test_the_run_time_configuration_is_one_of_them(each: Configured) -> None:
    """The run-time configuration is handled by a provider itself, the first one."""
    plan = json.loads((each.version_path / "start.script").read_text("utf-8"))["config"]
    assert [name for name, _state in plan["providers"]][:2] == ["runtime", "toml"]


def test_without_a_reboot_the_interpreter_can_not_be_configured(each: Configured) -> None:
    """Without the reboot, which is the default, settings of the system itself can't be changed at boot."""
    done = each.run("start", PYTHON_DEV="1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Cannot configure python because reboot-system-after-config is false" in done.stderr


def test_what_was_written_is_removed_when_asked_to(rebooting: Configured, tmp_path: Path) -> None:
    """The file that each boot writes for the reboot is removed after it, when the option says so."""
    assert rebooting.report(RELEASE_TMP=str(tmp_path), PORT="9")["port"] == "9"
    assert written(tmp_path) == []


def test_a_file_can_see_that_it_is_inside_of_a_release(each: Configured) -> None:
    """Variables such as RELEASE_NODE or RELEASE_MODE tell that one is inside of a release."""
    assert each.report()["inside"] == "'configured'"
