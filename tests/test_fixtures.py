"""The sample projects run as plain wheels in a plain virtual environment: what a release is compared with."""

from __future__ import annotations

import http.server
import json
import os
import re
import signal
import subprocess
import sys
import threading
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pytest
from uv import find_uv_bin

from tests.interpreters import MINORS

if TYPE_CHECKING:
    from collections.abc import Iterator

FIXTURES = Path(__file__).parent.parent / "fixtures"
NAMES = ("hello", "webapp", "cli")

# A proxy must not stand between a test and its loopback server; PYTHON* would change what the program sees.
PLAIN_ENVIRONMENT = {
    key: value
    for key, value in os.environ.items()
    if not key.lower().endswith("_proxy") and not key.startswith(("PYTHON", "RELEASE_", "WEBAPP_"))
}


@dataclass(frozen=True)
class Installed:
    """A virtual environment that holds one sample project, and a directory to run it from."""

    venv: Path
    cwd: Path

    def script(self, name: str) -> str:
        """The path of the console script `name`."""
        return str(self.venv / "bin" / name)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a console script with arguments to its end."""
        return subprocess.run(
            [self.script(command[0]), *command[1:]],
            cwd=self.cwd,
            env={**PLAIN_ENVIRONMENT, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def answer(self, *command: str, **environment: str) -> str:
        """What a command that must succeed without a word on stderr prints."""
        done = self.run(*command, **environment)
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout

    @contextmanager
    def start(self, *command: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
        """Start a console script; it is killed at the end where it still runs."""
        with subprocess.Popen(
            [self.script(command[0]), *command[1:]],
            cwd=self.cwd,
            env={**PLAIN_ENVIRONMENT, **environment},
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield process
            finally:
                process.kill()


def run_quietly(*command: str | Path, cwd: Path | None = None) -> None:
    """Run a tool that must succeed, and show what it said where it does not."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def install(name: str, directory: Path) -> Installed:
    """Install the locked dependencies of a sample project and its wheel into a virtual environment."""
    project, venv, wheels = FIXTURES / name, directory / "venv", directory / "wheels"
    run_quietly(find_uv_bin(), "venv", "--python", sys.executable, venv)
    pip = (find_uv_bin(), "pip", "install", "--python", str(venv))
    run_quietly(*pip, "--require-hashes", "-r", project / "requirements.lock")
    # hatchling's own command builds without isolation: hatch-release need not be on an index.
    run_quietly(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels, cwd=project)
    (wheel,) = wheels.glob("*.whl")
    run_quietly(*pip, "--no-deps", wheel)
    cwd = directory / "elsewhere"
    cwd.mkdir()
    return Installed(venv, cwd)


@pytest.fixture(scope="module")
def hello(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install("hello", tmp_path_factory.mktemp("hello"))


@pytest.fixture(scope="module")
def webapp(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install("webapp", tmp_path_factory.mktemp("webapp"))


@pytest.fixture(scope="module")
def cli(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install("cli", tmp_path_factory.mktemp("cli"))


def first_line(process: subprocess.Popen[str]) -> str:
    """The next line that a started command prints."""
    stdout: IO[str] | None = process.stdout
    assert stdout is not None
    return stdout.readline().rstrip("\n")


def get(url: str) -> str:
    """The body of a page of a loopback server."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=30) as response:
        return str(response.read().decode())


# -- locks


@pytest.mark.parametrize("name", NAMES)
def test_a_lock_pins_and_hashes_everything_and_names_no_host(name: str) -> None:
    text = (FIXTURES / name / "requirements.lock").read_text(encoding="utf-8")

    assert text.startswith("#")
    assert "://" not in text
    entries = re.split(r"\n(?=\S)", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    for entry in filter(None, entries):
        assert re.match(r"[a-z0-9-]+==\S+", entry), entry
        assert "--hash=sha256:" in entry, entry


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("name", ["webapp", "cli"])
def test_a_lock_has_wheels_for_every_supported_python(name: str, minor: str, tmp_path: Path) -> None:
    command = [find_uv_bin(), "pip", "install", "--dry-run", "--require-hashes", "--only-binary", ":all:"]
    target = [
        "--target",
        str(tmp_path),
        "--python-version",
        minor,
        "--python-platform",
        "x86_64-manylinux_2_28",
    ]

    run_quietly(*command, *target, "-r", FIXTURES / name / "requirements.lock")


# -- hello


def test_hello_greets(hello: Installed) -> None:
    assert hello.answer("hello") == "Hello, world!\n"
    assert hello.answer("hello", "--name", "Ada Lovelace") == "Hello, Ada Lovelace!\n"


def test_hello_reports_what_it_sees(hello: Installed) -> None:
    report = json.loads(hello.answer("hello", "--json", "--name", "a b", RELEASE_NAME="demo"))

    assert report["argv"] == [hello.script("hello"), "--json", "--name", "a b"]
    assert Path(report["executable"]).parent == hello.venv / "bin"
    assert Path(report["file"]).parts[-2:] == ("hello", "__main__.py")
    assert report["version"] == "1.0.0"
    assert report["release"] == {"RELEASE_NAME": "demo"}


def test_hello_leaves_with_the_code_that_it_was_given(hello: Installed) -> None:
    assert hello.run("hello", "--exit-code", "7").returncode == 7


def test_hello_waits_for_sigterm(hello: Installed) -> None:
    with hello.start("hello", "--wait") as process:
        assert first_line(process) == "Hello, world!"
        assert first_line(process) == "waiting"
        process.send_signal(signal.SIGTERM)
        assert first_line(process) == "stopping"
        assert process.wait(timeout=30) == 3


def test_hello_has_release_tasks(hello: Installed) -> None:
    code = "import asyncio; from hello.release_tasks import *; migrate(); print(asyncio.run(count()))"

    assert hello.answer("python", "-c", code) == "migrated\n3\n"


# -- webapp


def test_webapp_checks_itself_without_a_port(webapp: Installed) -> None:
    assert webapp.answer("webapp", "--check") == "ok\n"


def test_webapp_serves_database_template_and_numbers(webapp: Installed) -> None:
    with webapp.start("webapp", "--port", "0") as process:
        url = first_line(process).removeprefix("listening on ")
        assert "<li>honey: 6.00 (35 left)</li>" in get(f"{url}/")
        assert [item["name"] for item in json.loads(get(f"{url}/items?max_price=5"))] == ["tea", "bread"]
        stats = json.loads(get(f"{url}/stats"))
        assert (stats["count"], stats["mean"], len(stats["trend"])) == (4, 5.2375, 2)
        assert json.loads(get(f"{url}/health")) == {"status": "ok", "version": "0.3.0"}
        process.send_signal(signal.SIGTERM)
        # uvicorn shuts down, then lets the signal do what it would have done.
        assert process.wait(timeout=30) == -signal.SIGTERM


def test_webapp_reads_its_port_from_the_environment(webapp: Installed) -> None:
    with webapp.start("webapp", WEBAPP_PORT="0") as process:
        assert re.fullmatch(r"listening on http://127\.0\.0\.1:[1-9]\d*", first_line(process))


def test_webapp_migrates_its_database_file_once(webapp: Installed, tmp_path: Path) -> None:
    code = "import webapp.release_tasks; webapp.release_tasks.migrate()"
    database = tmp_path / "shop.sqlite"

    for _ in range(2):
        answer = webapp.answer("python", "-c", code, WEBAPP_DATABASE=str(database))
        assert answer == "migrated: 4 rows\n"
    assert database.read_bytes().startswith(b"SQLite format 3")


# -- cli


class Page(http.server.BaseHTTPRequestHandler):
    """Answers every request with three bytes."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.end_headers()
        self.wfile.write(b"yes")

    def log_message(self, *_arguments: object) -> None:
        """Nothing: the test's output is its own."""


@pytest.fixture
def page() -> Iterator[str]:
    """The address of a loopback server."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def test_cli_tells_its_version(cli: Installed) -> None:
    assert cli.answer("cli", "--version") == "cli, version 2.1.0\n"


def test_cli_draws_its_package_data(cli: Installed) -> None:
    table = cli.answer("cli", "table")

    assert "Planets" in table
    assert re.search(r"│ Saturn +│ +95.2 │ +274 │", table)


def test_cli_lists_its_entry_points(cli: Installed) -> None:
    names = [line.split()[0] for line in cli.answer("cli", "plugins").splitlines()]

    assert names == ["csv", "json", "rich", "toml"]


@pytest.mark.parametrize(
    ("renderer", "expected"),
    [("csv", "Earth,1.0,1\n"), ("json", '"name": "Earth"'), ("toml", 'name = "Earth"')],
)
def test_cli_renders_through_an_entry_point(cli: Installed, renderer: str, expected: str) -> None:
    assert expected in cli.answer("cli", "table", "--as", renderer)


def test_cli_reads_back_the_toml_that_it_writes(cli: Installed) -> None:
    (cli.cwd / "rows.toml").write_text(cli.answer("cli", "table", "--as", "toml"), encoding="utf-8")

    assert cli.answer("cli", "table", "--rows", "rows.toml") == cli.answer("cli", "table")


def test_cli_names_the_renderers_where_one_is_unknown(cli: Installed) -> None:
    done = cli.run("cli", "table", "--as", "xml")

    assert done.returncode == 2
    assert "'xml' is none of csv, json, rich, toml" in done.stderr


def test_cli_fetches_a_page(cli: Installed, page: str) -> None:
    assert cli.answer("cli", "fetch", page) == "200 OK, text/plain, 3 bytes\n"


def test_cli_says_why_a_page_cannot_be_fetched(cli: Installed) -> None:
    done = cli.run("cli", "fetch", "http://127.0.0.1:1/")

    assert done.returncode == 1
    assert "Connection refused" in done.stderr


def test_cli_tells_about_itself_and_what_it_needs(cli: Installed) -> None:
    own, *needed = cli.answer("cli", "about").splitlines()

    assert own == "cli 2.1.0: Planets on the command line"
    names = {line.split()[0] for line in needed}
    assert names == {"click", "httpx", "pydantic", "rich", "tomli", "tomli-w"}


def test_cli_has_a_second_console_script(cli: Installed) -> None:
    assert cli.answer("cli-report", "--moons", "1") == "6 planets, 445.7 Earth masses, 418 moons\n"
