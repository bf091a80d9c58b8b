"""The files below `releases/`, and `bin/NAME`: all that is written rather than copied."""

from __future__ import annotations

import base64
import json
import secrets
from typing import TYPE_CHECKING

from hatch_release.runtime import layout
from hatch_release.tree import templates
from hatch_release.tree.permissions import EXECUTABLE, PLAIN, PRIVATE

if TYPE_CHECKING:
    from pathlib import Path

    from hatch_release.release import Release

COOKIE_BYTES = 40
"""Random bytes of a new cookie, as the manual recommends."""


def write_version_files(release: Release, *, glibc_floor: str | None) -> list[str]:
    """Write the launcher, the cookie, and what `releases/VSN` holds besides boot files and manifest.

    Args:
        release: Its interpreter and applications are known.
        glibc_floor: The oldest glibc that the release runs on, or None.

    Returns:
        Those of the files that have the modes which somebody has chosen, relative to the root.
    """
    launcher = release.path / layout.BIN / release.name
    launcher.parent.mkdir(parents=True, exist_ok=True)
    launcher.write_text(templates.render_own(templates.LAUNCHER, release), encoding="utf-8")
    launcher.chmod(EXECUTABLE)
    releases = release.path / layout.RELEASES
    release.version_path.mkdir(parents=True, exist_ok=True)
    write_cookie(releases / layout.COOKIE, release)
    # The interpreter's directory may have a name of its own (`sharing.py`), which begins with its version.
    python = release.python_directory.removeprefix(layout.python_directory("")) or release.python_version
    start_data = f"{python} {release.version}\n"
    (releases / layout.START_DATA).write_text(start_data, encoding="utf-8")
    (release.version_path / layout.START_DATA).write_text(start_data, encoding="utf-8")
    _write_json(release.version_path / layout.SYS_CONFIG, {})  # until it is known
    (release.version_path / layout.SYS_CONFIG).chmod(PLAIN)
    _write_json(release.version_path / f"{release.name}.rel", _description(release, glibc_floor))
    return templates.write_templates(release)


def write_cookie(target: Path, release: Release) -> None:
    """Write the control cookie, readable by its owner alone.

    It is the configured one, else the one of the installed release, else a new random one.
    """
    installed = release.install_path / layout.RELEASES / layout.COOKIE
    cookie = release.options.cookie
    if cookie is None and installed.is_file():
        cookie = installed.read_text(encoding="utf-8").strip()
    if not cookie:
        cookie = base64.urlsafe_b64encode(secrets.token_bytes(COOKIE_BYTES)).decode("ascii")
    target.touch(mode=PRIVATE)
    target.chmod(PRIVATE)
    target.write_text(cookie, encoding="utf-8")


def _description(release: Release, glibc_floor: str | None) -> dict[str, object]:
    """What `NAME.rel` says."""
    applications = [
        {"name": each.name, "version": each.version, "mode": each.mode, "path": each.path}
        for each in release.applications.values()
    ]
    return {
        "name": release.name,
        "version": release.version,
        "target": release.target,
        "glibc": glibc_floor,
        "python": {"version": release.python_version, "included": bool(release.python_directory)},
        "applications": applications,
    }


def _write_json(path: Path, value: object) -> None:
    """Write readable JSON."""
    path.write_text(json.dumps(value, indent=2) + "\n", encoding="utf-8")
