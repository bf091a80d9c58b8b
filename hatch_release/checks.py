"""What every assembled release is checked for, whatever its steps and plugins did."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hatch_release.applications.boot_scripts import check_unchanged
from hatch_release.hookspecs import hookimpl
from hatch_release.tree.sharing import check_shared

if TYPE_CHECKING:
    from hatch_release.release import Release


@hookimpl
def release_check(release: Release) -> None:
    """Its boot scripts are as they were written, and what other versions use is as they use it.

    Raises:
        ReleaseError: When that isn't so.
    """
    check_unchanged(release)
    check_shared(release.install_path, release.path, release.version)
