"""The ``undertone`` command. Each command imports what it needs when it runs, so that all of them answer at once."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from undertone import __version__
from undertone.commands.access import key_commands, login
from undertone.commands.dead_letters import letter_commands
from undertone.commands.deletion import delete
from undertone.commands.history import export, search, sessions, show
from undertone.commands.operator import database_commands, model_commands, topic_commands
from undertone.commands.parts import demo, serve, worker
from undertone.commands.record import mic, stream
from undertone.commands.standard_output import guard_output
from undertone.errors import UndertoneError

app = typer.Typer(
    name="undertone",
    help="Live voice sentiment on Kafka: what is said and how it feels, while people are still talking.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.command()
def up(
    demo: Annotated[bool, typer.Option("--demo", help="Also stream bundled speech, in a loop.")] = False,
    port: Annotated[int | None, typer.Option(help="Port of the web; default 8000, 0 for a free one.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder of all state; default UNDERTONE_HOME.")] = None,
) -> None:
    """Start all of it on this machine; Ctrl-C stops it."""
    from undertone.local.up import run_up
    from undertone.settings import read_settings

    run_up(read_settings(port=port, home=home), demo=demo)


@app.command()
def doctor(
    port: Annotated[int | None, typer.Option(help="Port of the web to check; default 8000.")] = None,
    home: Annotated[Path | None, typer.Option(help="Folder of all state; default UNDERTONE_HOME.")] = None,
) -> None:
    """Check what Undertone needs on this machine, and show the settings in force."""
    from undertone.commands.doctor import examine
    from undertone.settings import read_settings

    if not examine(read_settings(port=port, home=home)):
        raise typer.Exit(1)


app.command()(serve)
app.command()(worker)
app.command()(stream)
app.command()(mic)
app.command(hidden=True)(demo)
app.command()(sessions)
app.command()(show)
app.command()(search)
app.command()(export)
app.command()(login)
app.add_typer(key_commands, name="keys")
app.command()(delete)
app.add_typer(model_commands, name="models")
app.add_typer(topic_commands, name="topics")
app.add_typer(database_commands, name="db")
app.add_typer(letter_commands, name="dead-letters")


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"undertone {__version__}")
        raise typer.Exit


@app.callback()
def common(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Options of the command itself."""
    del version
    from undertone.local.environment import ignore_session_variables

    ignore_session_variables(os.environ)


def main() -> None:
    """Run the command line. An error of ours is one line on standard error and exit status 1.

    What cannot be written to standard output is one too, unless its reader is gone: that is status 141, in silence.
    """
    guard_output()
    try:
        try:
            app()
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()
    except UndertoneError as error:
        from undertone.commands.terminal import print_error

        print_error(error)
        sys.exit(1)


if __name__ == "__main__":
    main()
