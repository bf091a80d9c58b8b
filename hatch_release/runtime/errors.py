"""The base class of the errors that a user sees as one line."""

from __future__ import annotations


class ReleaseError(Exception):
    """A problem that is explained to the user in one line: what was found, where, and what to do.

    The door that the user came through (the hatchling builder, a command of `bin/NAME`) prints
    the message without a traceback and exits 1.
    """
