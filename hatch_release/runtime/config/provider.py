"""Config providers: classes that add to the configuration while the system boots."""

from __future__ import annotations

import sys

from .errors import ConfigError, in_one_line, nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BUILT_IN: dict[str, str] = {
    "runtime": "hatch_release.runtime.config.providers.runtime_file:RuntimeFile",
    "toml": "hatch_release.runtime.config.providers.toml_file:TomlFile",
    "json": "hatch_release.runtime.config.providers.json_file:JsonFile",
    "dotenv": "hatch_release.runtime.config.providers.dotenv_file:DotenvFile",
    "env": "hatch_release.runtime.config.providers.environment:Environment",
    "secrets": "hatch_release.runtime.config.providers.secret_files:SecretFiles",
}
"""Short names of providers, each with the `module:Class` that it stands for."""


class ConfigProvider:
    """Adds to the configuration while the system boots. Derive from it, or have the same two methods.

    ```python
    class Vault(ConfigProvider):
        def init(self, term):
            if "url" not in term:
                raise ConfigError("Vault needs a url")
            return term

        def load(self, config, state):
            return merge(config, {"shop": fetch_secrets(state["url"])})
    ```
    """

    def init(self, term: Any) -> Any:  # noqa: ANN401 - whatever the option says
        """Check and prepare, when the release is assembled.

        Args:
            term: What the option `config-providers` gives as `init`; None when it gives nothing.

        Returns:
            Plain data, which `load` will be given.
        """
        return term

    def load(self, config: dict[str, dict[str, Any]], state: Any) -> dict[str, dict[str, Any]]:  # noqa: ANN401
        """Add to the configuration, at every boot.

        Args:
            config: The configuration so far, `{application: {key: value}}`; its tables may be changed.
            state: What `init` has given.

        Returns:
            The configuration from now on.
        """
        raise NotImplementedError


class BuiltIn(ConfigProvider):
    """A provider of ours, which leaves the configuration that it is given as it is."""


def find(reference: str) -> ConfigProvider:
    """The provider that a short name or `module:Class` names.

    Args:
        reference: As the option `config-providers` gives it.

    Raises:
        ConfigError: When it can't be imported, or has not both methods.
    """
    module, _, attribute = BUILT_IN.get(reference, reference).partition(":")
    if not attribute:
        raise ConfigError(f"unknown config provider '{reference}': {nearest(reference, BUILT_IN)}")
    try:
        __import__(module)
        target: Any = sys.modules[module]
        for name in attribute.split("."):
            target = getattr(target, name)
    except (ImportError, AttributeError) as error:
        raise ConfigError(
            f"the config provider {reference} can't be imported: {in_one_line(error)}"
        ) from error
    provider = target() if isinstance(target, type) else target
    missing = [name for name in ("init", "load") if not callable(getattr(provider, name, None))]
    if missing:
        raise ConfigError(
            f"{reference} is no config provider, it lacks the method {' and '.join(missing)}: derive it from "
            "ConfigProvider"
        )
    found: ConfigProvider = provider
    return found
