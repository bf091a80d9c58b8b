"""What Python takes from the system it runs on, brought along for targets that lack it.

Certificates, time zones and terminal descriptions lie below `python-X.Y.Z/share/`. The target's own come first, and so
does what the user's environment variables say.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType
    from typing import Any

CERTIFICATES = "certificates.pem"
TERMINFO = "terminfo"
ZONEINFO = "zoneinfo"
_SYSTEM_TERMINFO = ("/etc/terminfo", "/lib/terminfo", "/usr/share/terminfo")


def add_certificates(module: ModuleType, share: str) -> None:
    """Let the default certificates of `ssl` be ours where the target has none.

    Args:
        module: `ssl`, just imported.
        share: The directory of our data.
    """
    ssl: Any = module
    load = ssl.SSLContext.load_default_certs

    def load_default_certs(self: Any, purpose: Any = ssl.Purpose.SERVER_AUTH) -> None:  # noqa: ANN401 - ssl's own
        load(self, purpose)
        paths = ssl.get_default_verify_paths()
        if paths.cafile is None and not (paths.capath and os.listdir(paths.capath)):
            self.load_verify_locations(f"{share}/{CERTIFICATES}")

    if os.path.isfile(f"{share}/{CERTIFICATES}"):
        load_default_certs.__doc__ = load.__doc__
        ssl.SSLContext.load_default_certs = load_default_certs


def add_time_zones(module: ModuleType, share: str) -> None:
    """Let `zoneinfo` search our time zones behind the target's.

    Args:
        module: `zoneinfo`, just imported.
        share: The directory of our data.
    """
    zoneinfo: Any = module
    if os.path.isdir(f"{share}/{ZONEINFO}") and "PYTHONTZPATH" not in os.environ:
        zoneinfo.reset_tzpath([*zoneinfo.TZPATH, f"{share}/{ZONEINFO}"])


def add_terminals(share: str) -> None:
    """Let ncurses search our terminal descriptions behind the target's (terminfo(5)).

    Args:
        share: The directory of our data.
    """
    if {"TERMINFO", "TERMINFO_DIRS"}.isdisjoint(os.environ) and os.path.isdir(f"{share}/{TERMINFO}"):
        os.environ["TERMINFO_DIRS"] = ":".join((*_SYSTEM_TERMINFO, f"{share}/{TERMINFO}"))
