"""What the terminal of this process can do."""

from __future__ import annotations

import os
import sys


def is_full() -> bool:
    """Whether the terminal can do more than lines."""
    return sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in {"dumb", "unknown", ""}


def shows_colors() -> bool:
    """Whether colours are welcome (https://no-color.org)."""
    return is_full() and not os.environ.get("NO_COLOR")
