"""`read` into types of pydantic and msgspec, which the application brings itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.projects import run, write_project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder

PYPROJECT = """
[project]
name = "shop"
version = "1.0"
dependencies = ["pydantic>=2", "msgspec"]
[project.scripts]
shop = "shop:main"
[tool.hatch.build.targets.release]
config-providers = [{ provider = "env", init = { prefix = "SHOP_", application = "shop" } }]
"""
CONFIG = """
from hatch_release.runtime.config import config, secret

config("shop", port=8000, database={"url": "u"}, hosts=["a"], token=secret("topsecret"))
"""
SHOP = """
import sys
from typing import Optional

import msgspec
import pydantic
import pydantic.dataclasses

from hatch_release.runtime import read
from hatch_release.runtime.config import ConfigError


class Database(pydantic.BaseModel):
    url: str
    pool: pydantic.PositiveInt = 1


class Model(pydantic.BaseModel):
    port: int
    database: Database
    hosts: list[str]
    token: pydantic.SecretStr
    debug: bool = False


@pydantic.dataclasses.dataclass
class Dataclass:
    port: int
    database: Database


class Pool(msgspec.Struct):
    url: str
    pool: int = 1


class Struct(msgspec.Struct):
    port: int
    database: Pool
    hosts: list[str]
    token: str
    debug: Optional[bool] = None


def main():
    try:
        print(read("shop", into=globals()[sys.argv[1]]))
    except ConfigError as error:
        print(error)
"""


@pytest.fixture(scope="module")
def launcher(builders: dict[str, Builder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests import interpreters  # noqa: PLC0415 - for this fixture alone

    files = {"pyproject.toml": PYPROJECT, "config/config.py": CONFIG, "shop/__init__.py": SHOP}
    project = write_project(tmp_path_factory.mktemp("libraries") / "shop", files)
    return builders[interpreters.running()].release(project) / "bin" / "shop"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            "Model",
            "port=9000 database=Database(url='u', pool=1) hosts=['a'] token=SecretStr('**********') debug=True\n",
        ),
        ("Dataclass", "Dataclass(port=9000, database=Database(url='u', pool=1))\n"),
        (
            "Struct",
            "Struct(port=9000, database=Pool(url='u', pool=1), hosts=['a'], token='topsecret', debug=True)\n",
        ),
    ],
)
def test_objects_are_filled(launcher: Path, model: str, expected: str) -> None:
    assert run(launcher, "start", model, SHOP_PORT="9000", SHOP_DEBUG="true").stdout == expected


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (
            "Model",
            [
                "the configuration of shop doesn't fit Model:",
                "  database.pool: Input should be greater than 0 (environment variable SHOP_DATABASE__POOL)",
                "  debug: Input should be a valid boolean, unable to interpret input (environment variable SHOP_DEBUG)",
            ],
        ),
        (
            "Struct",
            [
                "the configuration of shop doesn't fit Struct:",
                "  database.pool: Expected `int`, got `str` (environment variable SHOP_DATABASE__POOL)",
                "  debug: Expected `bool | null`, got `str` (environment variable SHOP_DEBUG)",
            ],
        ),
    ],
)
def test_every_problem_is_told_at_once(launcher: Path, model: str, expected: list[str]) -> None:
    pool = "-1" if model == "Model" else "x"
    done = run(launcher, "start", model, SHOP_DATABASE__POOL=pool, SHOP_DEBUG="perhaps")
    assert done.stdout.splitlines() == expected
