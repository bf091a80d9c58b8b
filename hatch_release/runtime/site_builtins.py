"""`exit`, `quit`, `help` and the like, which programs use although `site` adds them.

Source: the standard library's `site.setquit`, `site.setcopyright` and `site.sethelper`.
"""

from __future__ import annotations

import builtins
import sys


def add() -> None:
    """Add them, as `site` does when it is not left out by `-S`."""
    from _sitebuiltins import Quitter, _Helper, _Printer

    hint = "Ctrl-D (i.e. EOF)"
    builtins.exit = Quitter("exit", hint)
    builtins.quit = Quitter("quit", hint)
    builtins.help = _Helper()
    texts = {
        "copyright": sys.copyright,
        "credits": "See https://www.python.org/psf for who made Python.",
        "license": "See https://docs.python.org/3/license.html",
    }
    for name, text in texts.items():
        setattr(builtins, name, _Printer(name, text))
