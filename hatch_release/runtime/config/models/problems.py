"""What doesn't fit, collected: every value with its place and what has set it."""

from __future__ import annotations

from .. import hidden, store
from ..errors import ConfigError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class Problems:
    """The problems of one `read`.

    Args:
        base: Application and keys of the table that is read.
        model: The name of the type.
    """

    def __init__(self, base: tuple[str, ...], model: str) -> None:
        """Nothing is wrong yet."""
        self.base = base
        self.model = model
        self.found: list[str] = []

    def add(self, path: tuple[Any, ...], text: str) -> None:
        """Note a problem.

        Args:
            path: Keys and positions inside of the table.
            text: What is wrong.
        """
        keys = [*self.base]
        for each in path:
            if not isinstance(each, str):
                break
            keys.append(each)
        source = store.source_of(tuple(keys))
        place = ".".join(map(str, path)) or self.model
        secretless = hidden.scrub(" ".join(text.split()), store.current().values)
        self.found.append(f"{place}: {secretless}" + (f" ({source})" if source else ""))

    def unfit(self, path: tuple[Any, ...], expected: str, value: Any) -> None:  # noqa: ANN401 - any configured value
        """Note that a value is not what is expected; a secret one is not shown."""
        shown = repr(hidden.censored(value, [each for each in path if isinstance(each, str)]))
        self.add(
            path,
            f"expected {expected}, found {shown if len(shown) <= _LONGEST else shown[:_LONGEST] + '...'}",
        )

    def raise_all(self) -> None:
        """Raise one error for all of them.

        Raises:
            ConfigError: When there is any.
        """
        if self.found:
            lines = "".join(f"\n  {each}" for each in self.found)
            raise ConfigError(f"the configuration of {'.'.join(self.base)} doesn't fit {self.model}:{lines}")


_LONGEST = 80
