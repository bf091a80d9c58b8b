"""`read`: the configuration as an object of the program's own type, every problem at once with its source."""

# ruff: noqa: ANN401, UP007, UP045 - annotations of all kinds are what this is about
from __future__ import annotations

import datetime as dt
import decimal
import enum
import ipaddress
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NewType, Optional, Union

import pytest

from hatch_release.runtime.config import ConfigError, read, secret
from hatch_release.runtime.config.hidden import SecretInt, SecretText
from hatch_release.runtime.config.origins import Layer, Notes
from hatch_release.runtime.config.store import Store, install

if TYPE_CHECKING:
    from tests.configuration.configured import Configured

Port = NewType("Port", int)


class Level(enum.Enum):
    LOW = 1
    HIGH = 2


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    yield
    install(None)


def configure(**values: Any) -> None:
    notes = {("shop", key): f"config.py:{number}" for number, key in enumerate(values, 1)}
    install(Store({"shop": values}, [Layer("config.py", {}, {"shop": values}, Notes(notes))]))


def filled(hint: Any, value: Any) -> Any:
    """What a field of the annotation `hint` holds when it is configured as `value`."""
    model: Any = dataclass(type("Model", (), {"__annotations__": {"value": hint}}))
    configure(value=value)
    return read("shop", into=model).value


def refused(hint: Any, value: Any) -> str:
    """What is said of a value that doesn't fit."""
    with pytest.raises(ConfigError) as caught:
        filled(hint, value)
    first, second = str(caught.value).splitlines()
    assert first == "the configuration of shop doesn't fit Model:"
    return second.strip()


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (int, 5, 5),
        (int, "5", 5),
        (float, 5, 5.0),
        (float, "2.5", 2.5),
        (bool, "yes", True),
        (bool, "OFF", False),
        (str, "text", "text"),
        (bytes, "text", b"text"),
        (Any, [1], [1]),
        (Path, "/var", Path("/var")),
        (dt.date, "2026-01-31", dt.date(2026, 1, 31)),
        (dt.datetime, "2026-01-31T10:00:00Z", dt.datetime(2026, 1, 31, 10, tzinfo=dt.timezone.utc)),
        (dt.time, "10:30", dt.time(10, 30)),
        (dt.timedelta, 90, dt.timedelta(seconds=90)),
        (dt.timedelta, "1.5", dt.timedelta(seconds=1.5)),
        (decimal.Decimal, "1.10", decimal.Decimal("1.10")),
        (decimal.Decimal, 1.1, decimal.Decimal("1.1")),
        (
            uuid.UUID,
            "12345678-1234-5678-1234-567812345678",
            uuid.UUID(int=0x12345678123456781234567812345678),
        ),
        (ipaddress.IPv4Address, "10.0.0.1", ipaddress.IPv4Address("10.0.0.1")),
        (Level, 2, Level.HIGH),
        (Level, "2", Level.HIGH),
        (Level, "high", Level.HIGH),
        (Level, Level.LOW, Level.LOW),
        (Color, "blue", Color.BLUE),
        (Color, "BLUE", Color.BLUE),
        (Literal["a", "b"], "b", "b"),
        (Literal[1, 2], "2", 2),
        (Optional[int], None, None),
        (Optional[int], "3", 3),
        (int | None, "3", 3),
        (Union[int, str], "3", "3"),
        (Union[int, list[int]], [1], [1]),
        (list[int], ["1", 2], [1, 2]),
        (list[int], "1, 2", [1, 2]),
        (list[str], '["a,b", "c"]', ["a,b", "c"]),
        (list, (1, "x"), [1, "x"]),
        (set[str], ["a", "a"], {"a"}),
        (frozenset[int], {1}, frozenset({1})),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[str, int], ["a", "2"], ("a", 2)),
        (Sequence[int], (1, 2), [1, 2]),
        (dict[str, int], {"a": "1"}, {"a": 1}),
        (Mapping[int, str], '{"1": "a"}', {1: "a"}),
        (Annotated[int, "a note"], "5", 5),
        (Port, "80", 80),
    ],
)
def test_a_value_becomes_what_the_annotation_asks_for(hint: Any, value: Any, expected: Any) -> None:
    found = filled(hint, value)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("hint", "value", "expected"),
    [
        (int, "many", "expected a whole number, found 'many'"),
        (int, True, "expected a whole number, found True"),
        (int, 1.5, "expected a whole number, found 1.5"),
        (str, 5, "expected a string, found 5"),
        (bool, "maybe", "expected true or false, found 'maybe'"),
        (bool, 1, "expected true or false, found 1"),
        (dt.date, "31.1.", "expected date, found '31.1.'"),
        (Level, "mid", "expected LOW or HIGH, found 'mid'"),
        (Color, "green", "expected red or blue, found 'green'"),
        (Literal["a", 1], "c", "expected 'a' or 1, found 'c'"),
        (Optional[int], "x", "expected a whole number, found 'x'"),
        (Union[int, dt.date], "x", "expected a whole number or date, found 'x'"),
        (list[int], 5, "expected a list, found 5"),
        (list[int], "[1", "expected a list, found '[1'"),
        (tuple[int, int], [1], "expected 2 items, found [1]"),
        (dict[str, int], 5, "expected a table, found 5"),
        (set[Any], [[1]], "expected items that a set can hold, found [[1]]"),
        (int, secret("hunter2"), "expected a whole number, found '[secret]'"),
    ],
)
def test_a_value_that_does_not_fit_is_shown_with_what_set_it(hint: Any, value: Any, expected: str) -> None:
    assert refused(hint, value) == f"value: {expected} (config.py:1)"


def test_an_item_is_named_by_its_position() -> None:
    assert refused(list[int], [1, "x"]) == "value.1: expected a whole number, found 'x' (config.py:1)"


@dataclass
class Database:
    url: str
    pool: int = 1
    password: str | None = None


@dataclass
class Settings:
    kind: ClassVar[str] = "settings"
    port: int
    database: Database
    replicas: list[Database] = field(default_factory=list)
    feature_flags: tuple[str, ...] = ()
    doubled: int = field(init=False, default=0)
    factor: InitVar[int] = 2

    def __post_init__(self, factor: int) -> None:
        if self.port > 65535:
            raise ValueError("no such port")
        self.doubled = factor * self.port


def test_nested_dataclasses_defaults_and_keys_with_hyphens() -> None:
    configure(
        **{
            "port": "80",
            "database": {"url": "u"},
            "replicas": [{"url": "r"}],
            "feature-flags": ["a"],
            "factor": 3,
            "x": 1,
        }
    )
    assert read("shop", into=Settings) == Settings(80, Database("u"), [Database("r")], ("a",), factor=3)


def test_every_problem_is_told_at_once() -> None:
    configure(port="many", database={"pol": 3, "pool": "x"}, replicas=[{}])
    with pytest.raises(ConfigError) as caught:
        read("shop", into=Settings)
    assert str(caught.value).splitlines()[1:] == [
        "  port: expected a whole number, found 'many' (config.py:1)",
        "  database.pool: expected a whole number, found 'x' (config.py:2)",
        "  database.url: missing (config.py:2)",
        "  replicas.0.url: missing (config.py:3)",
    ]


def test_a_misspelt_key_is_told_even_where_there_is_a_default() -> None:
    configure(port=80, database={"url": "u", "passwrd": "topsecret"})
    with pytest.raises(ConfigError) as caught:
        read("shop", into=Settings)
    assert (
        str(caught.value).splitlines()[1]
        == "  database.passwrd: unknown key, did you mean 'password'? (config.py:2)"
    )


def test_what_the_class_itself_refuses_is_told_too() -> None:
    configure(port=70000, database={"url": "u"})
    with pytest.raises(ConfigError, match="Settings: ValueError: no such port"):
        read("shop", into=Settings)


def test_secrets_stay_secret() -> None:
    configure(port=secret("80"), database={"url": "u", "password": secret("topsecret")})
    settings = read("shop", into=Settings)
    assert isinstance(settings.database.password, SecretText)
    assert isinstance(settings.port, SecretInt)
    assert "topsecret" not in repr(settings)


def test_a_part_can_be_read() -> None:
    configure(database={"url": "u", "replica": {"url": "r"}})
    assert read("shop", key="database", into=Database).url == "u"
    assert read("shop", key=("database", "replica"), into=Database).url == "r"
    with pytest.raises(ConfigError, match="no key 'databse' in the configuration of shop"):
        read("shop", key="databse", into=Database)
    with pytest.raises(ConfigError, match=r"shop\.database\.url is 'u', and no table to read Database from"):
        read("shop", key=("database", "url"), into=Database)


@pytest.mark.parametrize("into", [int, "Settings", object])
def test_what_can_not_be_filled_is_refused(into: Any) -> None:
    configure(port=1)
    with pytest.raises(ConfigError, match=r"is no dataclass, and no type|takes a class"):
        read("shop", into=into)


def test_in_a_release_on_each_version(each: Configured) -> None:
    settings = {
        "CONFIGURED_HOSTS": "a,b",
        "CONFIGURED_LEVEL": "high",
        "CONFIGURED_DEBUG": "on",
        "CONFIGURED_TIMEOUT": "2",
    }
    done = each.run("start", "--settings", cwd=None, DATABASE_PASSWORD="topsecret", **settings)
    assert "password=[secret]" in done.stdout
    assert "since=datetime.date(2026, 1, 31)" in done.stdout
    assert "level=<Level.HIGH: 2>, hosts=['a', 'b'], debug=True, timeout=2.0" in done.stdout
    failed = each.run("start", "--settings", cwd=None, CONFIGURED_LEVEL="mid", CONFIGURED_TIMEOUT="x")
    assert failed.returncode == 1
    assert failed.stderr.splitlines()[-2:] == [
        "  level: expected LOW or HIGH, found 'mid' (environment variable CONFIGURED_LEVEL)",
        "  timeout: expected a number, found 'x' (environment variable CONFIGURED_TIMEOUT)",
    ]
