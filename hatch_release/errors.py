"""The one base class of every error a user may cause; each door catches it in one place."""

from __future__ import annotations

from hatch_release.runtime.errors import ReleaseError

__all__ = ["ReleaseError"]
