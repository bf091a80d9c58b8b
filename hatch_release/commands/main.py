"""The door `hatch-release`: the group of all commands, and the one place where an error becomes an exit code."""

from __future__ import annotations

import sys

import click

from hatch_release import __version__
from hatch_release.commands.group import Files
from hatch_release.errors import FAILED, INTERRUPTED, ReleaseError, in_one_line

COMMANDS = ("build", "cache", "init", "inspect", "plugins", "verify")
"""The files of this package that are commands."""


@click.group(cls=Files, names=COMMANDS, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="hatch-release")
def cli() -> None:
    """Releases of Python projects."""


def main() -> None:
    """Run the command, and end the process: 0, 1 (it failed), 2 (wrong usage) or 130 (interrupted)."""
    sys.exit(_run())


def _run() -> int:
    """What becomes of the command, as an exit code; an error is one line on standard error."""
    try:
        result = cli.main(prog_name="hatch-release", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    except ReleaseError as error:
        click.echo(f"Error: {error}", err=True)
    except BrokenPipeError:
        # The reader went away, as `head` does. What is still in the buffer has nowhere to go either.
        sys.stdout = None
    except OSError as error:
        click.echo(f"Error: {in_one_line(error)}", err=True)
    else:
        return result if isinstance(result, int) else 0
    return FAILED
