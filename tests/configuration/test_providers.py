"""The built-in providers at work in a release, on every version of Python, and one of the project's own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.configuration.configured import Configured


TOML = """
[configured]
port = 1
level = 'toml'
when = 2026-01-31T10:00:00Z

[configured.database]
pool = 9
"""


def write(directory: Path, files: dict[str, str]) -> str:
    """Write files, and give the directory as a variable holds it."""
    directory.mkdir(exist_ok=True)
    for name, text in files.items():
        (directory / name).write_text(text, "utf-8")
    return str(directory)


def test_each_adds_to_what_those_before_it_gave(each: Configured, tmp_path: Path) -> None:
    places = write(
        tmp_path / "etc",
        {
            "extra.toml": TOML,
            "extra.json": '{"configured": {"port": 2, "level": "json", "flags": {"search": true}}}',
            ".env": "CONFIGURED_PORT=3\nexport CONFIGURED_DATABASE__URL='sqlite:///x'  # a comment\nOTHER=1\n",
        },
    )
    secrets = write(tmp_path / "secrets", {"database__password": "topsecret\n", ".hidden": "x"})
    report = each.report(
        CONFIG_DIR=places, CREDENTIALS_DIRECTORY=secrets, CONFIGURED_FLAGS__SEARCH="no", CONFIGURED_NEW="text"
    )
    assert report["port"] == "3"
    assert report["level"] == "'json'"
    assert report["flags"] == "{'search': False}"
    assert report["new"] == "'text'"
    assert report["database"] == "{'pool': 9, 'url': 'sqlite:///x', 'password': [secret]}"
    assert report["when"].startswith("datetime.datetime(2026, 1, 31, 10, 0, tzinfo=datetime.timezone.utc")


def test_a_secret_is_a_value_like_any_other(configured: Configured, tmp_path: Path) -> None:
    secrets = write(tmp_path / "secrets", {"database__password": "topsecret\n"})
    code = (
        "from hatch_release.runtime import get_env; v = get_env('configured', ('database', 'password')); "
        "print(v == 'topsecret', repr(v), [v], f'{v}', 'x' + v, isinstance(v, str))"
    )
    done = configured.run("eval", code, CREDENTIALS_DIRECTORY=secrets)
    assert done.stdout == "True [secret] [[secret]] topsecret xtopsecret True\n"


@pytest.mark.parametrize(
    ("files", "variables", "expected"),
    [
        ({"extra.toml": "port ="}, {}, "extra.toml is no TOML: Invalid value (at end of document)"),
        ({"extra.toml": "port = 1"}, {}, "extra.toml gave a value of type int for the application 'port'"),
        ({"extra.json": "{"}, {}, "extra.json is no JSON: Expecting property name"),
        ({"extra.json": "[]"}, {}, "extra.json gave a value of type list: expected a table of applications"),
        ({".env": "A=1\n\nCONFIGURED_X='a\n"}, {}, ".env:3 has a quote that is not closed"),
        ({".env": "# a\n?\n"}, {}, ".env:2 is no NAME=value"),
        ({".env": "CONFIGURED_PORT=many\n"}, {}, ".env:1 is 'many', but configured.port is of type int"),
        (
            {},
            {"CONFIGURED_PORT": "x"},
            "environment variable CONFIGURED_PORT is 'x', but configured.port is of type int",
        ),
    ],
)
def test_what_can_not_be_read_stops_the_boot(
    configured: Configured, tmp_path: Path, files: dict[str, str], variables: dict[str, str], expected: str
) -> None:
    done = configured.run("start", cwd=None, CONFIG_DIR=write(tmp_path, files), **variables)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ERROR: ")
    assert expected in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_file_that_can_not_be_opened_is_named(configured: Configured, tmp_path: Path) -> None:
    (tmp_path / "extra.toml").mkdir()
    done = configured.run("start", CONFIG_DIR=str(tmp_path))
    assert done.stderr == f"ERROR: cannot read the configuration {tmp_path}/extra.toml: Is a directory\n"


def test_one_of_the_project(configured: Configured, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.write_text("long enough\n", "utf-8")
    assert configured.report(VAULT=str(vault))["token"] == "[secret]"
    done = configured.run("config", "configured", "token", VAULT=str(vault))
    assert done.stdout == "configured.token  [secret]  config provider configured.vault:Vault\n"


def test_a_failing_one_tells_who_why_and_where_but_no_secret(each: Configured, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    vault.write_text("hunter2\n", "utf-8")
    done = each.run("start", VAULT=str(vault), CONFIGURED_PORT="4711")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == (
        "ERROR: the config provider configured.vault:Vault failed with ValueError: the token [secret] of port 4711 is "
        "too short"
    )
    assert done.stderr.count("Traceback") == 1
    assert 'configured/vault.py", line 20, in load' in done.stderr
    assert "hunter2" not in done.stderr
    assert not list(each.root.rglob("*dump*"))


def test_secrets_of_the_environment_are_in_no_trace(configured: Configured, tmp_path: Path) -> None:
    clone = configured.clone(tmp_path)
    code = "import os; config('configured', port=int(os.environ['API_TOKEN']))"
    runtime = f"from hatch_release.runtime.config import config\n{code}\n"
    (clone.version_path / "runtime.py").write_text(runtime, "utf-8")
    done = clone.run("start", API_TOKEN="abc-def-ghi")
    assert done.returncode == 1
    assert "abc-def-ghi" not in done.stderr
    assert "ValueError: invalid literal for int() with base 10: '[secret]'" in done.stderr


def test_the_origin_of_each_value_is_told(configured: Configured, tmp_path: Path) -> None:
    places = write(tmp_path, {"extra.toml": "configured.level = 'toml'\n", ".env": "\nCONFIGURED_PORT=3\n"})
    done = configured.run("config", "--json", CONFIG_DIR=places, CONFIGURED_NEW="text")
    sources = {".".join(row["key"]): row["source"] for row in json.loads(done.stdout)}
    assert sources["greeting"] == "config/config.py:9"
    assert sources["database.pool"] == "config/config.py:9"
    assert sources["database.url"] == "config/prod.py:3"
    assert sources["ran_in"] == "releases/1.0.0/runtime.py:7"
    assert sources["level"] == f"{tmp_path}/extra.toml:1"
    assert sources["port"] == f"{tmp_path}/.env:2"
    assert sources["new"] == "environment variable CONFIGURED_NEW"
