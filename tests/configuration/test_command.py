"""`bin/NAME config`: the effective configuration, with where each value came from."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.configuration.configured import Configured

SECRET = {
    "DATABASE_PASSWORD": "topsecret",
    "CONFIGURED_API_KEY": "sesame",
    "CONFIGURED_DATABASE__URL": "pg://me:pass@db/x",
}


def test_a_line_for_each_value(each: Configured) -> None:
    done = each.run("config", PORT="9000")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split(maxsplit=1) for line in done.stdout.splitlines()]
    shown = {name: rest.split("  ")[0] for name, rest in lines}
    assert shown["configured.port"] == "9000"
    assert shown["configured.database.pool"] == "5"
    assert shown["configured.sizes"] == "(1, 2)"
    assert done.stdout.splitlines()[1].endswith("releases/1.0.0/runtime.py:9")


def test_one_application_and_one_key(configured: Configured) -> None:
    whole, part = configured.run("config", "configured"), configured.run("config", "configured", "database")
    assert whole.stdout == configured.run("config").stdout
    assert [line.split()[0] for line in part.stdout.splitlines()] == [
        "configured.database.pool",
        "configured.database.url",
    ]
    assert (
        configured.run("config", "configured", "database.pool").stdout
        == "configured.database.pool  5  config/config.py:9\n"
    )


def test_json_holds_what_sys_config_would(configured: Configured) -> None:
    (row,) = json.loads(configured.run("config", "configured", "since", "--json").stdout)
    assert row == {
        "application": "configured",
        "key": ["since"],
        "value": {"$date": "2026-01-31"},
        "source": "config/config.py:11",
    }


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_secrets_are_hidden_unless_they_are_asked_for(configured: Configured, flags: list[str]) -> None:
    hidden = configured.run("config", *flags, cwd=None, **SECRET).stdout
    assert not any(each in hidden for each in ("topsecret", "sesame", "me:pass"))
    assert "pg://me:[secret]@db/x" in hidden
    shown = configured.run("config", "--reveal", *flags, cwd=None, **SECRET).stdout
    assert all(each in shown for each in ("topsecret", "sesame", "me:pass"))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["confgured"], "no configuration for the application 'confgured': did you mean 'configured'?"),
        (["configured", "prot"], "no key 'prot' in the configuration of configured: did you mean 'port'?"),
        (
            ["configured", "database.pol"],
            "no key 'pol' in the configuration of configured.database: did you mean 'pool'?",
        ),
        (
            ["--jsn"],
            "unknown option --jsn, did you mean '--json'?: config takes [APPLICATION [KEY]] [--json] [--reveal]",
        ),
        (["a", "b", "c"], "found 3 arguments: config takes [APPLICATION [KEY]] [--json] [--reveal]"),
    ],
)
def test_what_is_not_there(configured: Configured, arguments: list[str], expected: str) -> None:
    done = configured.run("config", *arguments)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", f"ERROR: {expected}\n")
