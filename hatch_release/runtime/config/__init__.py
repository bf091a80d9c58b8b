"""Configuration: the files that make it, the providers that add to it, and what programs read.

In `config/config.py` and `config/runtime.py`:

```python
from hatch_release.runtime.config import config, config_env, import_config, secret
```
In programs, also from `hatch_release.runtime`:

```python
from hatch_release.runtime.config import get_env, fetch_env, put_env, all_env, read, compile_env
```
In providers:

```python
from hatch_release.runtime.config import ConfigError, ConfigProvider, merge, secret
```
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .compiled import compile_env
    from .errors import ConfigError
    from .files import config, config_env, import_config
    from .hidden import Secret, secret
    from .models import read
    from .noting import merge
    from .provider import ConfigProvider
    from .store import all_env, fetch_env, get_env, put_env

_HOMES = {
    "ConfigError": "errors",
    "ConfigProvider": "provider",
    "Secret": "hidden",
    "all_env": "store",
    "compile_env": "compiled",
    "config": "files",
    "config_env": "files",
    "fetch_env": "store",
    "get_env": "store",
    "import_config": "files",
    "merge": "noting",
    "put_env": "store",
    "read": "models",
    "secret": "hidden",
}

__all__ = [
    "ConfigError",
    "ConfigProvider",
    "Secret",
    "all_env",
    "compile_env",
    "config",
    "config_env",
    "fetch_env",
    "get_env",
    "import_config",
    "merge",
    "put_env",
    "read",
    "secret",
]


def __getattr__(name: str) -> object:
    """Import what is asked for when it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = __import__(f"{__name__}.{_HOMES[name]}", fromlist=["*"])
    return getattr(module, name)
