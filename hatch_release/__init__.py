"""Turn a Python project into a release: one directory that runs the system in production.

The package has two worlds. Everything directly in here assembles releases; only
`hatch_release.runtime` ships inside them. See `docs/architecture.md`.
"""

from __future__ import annotations

from hatch_release.errors import ReleaseError

__version__ = "0.1.0"

__all__ = ["ReleaseError", "__version__"]
