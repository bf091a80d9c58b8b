"""What the tests of applications share: a function that assembles one and cleans up after it."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from tests import interpreters
from tests.applications import application

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.applications.application import Application
    from tests.projects import Builder


class Assemble(Protocol):
    """`application.assemble` in a directory of its own, on the running Python."""

    def __call__(self, name: str, **project: Any) -> Application: ...  # noqa: ANN401


@pytest.fixture(scope="module")
def assemble(
    builders: dict[str, Builder],
    tmp_path_factory: pytest.TempPathFactory,
    record_testsuite_property: Callable[[str, object], None],
) -> Iterator[Assemble]:
    """Assembles an application; releases are big, so they go when the module's tests are over."""
    directories = []

    def make(name: str, **project: Any) -> Application:  # noqa: ANN401 - what `application.assemble` takes
        directory = tmp_path_factory.mktemp(name)
        directories.append(directory)
        made = application.assemble(directory, builders[interpreters.running()], name=name, **project)
        record_testsuite_property(f"size of {name}", made.size)
        return made

    yield make
    for directory in directories:
        shutil.rmtree(directory)
