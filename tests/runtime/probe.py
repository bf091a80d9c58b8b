"""A release that runs whatever program a test hands it, and a plain environment that runs the same."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import textwrap
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from uv import find_uv_bin

from tests.projects import Builder, Done, clean_environment, write_project

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

VERSION = "1.2.0"
PYPROJECT = f"""
[project]
name = "probe"
version = "{VERSION}"
requires-python = ">=3.10"

[project.scripts]
probe = "probe.__main__:main"
probe-report = "probe.tools:report"
probe-nested = "probe.tools:Tools.run"
probe-missing = "probe.tools:nothing"

[tool.hatch.build.targets.wheel]
packages = ["probe", "probe_space"]

# The programs that it is given name modules that nothing in the project names.
[tool.hatch.build.targets.release]
stdlib = "full"
# For those who start it in embedded mode.
preload = ["!probe/broken.py"]
"""
MAIN = '''
"""Runs the program in the variable PROGRAM: its `main`, as a console script's wrapper would."""

import os
import sys
import types


def main():
    program = types.ModuleType("program")
    sys.modules["program"] = program
    exec(compile(os.environ["PROGRAM"], "<program>", "exec"), vars(program))
    return program.main()
'''
TOOLS = '''
import sys


def report():
    """What a console script sees."""
    print(sys.argv)
    return len(sys.argv) - 1


class Tools:
    @staticmethod
    def run():
        print("nested")


def double(number):
    return 2 * number
'''
FILES = {
    "pyproject.toml": PYPROJECT,
    "probe/__init__.py": '"""A probe."""\n',
    "probe/__main__.py": MAIN,
    "probe/tools.py": TOOLS,
    "probe/broken.py": "import no_such_thing\n",
    "probe/data/text.txt": "data of the package\n",
    "probe/sub/__init__.py": "",
    "probe/sub/deep.py": "HERE = 'deep'\n\n\nasync def soon(value):\n    return value\n",
    "probe_space/inside.py": "HERE = 'in a namespace package'\n",
}


@dataclass(frozen=True)
class Probe:
    """The assembled release, and the same project in a plain environment of the same interpreter."""

    minor: str
    root: Path
    plain_python: Path

    @classmethod
    def make(cls, minor: str, builders: Mapping[str, Builder], directory: Path) -> Probe:
        """Assemble and install it below `directory`, unless that has been done."""
        project, plain = directory / "probe", directory / "plain"
        probe = cls(minor, project / "dist" / "release" / "probe", plain / "bin" / "python")
        if project.exists():
            return probe
        builder = builders[minor]
        write_project(project, FILES)
        builder.release(project, HATCH_RELEASE_QUIET="true")
        done = builder.build(project, target="wheel")
        assert done.returncode == 0, done.stderr
        uv = find_uv_bin()
        subprocess.run([uv, "venv", "-q", "--python", str(builder.python), str(plain)], check=True)
        wheel = next((project / "dist").glob("*.whl"))
        command = [uv, "pip", "install", "-q", "--offline", "--python", str(plain), str(wheel)]
        subprocess.run([*command, "--compile-bytecode"], check=True)
        return probe

    @property
    def launcher(self) -> Path:
        """`bin/probe` of the release."""
        return self.root / "bin" / "probe"

    @property
    def plain(self) -> Path:
        """The console script that an installer made."""
        return self.plain_python.parent / "probe"

    @property
    def version_path(self) -> Path:
        """`releases/VSN`."""
        return self.root / "releases" / VERSION

    def start(self, program: str, *arguments: str, **environment: str) -> Done:
        """Run `program` as the application of the release."""
        return call([self.launcher, "start", *arguments], program, variables=environment)

    def untouched(self, program: str, *arguments: str) -> Done:
        """Run `program` in the plain environment."""
        return call([self.plain, *arguments], program)

    def eval(self, code: str, *arguments: str, cwd: Path | None = None, **environment: str) -> Done:
        """Run `eval CODE` of the release."""
        return call(
            [self.launcher, "eval", textwrap.dedent(code), *arguments], cwd=cwd, variables=environment
        )

    def clone(self, target: Path) -> Probe:
        """The same release elsewhere; its files are shared, so replace one by `rewrite`."""
        shutil.copytree(
            self.root, target, copy_function=os.link, symlinks=True, ignore=shutil.ignore_patterns("tmp")
        )  # `tmp` is that of systems that run
        return Probe(self.minor, target, self.plain_python)


def call(
    command: Sequence[str | Path],
    program: str = "",
    *,
    stdin: int | IO[str] = subprocess.DEVNULL,
    cwd: Path | None = None,
    variables: Mapping[str, str] | None = None,
    **more: str,
) -> Done:
    """Run a command to its end, with `program` for the probe, in a clean environment with `variables` and `more`."""
    return subprocess.run(
        [str(each) for each in command],
        env=clean_environment(PROGRAM=textwrap.dedent(program), **(variables or {}), **more),
        cwd=cwd,
        stdin=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def rewrite(file: Path, text: str | bytes) -> None:
    """Replace a file of a clone, and leave the original as it is."""
    file.unlink(missing_ok=True)
    file.write_bytes(text.encode() if isinstance(text, str) else text)


def readable(errors: str) -> str:
    """Standard error without what differs from place to place.

    Tracebacks lose the lines of code, which a release has not, and the frame of the installer's wrapper;
    paths and addresses go.
    """
    lines = [line for line in errors.splitlines() if not re.match(r"(  [| ] *)?    ", line)]
    lines = [line for line in lines if not re.search(r'File "[^"]*/bin/probe", line \d+, in <module>', line)]
    text = "\n".join(lines)
    text = re.sub(r"repeated \d+ more times", "repeated", text)
    text = re.sub(r'File "[^"]*/([^"/]+)"', r'File "\1"', text)
    text = re.sub(r" from '[^']*'", "", text)
    return re.sub(r"0x[0-9a-f]+", "0x", text)


def seen(done: Done) -> tuple[int, str, str]:
    """What a user sees of a process: exit code, output, errors."""
    return done.returncode, done.stdout, readable(done.stderr)
