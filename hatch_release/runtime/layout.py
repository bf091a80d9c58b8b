"""Where things are inside a release: the one place for names that both sides use.

```
bin/NAME
python-X.Y.Z/
lib/NAME-VSN/
releases/COOKIE  releases/start.data  releases/VSN/...
tmp/
```
"""

from __future__ import annotations

BIN = "bin"
LIB = "lib"
RELEASES = "releases"
TMP = "tmp"

COOKIE = "COOKIE"
START_DATA = "start.data"
"""One line, `PYTHON_VSN RELEASE_VSN`. In `releases/` it names the version that boots, in
`releases/VSN/` the interpreter directory which that version runs on."""

BOOT_SUFFIX = ".boot"
SCRIPT_SUFFIX = ".script"
START = "start"
START_CLEAN = "start_clean"
CONSOLIDATED = "consolidated"
MODULE_IMAGE = "modules"
"""Below `consolidated/`: the code of the modules that the application imports at start, in load order."""
STDLIB_REASONS = "stdlib.json"
"""Below `consolidated/`: `included`, each module of the standard library with what names it, and `left out`."""
FILE_REASONS = "files.json"
"""Below `consolidated/`: the files of distributions that plugins left out or kept, with the reasons."""
METADATA_INDEX = "metadata"
"""Below `consolidated/`: the texts of all dist-info directories."""
CONFIG_ORIGINS = "config.json"
"""Below `consolidated/`: what has set each value of `sys.config`."""

SYS_CONFIG = "sys.config"
RUNTIME_CONFIG = "runtime.py"
VM_ARGS = "vm.args"
REMOTE_VM_ARGS = "remote.vm.args"
ENV_SH = "env.sh"
MANIFEST = "manifest.sha256"


def python_directory(version: str) -> str:
    """Name of the directory of the bundled interpreter, for `version` such as `3.11.7`."""
    return f"python-{version}"


def application_directory(name: str, version: str) -> str:
    """Name below `lib/` of one distribution; `name` is spelt as in its dist-info directory."""
    return f"{name}-{version}"
