"""Modes: the same under every umask, but for what a step has set on purpose."""

from __future__ import annotations

import subprocess
import tarfile
from typing import TYPE_CHECKING

from hatch_release.tree.permissions import paths_below, settle
from tests.builds import configure
from tests.projects import Builder, clean_environment
from tests.trees import snapshot, write_files

if TYPE_CHECKING:
    from pathlib import Path

STEPS = """
def before(release):
    (release.path / "secrets").mkdir(mode=0o700)
    (release.path / "secrets" / "key").write_text("key")
    (release.path / "secrets" / "key").chmod(0o600)
    return release

def after(release):
    (release.path / "plain" / "empty").mkdir(parents=True)
    (release.path / "plain" / "text").write_text("text")
    (release.path / "lib" / "hello-1.0.0" / "hello" / "__init__.pyc").chmod(0o640)
    (release.path / "bin" / "hello").chmod(0o4755)
    return release
"""


def modes(root: Path) -> dict[str, str]:
    """The modes of everything below `root`."""
    return {
        path: str(found[0] if isinstance(found, tuple) else found) for path, found in snapshot(root).items()
    }


def test_what_was_made_gets_its_usual_modes(tmp_path: Path) -> None:
    write_files(
        tmp_path, {"bin/demo": "", "lib/a/x.pyc": "", "releases/COOKIE": "", "mine/x": "", "b/tool": ""}
    )
    (tmp_path / "lib/a/link").symlink_to("x.pyc")
    (tmp_path / "lib/empty/deeper").mkdir(parents=True)
    (tmp_path / "mine/empty").mkdir()
    others = {path for path in paths_below(tmp_path) if path.startswith("mine")}
    given = {
        "bin/demo": 0o700,
        "b/tool": 0o555,
        "lib/a/x.pyc": 0o666,
        "releases/COOKIE": 0o640,
        "mine/x": 0o2600,
        "mine": 0o700,
        "lib/a": 0o2777,
    }
    for path, mode in given.items():
        (tmp_path / path).chmod(mode)
    settle(tmp_path, others)
    assert modes(tmp_path) == {
        "b": "drwxr-xr-x",
        "b/tool": "-rwxr-xr-x",
        "bin": "drwxr-xr-x",
        "bin/demo": "-rwxr-xr-x",
        "lib": "drwxr-xr-x",
        "lib/a": "drwxr-xr-x",
        "lib/a/link": "link",
        "lib/a/x.pyc": "-rw-r--r--",
        "mine": "drwx------",
        "mine/empty": modes(tmp_path)["mine/empty"],
        "mine/x": "-rw---S---",
        "releases": "drwxr-xr-x",
        "releases/COOKIE": "-rw-------",
    }


def test_what_steps_set_on_purpose_stays(builder: Builder, project: Path) -> None:
    (project / "release_steps.py").write_text(STEPS)
    names = ["release_steps:before", "assemble", "release_steps:after", "tar"]
    configure(project, f'steps = {names}\narchive = "tar.gz"')
    subprocess.run(
        [builder.python, "-m", "hatchling", "build", "-t", "release"],
        cwd=project,
        env=clean_environment(),
        capture_output=True,
        check=True,
        umask=0o077,
    )
    expected = {
        "bin/hello": "-rwsr-xr-x",
        "lib/hello-1.0.0": "drwxr-xr-x",
        "lib/hello-1.0.0/hello/__init__.pyc": "-rw-r-----",
        "plain": "drwxr-xr-x",
        "plain/empty": "drwxr-xr-x",
        "plain/text": "-rw-r--r--",
        "releases/1.0.0/manifest.sha256": "-rw-r--r--",
        "releases/COOKIE": "-rw-------",
        "secrets": "drwx------",
        "secrets/key": "-rw-------",
    }
    found = modes(project / "dist" / "release" / "hello")
    assert {path: found[path] for path in expected} == expected
    (archive,) = (project / "dist" / "release").glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(project / "unpacked", filter="fully_trusted")  # noqa: S202 - it is our own
    assert modes(project / "unpacked") == found
