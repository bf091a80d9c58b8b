"""Plain data comes out of `sys.config` as it went in, on every version of Python."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from hatch_release.runtime.config import ConfigError, plain, secret
from hatch_release.runtime.config.hidden import SecretText
from tests import interpreters

PROGRAM = r"""
import sys; sys.path.insert(0, sys.argv[1])
import datetime as dt, decimal, json, pathlib, uuid, zoneinfo
from hatch_release.runtime.config import plain

cet = dt.timezone(dt.timedelta(hours=1), "CET")
values = [
    None, True, 1, -1.5, "text", "\udc80", [1, [2]], {"a": {"b": 1}}, {}, {"$date": 1}, {1: "a", (1, 2): "b"},
    b"", b"\x00\xff", (), (1, (2,)), set(), {1, "a"}, frozenset({(1, 2)}), float("inf"), float("-inf"),
    dt.date(2026, 1, 31), dt.time(10, 30, 0, 5), dt.time(10, tzinfo=dt.timezone.utc),
    dt.datetime(2026, 1, 31, 10, 30, 0, 123456), dt.datetime(2026, 1, 31, tzinfo=dt.timezone.utc),
    dt.datetime(2026, 1, 31, tzinfo=cet), dt.datetime(2026, 10, 25, 2, 30, fold=1), dt.timedelta(-1, 2, 3),
    pathlib.Path("/var/lib"), pathlib.PurePosixPath("a/b"), pathlib.PureWindowsPath("C:/x"),
    decimal.Decimal("1.10"), decimal.Decimal("NaN"), uuid.UUID(int=7),
]
try:
    values.append(dt.datetime(2026, 1, 31, tzinfo=zoneinfo.ZoneInfo("Europe/Berlin")))
except zoneinfo.ZoneInfoNotFoundError:
    pass

def same(one, other):
    if repr(one) != repr(other) or type(one) is not type(other):
        return False
    return one == other or one != one

for value in values:
    text = json.dumps(plain.encode({"value": value}))
    found = plain.decode(json.loads(text))["value"]
    assert same(found, value) or (isinstance(value, (set, frozenset)) and found == value), (value, text, found)
    assert type(value) in (type(None), bool, int, float, str, list, dict) or plain.MARK in text
    zone = getattr(value, "tzinfo", None)
    assert type(zone) is type(getattr(found, "tzinfo", None)) and str(zone) == str(getattr(found, "tzinfo", None))
    assert getattr(value, "fold", 0) == getattr(found, "fold", 0)
print("same")
"""


@pytest.mark.parametrize("minor", interpreters.available())
def test_values_come_back_as_they_were(minor: str) -> None:
    root = Path(plain.__file__).parents[3]
    command = [str(interpreters.find(minor)), "-I", "-W", "error", "-c", PROGRAM, str(root)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "same\n"), done.stderr


def test_secrets_come_back_as_secrets() -> None:
    found = plain.decode(json.loads(json.dumps(plain.encode({"a": secret("x")}))))["a"]
    assert (type(found), str(found)) == (SecretText, "x")


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (object(), "object"),
        (len, "builtin_function_or_method"),
        (sys, "module"),
        (Path, "type"),
        (1j, "complex"),
    ],
)
def test_anything_else_is_refused_with_place_and_type(value: object, name: str) -> None:
    with pytest.raises(plain.NotPlainError) as caught:
        plain.encode({"shop": {"deep": [1, {"key": value}]}})
    assert caught.value.path == ("shop", "deep", 1, "key")
    assert caught.value.type_name == name


@pytest.mark.parametrize("data", [{"$unknown": 1}, {"$date": "today"}, {"$bytes": "?"}, {"$tuple": 1}])
def test_damaged_data_is_refused(data: object) -> None:
    with pytest.raises(ConfigError, match=r"\$"):
        plain.decode(data)
