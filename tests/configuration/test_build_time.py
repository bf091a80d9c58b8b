"""The build-time configuration: what `config/config.py` sets is what the program reads, on every version of Python."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.configuration.configured import Configured
    from tests.projects import Builder

EXACT = {
    "since": "datetime.date(2026, 1, 31)",
    "sizes": "(1, 2)",
    "raw": r"b'\x00\xff'",
    "home": "PosixPath('/var/lib/configured')",
    "port": "8000",
}


def test_values_are_read_as_they_were_written(each: Configured) -> None:
    report = each.report()
    assert {key: report[key] for key in EXACT} == EXACT
    assert report["names"] in {"{'ada', 'grace'}", "{'grace', 'ada'}"}


def test_files_are_imported_by_environment_and_merged_deeply(each: Configured) -> None:
    report = each.report()
    assert report["environment"] == "'prod'"
    assert report["database"] == "{'pool': 5, 'url': 'postgres://db/prod'}"


def test_it_is_evaluated_when_the_release_is_assembled(builder: Builder, project: Path) -> None:
    root = builder.release(project, BUILT_BY="the builder")
    sys_config = json.loads((root / "releases" / "1.0.0" / "sys.config").read_text("utf-8"))
    assert sys_config["configured"]["built-by"] == "the builder"
    assert sys_config["configured"]["since"] == {"$date": "2026-01-31"}


def test_variables_have_no_effect_on_it_later(configured: Configured) -> None:
    assert configured.report(BUILT_BY="somebody else")["built-by"] == "'nobody'"


def test_release_env_chooses_the_environment(builder: Builder, project: Path) -> None:
    root = builder.release(project, RELEASE_ENV="dev")
    sys_config = json.loads((root / "releases" / "1.0.0" / "sys.config").read_text("utf-8"))
    assert sys_config["configured"]["environment"] == "dev"
    assert sys_config["configured"]["database"]["url"] == "sqlite://"
