"""Releases of real third-party applications, run on a root that has neither Python nor network."""

from __future__ import annotations

import json
import shlex
import shutil
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import zstandard

from tests import bare_root
from tests.projects import Builder, write_project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.projects import Done

PORT = 8123
"""Each run has a loopback of its own, so nobody else listens there."""

# What the shell code of a session may use. `get` asks a server that may not listen yet, for a minute at most.
SESSION = f"""
release='{bare_root.PLACE}/bin/{{name}}'
get() {{{{
  tries=0
  until busybox wget -q -O - "http://127.0.0.1:{PORT}$1" 2>/tmp/wget.txt; do
    tries=$((tries + 1))
    if [ $tries -ge 600 ] || ! busybox grep -q "can't connect" /tmp/wget.txt; then
      busybox tail -n 20 /tmp/wget.txt /tmp/server.txt >&2
      exit 1
    fi
    sleep 0.1
  done
}}}}
"""


@dataclass(frozen=True)
class Application:
    """An assembled application, unpacked from its archive."""

    name: str
    unpacked: Path
    bare: Path
    """A root file system for bubblewrap."""
    size: int
    """Bytes of the archive."""

    def inside(self, *arguments: str) -> Done:
        """Run a command of the release in the bare root."""
        return self._run(f'"$release" {shlex.join(arguments)}')

    def answer(self, *arguments: str) -> str:
        """What a command that must succeed prints."""
        done = self.inside(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def shell(self, code: str, *options: str) -> str:
        """What shell code prints that must succeed; `$release` is the launcher, `options` are bubblewrap's."""
        done = self._run(f"set -e\n{code}", *options)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def serve(self, command: str, *paths: str, prepare: str = "") -> list[str]:
        """What a server answers.

        Args:
            command: Arguments of `bin/NAME` that start it, as shell code.
            paths: What to ask it for, in order.
            prepare: Shell code to run before.
        """
        asked = "\nprintf '\\n-- next --\\n'\n".join(f"get '{path}'" for path in paths)
        code = f'{prepare}\n"$release" {command} >/tmp/server.txt 2>&1 &\nserver=$!\n{asked}\n'
        return self.shell(f"{code}kill $server\nwait $server || :").split("\n-- next --\n")

    def _run(self, code: str, *options: str) -> Done:
        code = SESSION.format(name=self.name) + code
        writable = ("--tmpfs", "/tmp", "--setenv", "HOME", "/tmp")  # noqa: S108 - in the bare root
        return bare_root.run(self.bare, self.unpacked, shell_code=code, options=(*writable, *options))


def assemble(  # noqa: PLR0913 - every argument is a part of the project, all by keyword
    directory: Path,
    builder: Builder,
    *,
    name: str,
    dependencies: Sequence[str],
    scripts: Mapping[str, str],
    files: Mapping[str, str] | None = None,
    options: str = "",
    **environment: str,
) -> Application:
    """Write a project, assemble it, and unpack the archive elsewhere.

    Args:
        directory: An empty directory.
        builder: The environment to build in.
        name: The project's name.
        dependencies: What it requires: the newest versions are taken.
        scripts: Its console scripts.
        files: Its modules and data, by path; none for one that only gathers others.
        options: More options of the release, as lines of TOML.
        environment: Variables for the build.
    """
    files = files or {f"{name}_release/__init__.py": ""}
    lines = "\n".join(f'{script} = "{reference}"' for script, reference in scripts.items())
    pyproject = f"""
[project]
name = "{name}"
version = "1.0"
dependencies = {json.dumps(list(dependencies))}

[project.scripts]
{lines}

[tool.hatch.build.targets.wheel]
only-include = {json.dumps(sorted({path.partition("/")[0] for path in files}))}

[tool.hatch.build.targets.release]
steps = ["assemble", "tar"]
{options}
"""
    project = write_project(directory / name, {"pyproject.toml": pyproject, **files})
    root = builder.release(project, **environment)
    archive = next(root.parent.glob("*.tar.zst"))
    size = archive.stat().st_size
    unpacked = directory / "unpacked"
    with (
        archive.open("rb") as packed,
        zstandard.open(packed, "rb") as tar,
        tarfile.open(fileobj=tar, mode="r|") as members,
    ):
        members.extractall(unpacked, filter="tar")
    shutil.rmtree(project)
    return Application(name, unpacked, bare_root.make(directory / "bare"), size)
