"""On which line of a file a key is set."""

from __future__ import annotations

import json
import textwrap

from hatch_release.runtime.config.providers import lines

TOML = '''\
shop.port = 80
"quoted.app".'a key' = 1

[shop]  # a table
name = """
port = 5
[other]
"""
text = \'\'\'x = 1\'\'\'
inline = { a = 1, b = 2 }
  list = [
    1,
  ]

[ shop . database ]
"url" = "x"
pool.size = 5

[[shop.replicas]]
url = "r"
'''


def test_of_toml() -> None:
    assert dict(lines.of_toml(TOML)) == {
        ("shop", "port"): 1,
        ("quoted.app", "a key"): 2,
        ("shop", "name"): 5,
        ("shop", "text"): 9,
        ("shop", "inline"): 10,
        ("shop", "list"): 11,
        ("shop", "database", "url"): 16,
        ("shop", "database", "pool", "size"): 17,
        ("shop", "replicas", "url"): 20,
    }


def test_of_json() -> None:
    text = textwrap.dedent("""\
        {"a": {
          "b\\u00e9": [1, {"x": 2}], "c": {},
          "d" : "}{",

          "e": {"f": -1.5e3}},
         "g": null}
        """)
    json.loads(text)
    assert dict(lines.of_json(text)) == {
        ("a",): 1,
        ("a", "bé"): 2,
        ("a", "c"): 2,
        ("a", "d"): 3,
        ("a", "e"): 5,
        ("a", "e", "f"): 5,
        ("g",): 6,
    }
    assert dict(lines.of_json("{}")) == {}


def test_a_value_in_an_inline_table_has_the_tables_line() -> None:
    tell = lines.teller("x.toml", TOML, lines.of_toml)
    assert tell(("shop", "inline", "a")) == "x.toml:10"
    assert tell(("shop", "unknown")) == "x.toml"
