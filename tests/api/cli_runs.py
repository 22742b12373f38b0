"""Run the command line in this process."""

from __future__ import annotations

from click.testing import Result
from typer.testing import CliRunner

from api.cli.main import app


def helsekort(*arguments: object) -> Result:
    """Run a command to its end; an exception that is no exit fails the test."""
    # Wide enough that no message is broken in its middle.
    ended = CliRunner(env={"COLUMNS": "400"}).invoke(
        app, [str(each) for each in arguments], prog_name="helsekort"
    )
    if ended.exception is not None and not isinstance(ended.exception, SystemExit):
        raise ended.exception
    return ended
