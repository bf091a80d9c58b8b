"""The two worlds never mix: what ships stands alone, and hatchling is known to its adapter only."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import hatch_release
from tests import interpreters

PACKAGE = Path(hatch_release.__file__).parent
RUNTIME = PACKAGE / "runtime"

# Outside libraries that only certain files may know, so that each can be replaced in one place.
ADAPTERS = {
    "hatchling": {"build.py", "build_hook.py", "builder.py", "hooks.py"},
    "jinja2": {"tree/templates.py"},
    "zstandard": {"tree/zstd.py"},
    "uv": {"dependencies/uv.py"},
    "elftools": {"binaries/elf.py"},
    "rich": {"progress.py"},
    "certifi": {"interpreter/target_data.py"},
    "pytest": {"testing/__init__.py"},
    "pathspec": {"patterns.py"},
    "pluggy": {"hookspecs.py", "plugins/manager.py"},
}

# What ships may use these where a release includes them, in files that are imported only then.
GUESTS = {
    "shell/ipython.py": {"IPython"},
    "shell/guest.py": {"IPython", "traitlets"},
    "shell/compiling.py": {"IPython"},
    "shell/cells.py": {"prompt_toolkit", "pygments", "ipython_pygments_lexers"},
}


def imported_modules(file: Path) -> set[str]:
    """Full names of the modules that `file` imports, anywhere in it; relative ones begin with a dot."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            names.add("." * node.level + (node.module or ""))
    return names


@pytest.mark.parametrize("minor", interpreters.available())
def test_runtime_imports_alone(minor: str, tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(RUNTIME, tmp_path / "elsewhere" / "runtime", ignore=ignored)
    guests = {RUNTIME / name for name in (*GUESTS, "bootstrap.py")}
    names = [module_name(file, RUNTIME.parent) for file in RUNTIME.rglob("*.py") if file not in guests]
    program = (
        f"import sys; sys.path.append({str(tmp_path / 'elsewhere')!r})\n"
        "import importlib\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "assert 'hatch_release' not in sys.modules, 'the assembling side was imported'\n"
    )
    command = [str(interpreters.find(minor)), "-I", "-S", "-W", "error", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "file", sorted(RUNTIME.rglob("*.py")), ids=lambda file: str(file.relative_to(RUNTIME))
)
def test_runtime_knows_the_standard_library_only(file: Path) -> None:
    # bootstrap.py names the shipped package in full: it runs before there is a package to be relative to.
    own = {"hatch_release.runtime"} if file.stem == "bootstrap" else set()
    foreign = {
        name
        for name in imported_modules(file) - own
        if not name.startswith(".") and name.partition(".")[0] not in sys.stdlib_module_names
    }
    guests = GUESTS.get(file.relative_to(RUNTIME).as_posix(), set())
    assert {name.partition(".")[0] for name in foreign} - guests <= {
        "_frozen_importlib_external",
        "_frozen_importlib",
        "_sha2",  # of Python 3.12 and newer
        "_sha256",  # of older ones
    }
    depth = len(file.relative_to(RUNTIME).parts)
    assert not any(name.startswith("." * (depth + 1)) for name in imported_modules(file)), (
        "reaches out of the runtime"
    )


@pytest.mark.parametrize("library", ADAPTERS)
def test_each_library_has_one_adapter(library: str) -> None:
    users = {
        file.relative_to(PACKAGE).as_posix()
        for file in PACKAGE.rglob("*.py")
        if any(name.partition(".")[0] == library for name in imported_modules(file))
    }
    assert users <= ADAPTERS[library]


def test_imports_run_one_way() -> None:
    files = {
        module_name(file, PACKAGE.parent): file
        for file in PACKAGE.rglob("*.py")
        if RUNTIME not in file.parents and file.stem != "__init__"
    }
    # Names that only type checkers see may look back: they are no imports when the program runs.
    done: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, f"an import circle: {' -> '.join((*path, name))}"
        if name in done:
            return
        for each in sorted(runtime_imports(files[name]) & set(files)):
            visit(each, (*path, name))
        done.add(name)

    for name in files:
        visit(name, ())


def module_name(file: Path, above: Path) -> str:
    """The full name of the module in `file`, whose top-level package is in the directory `above`."""
    return ".".join(file.relative_to(above).with_suffix("").parts).removesuffix(".__init__")


def runtime_imports(file: Path) -> set[str]:
    """The modules of the package that `file` imports when it runs."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    typing_only = [
        node
        for block in ast.walk(tree)
        if isinstance(block, ast.If) and "TYPE_CHECKING" in ast.dump(block.test)
        for node in ast.walk(block)
    ]
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node not in typing_only and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names
