"""The part of hatch-release that ships inside every release, and what a program asks of it.

```python
from hatch_release.runtime import ensure_all_started, stop
```
The same import works in development, outside of a release; `api.py` says what is answered there.

Contract of this directory: standard library only, relative imports only, Python 3.10 and newer, and
nothing of the assembling side. What the two sides share (paths, file formats) is defined here, once.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .api import app_dir, ensure_all_started, load, mode, node, restart, started_applications, stop
    from .config import all_env, compile_env, fetch_env, get_env, put_env, read

_OF_CONFIG = ("all_env", "compile_env", "fetch_env", "get_env", "put_env", "read")

__all__ = [
    "all_env",
    "app_dir",
    "compile_env",
    "ensure_all_started",
    "fetch_env",
    "get_env",
    "load",
    "mode",
    "node",
    "put_env",
    "read",
    "restart",
    "started_applications",
    "stop",
]


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for: every start of a release imports this package."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name in _OF_CONFIG:
        from . import config

        return getattr(config, name)
    from . import api

    return getattr(api, name)
