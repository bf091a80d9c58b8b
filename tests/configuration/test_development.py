"""Outside of a release: the same files, and what programs read with."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

import hatch_release
from hatch_release.runtime.config import (
    ConfigError,
    all_env,
    config,
    fetch_env,
    get_env,
    import_config,
    put_env,
)
from hatch_release.runtime.config.store import Store, current, install, source_of
from tests import interpreters
from tests.projects import ROOT, clean_environment, write_project

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.projects import Done

READ = "from hatch_release.runtime import all_env; print(all_env('configured'))"


@pytest.fixture
def shop() -> Iterator[None]:
    """A configuration to read from."""
    install(Store({"my-shop": {"port": 80, "database": {"pool": 5}, "nothing": None}}))
    yield
    install(None)


@pytest.fixture(params=interpreters.available())
def python(request: pytest.FixtureRequest) -> str:
    return str(interpreters.find(str(request.param)))


def develop(python: str, directory: Path, code: str = READ, **environment: str) -> Done:
    """Run code as a developer would, with hatch-release installed."""
    assert hatch_release.__file__.startswith(str(ROOT))
    return subprocess.run(
        [python, "-W", "error", "-c", code],
        cwd=directory,
        env=clean_environment(PYTHONPATH=str(ROOT), **environment),
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_files_of_the_project_are_read(python: str, project: Path) -> None:
    done = develop(python, project / "configured", PORT="9000")
    assert done.returncode == 0, done.stderr
    assert "'port': 9000, 'database': {'pool': 5, 'url': 'sqlite://'}" in done.stdout
    assert "'environment': 'dev', 'ran_in': 'dev', 'inside': 'no release'" in done.stdout


def test_release_env_chooses_the_environment(python: str, project: Path) -> None:
    assert "'environment': 'prod', 'ran_in': 'prod'" in develop(python, project, RELEASE_ENV="prod").stdout


def test_other_paths_are_read_from_the_project(python: str, tmp_path: Path) -> None:
    options = '[tool.hatch.build.targets.release]\nconfig-path = "etc/base.py"\nruntime-config-path = false\n'
    setting = "from hatch_release.runtime.config import config\nconfig('configured', here={!r})\n"
    files = {
        "pyproject.toml": options,
        "etc/base.py": setting.format(1),
        "config/runtime.py": setting.format(2),
    }
    done = develop(python, write_project(tmp_path, files))
    if done.returncode:  # Python 3.10 without tomli
        assert "reading TOML needs tomli on Python 3.10" in done.stderr
        assert "3.10" in python
    else:
        assert done.stdout == "{'here': 1}\n"


def test_without_a_project_there_is_no_configuration(python: str, tmp_path: Path) -> None:
    assert develop(python, tmp_path).stdout == "{}\n"


def test_a_file_that_fails_is_named_with_its_line(python: str, project: Path) -> None:
    with (project / "config" / "dev.py").open("a", encoding="utf-8") as stream:
        stream.write("\n1 / 0\n")
    done = develop(python, project)
    assert done.stderr.splitlines()[-1] == (
        "hatch_release.runtime.config.errors.ConfigError: the configuration config/dev.py:5 failed with "
        "ZeroDivisionError: division by zero"
    )


@pytest.mark.usefixtures("shop")
def test_get_env() -> None:
    assert get_env("my-shop", "port") == 80
    assert get_env("my_shop", "port") == 80
    assert get_env("my-shop", ("database", "pool")) == 5
    assert get_env("my-shop", "prot") is None
    assert get_env("my-shop", "prot", 1) == 1
    assert get_env("my-shop", ("port", "x"), 1) == 1
    assert get_env("other", "port", 2) == 2
    assert get_env("my-shop", "nothing", 3) is None


@pytest.mark.usefixtures("shop")
def test_fetch_env_names_what_is_near() -> None:
    assert fetch_env("My.Shop", "port") == 80
    assert fetch_env("my-shop", "nothing") is None
    for application, key, expected in (
        ("my-shop", "prot", "no key 'prot' in the configuration of my-shop: did you mean 'port'?"),
        ("my-shop", ("database", "x"), "no key 'x' in the configuration of my-shop.database: there is pool"),
        ("my-shop", ("port", "x"), "no key 'x' in the configuration of my-shop.port: there is none"),
        ("my-shp", "port", "no configuration for the application 'my-shp': did you mean 'my-shop'?"),
    ):
        with pytest.raises(ConfigError) as caught:
            fetch_env(application, key)
        assert str(caught.value) == expected


@pytest.mark.usefixtures("shop")
def test_put_env_and_all_env() -> None:
    before = all_env("my-shop")
    put_env("my_shop", "port", 81)
    put_env("other", "port", 82)
    assert (get_env("my-shop", "port"), get_env("other", "port"), before["port"]) == (81, 82, 80)
    assert source_of(("my-shop", "port")).startswith("put_env in tests.configuration.test_development:")
    for number in range(100):
        put_env("other", "port", number)
    assert len(current().layers) == 1
    all_env("my-shop")["database"]["pool"] = 6
    assert get_env("my-shop", ("database", "pool")) == 5
    assert all_env("nobody") == {}


@pytest.mark.parametrize("function", [lambda: config("shop", port=1), lambda: import_config("x.py")])
def test_files_are_where_configuration_is_made(function: object) -> None:
    with pytest.raises(ConfigError, match=r"is for configuration files such as config/config\.py"):
        function()  # type: ignore[operator]
