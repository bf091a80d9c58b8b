"""What counts as secret, and that it doesn't show."""

from __future__ import annotations

import copy
import json
import pickle
import traceback
from typing import Any

import pytest

from hatch_release.runtime.config import ConfigError, hidden, secret


@pytest.mark.parametrize("value", ["topsecret", b"topsecret", 12345, 1.5])
def test_a_secret_is_what_it_was_but_for_its_repr(value: Any) -> None:  # noqa: ANN401 - of several types
    marked = secret(value)
    assert marked == value
    assert isinstance(marked, type(value))
    assert hash(marked) == hash(value)
    assert repr(marked) == f"{marked!r}" == hidden.HIDDEN
    assert repr({"a": [marked]}) == "{'a': [[secret]]}"
    assert type(hidden.plain(marked)) is type(value)
    for other in (copy.deepcopy(marked), pickle.loads(pickle.dumps(marked)), secret(marked)):  # noqa: S301 - our own
        assert (other, type(other)) == (value, type(marked))


def test_text_is_made_of_it_as_of_any_other() -> None:
    marked = secret("topsecret")
    assert f"x{marked}" == "x" + marked == "xtopsecret"
    assert str(marked) == "topsecret"
    assert json.dumps([marked, secret(5), secret(2.5)]) == '["topsecret", 5, 2.5]'
    assert (str(secret(5)), f"{secret(2.5)}") == ("5", "2.5")


def test_collections_are_marked_inside() -> None:
    assert repr(secret({"a": ["x", ("y", 1)]})) == "{'a': [[secret], ([secret], [secret])]}"
    for wrong in (None, True, object(), {"x": None}):
        with pytest.raises(ConfigError, match=r"secret\(\) takes a string, bytes, a number"):
            secret(wrong)


def test_a_traceback_that_shows_values_shows_none() -> None:
    table = {"a": 1}
    try:
        table[secret("topsecret")]
    except KeyError as error:
        told = traceback.TracebackException.from_exception(error, capture_locals=True)
        shown = "".join(told.format())
        assert "topsecret" not in shown.replace('table[secret("topsecret")]', "")
        assert "KeyError: [secret]" in shown


@pytest.mark.parametrize(
    "name",
    ["password", "DB_PASSWD", "pwd", "passphrase", "client_secret", "SECRET_KEY", "api_key", "apikey", "API-KEY",
     "token", "AUTH_TOKEN", "private_key", "aws_secret_access_key", "credentials", "cookie", "key", "auth", "dsn",
     "SENTRY_DSN"],
)  # fmt: skip
def test_names_that_look_secret(name: str) -> None:
    assert hidden.looks_secret(name)


@pytest.mark.parametrize(
    "name",
    ["port", "keyboard", "monkey", "author", "token_url", "max_tokens", "password_length", "secret_file", "cookie_name",
     "access_key_id", "primary_key", "path", "compass"],
)  # fmt: skip
def test_names_that_do_not(name: str) -> None:
    assert not hidden.looks_secret(name)


def test_values_are_hidden_by_their_keys_and_in_urls() -> None:
    value = {
        "database": {"password": "x", "url": "pg://me:topsecret@db/x?y=1"},
        "token": {"a": [1, ""], "b": None},
        "names": ("a", secret("b")),
    }
    assert hidden.censored(value) == {
        "database": {"password": hidden.HIDDEN, "url": "pg://me:[secret]@db/x?y=1"},
        "token": {"a": hidden.HIDDEN, "b": None},
        "names": ("a", hidden.HIDDEN),
    }


def test_texts_lose_what_is_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_TOKEN", "from-the-environment")
    monkeypatch.setenv("PWD", "/usr")
    monkeypatch.setenv("A_URL", "http://me:from-a-url@host")
    config = {
        "shop": {
            "password": "by-its-key",
            "deep": [secret("marked-inside")],
            "u": "x://a:in-the-url@b",
            "s": "ab",
        }
    }
    text = "from-the-environment from-a-url by-its-key marked-inside in-the-url abc /usr/lib"
    assert hidden.scrub(text, config) == "[secret] [secret] [secret] [secret] [secret] abc /usr/lib"
