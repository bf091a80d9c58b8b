"""Projects with plugins of their own, and plugins that are installed."""

from __future__ import annotations

import os
import zipfile
from typing import TYPE_CHECKING

from tests.builds import configure
from tests.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.projects import Builder, Done

HEAD = "from hatch_release import *\nfrom hatch_release import hookimpl\n"
SAYING = """
@hookimpl
def release_configure(release):
    release.progress.say(f"called {__name__}")
"""


def with_plugin(project: Path, code: str, options: str = "") -> Path:
    """The project with a plugin of its own."""
    (project / "own_plugin.py").write_text(HEAD + code, "utf-8")
    return configure(project, f'plugins = ["own_plugin"]\n{options}')


def install(directory: Path, name: str, code: str, point: str = "") -> str:
    """Install a distribution with a plugin; gives the value of PYTHONPATH with which it is found."""
    module = f"{name}_module"
    wheel = make_wheel(
        directory / "wheels",
        name,
        version="1.2",
        files={f"{module}.py": HEAD + code},
        entry_points=f"[hatch_release]\n{point or name} = {module}\n",
    )
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(directory / name)
    return str(directory / name)


def built(builder: Builder, project: Path, *places: str) -> Done:
    done = builder.build(project, PYTHONPATH=os.pathsep.join(places))
    assert done.returncode == 0, done.stdout + done.stderr
    return done
