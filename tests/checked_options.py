"""Options as the check of a project's table gives them, or its problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from hatch_release.errors import ReleaseError
from hatch_release.options.reading import Options, load_options

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


TABLE = "tool.hatch.build.targets.release"


def refuse(reference: str) -> object:
    pytest.fail(f"{reference} must not be looked up")


def load(
    target: Mapping[str, Any],
    *names: str,
    project: str = "demo",
    resolve: Callable[[str], Any] = refuse,
    environ: Mapping[str, str] | None = None,
) -> dict[str, Options]:
    return load_options(target, project_name=project, names=names, resolve=resolve, environ=environ or {})


def only(target: Mapping[str, Any], **environ: str) -> Options:
    (options,) = load(target, environ=environ).values()
    return options


def problems(target: Mapping[str, Any], *names: str, **more: Any) -> list[str]:  # noqa: ANN401 - what `load` takes
    with pytest.raises(ReleaseError) as caught:
        load(target, *names, **more)
    return str(caught.value).splitlines()
