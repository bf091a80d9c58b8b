"""Command lines: black and HTTPie, as projects that only gather others."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.applications.application import PORT

if TYPE_CHECKING:
    from tests.applications.conftest import Assemble

pytestmark = pytest.mark.long


def test_black_formats_a_file(assemble: Assemble) -> None:
    fmt = assemble("fmt", dependencies=["black"], scripts={"fmt": "black:patched_main"})
    assert fmt.answer("start", "--version").startswith("fmt, ")
    assert fmt.answer("run", "black", "--version").startswith("black, ")
    told = fmt.shell(
        "cd /tmp; echo 'x = {  \"a\":1 }' >one.py; echo \"y  = 'b'\" >two.py;"
        '"$release" start --quiet one.py two.py; cat one.py two.py; "$release" run black --check one.py 2>&1'
    )
    assert told.startswith('x = {"a": 1}\ny = "b"\n')
    assert "1 file would be left unchanged" in told


def test_httpie_asks_a_local_server(assemble: Assemble) -> None:
    ask = assemble("ask", dependencies=["httpie"], scripts={"ask": "httpie.__main__:main"})
    assert ask.answer("start", "--version")
    assert "usage:" in ask.answer("start", "--help").lower()
    told = ask.shell(
        "mkdir /tmp/www; cd /tmp/www; echo '{\"tea\": [1, 2]}' >tea.json;"
        f"busybox httpd -p 127.0.0.1:{PORT} -h /tmp/www;"
        f'"$release" run http --ignore-stdin --pretty=all --print=hb 127.0.0.1:{PORT}/tea.json;'
        f'"$release" run http --ignore-stdin --headers 127.0.0.1:{PORT}/none.json; cd /tmp;'
        f'"$release" run http --ignore-stdin --download -o copy.json 127.0.0.1:{PORT}/tea.json; cat copy.json'
    )
    assert "404 Not Found" in told
    assert "\x1b[" in told
    assert told.endswith('{"tea": [1, 2]}\n')
