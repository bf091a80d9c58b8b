"""The run-time configuration: `config/runtime.py` runs at every boot, and before `eval` and `run`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.configuration.configured import Configured

READ = "from hatch_release.runtime import get_env; print(get_env('configured', 'port'))"


def test_it_runs_at_every_boot(each: Configured) -> None:
    assert each.report(PORT="9000")["port"] == "9000"
    assert each.report(PORT="9001")["port"] == "9001"
    assert each.report()["port"] == "8000"


def test_it_runs_inside_of_the_release_in_the_environment_of_the_assembly(each: Configured) -> None:
    report = each.report(RELEASE_ENV="dev")
    assert (report["inside"], report["ran_in"]) == ("'configured'", "'prod'")


def test_eval_and_run_see_it_too(each: Configured) -> None:
    assert each.run("eval", READ, PORT="9000").stdout == "9000\n"
    assert each.run("run", "configured", "port", PORT="9000").stdout == "9000\n"


def test_it_is_copied(configured: Configured) -> None:
    copy = configured.version_path / "runtime.py"
    assert copy.read_bytes() == (configured.project / "config" / "runtime.py").read_bytes()


def test_nothing_is_written_to_disk(configured: Configured) -> None:
    configured.report(PORT="9000")
    assert not list(configured.root.rglob("*.runtime.config"))


def test_a_variable_that_is_missing_stops_the_boot(configured: Configured) -> None:
    done = configured.run("start", PORT="no number")
    where = "releases/1.0.0/runtime.py"
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        f"ERROR: the run-time configuration {where}:9 failed with ValueError"
    )
    assert done.stderr.count("Traceback") == 1
