"""Who may: API keys, and the link that logs the owner of this machine's home in."""

from pathlib import Path
from typing import Annotated, TypeAlias

import typer

from undertone.access.rights import Right
from undertone.commands.rest import DEFAULT_URL, Url
from undertone.commands.terminal import out

key_commands = typer.Typer(help="API keys, for programs and for people.", no_args_is_help=True)

Home: TypeAlias = Annotated[Path | None, typer.Option(help="Folder of all state; default UNDERTONE_HOME.")]
Name: TypeAlias = Annotated[str, typer.Argument(help="Whose key it is.")]


@key_commands.command("make")
def make(
    name: Name,
    right: Annotated[list[Right], typer.Option(help="What it may do; may be given again.")],
    home: Home = None,
) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    from undertone.access.keys import make_key
    from undertone.settings import read_settings

    typer.echo(make_key(read_settings(home=home).keys_file(), name, right))


@key_commands.command("list")
def list_keys(home: Home = None) -> None:
    """Show the keys that there are, and what each may do."""
    from rich.table import Table

    from undertone.access.keys import read_keys
    from undertone.settings import read_settings

    table = Table("name", "rights", "sha256", box=None)
    for key in read_keys(read_settings(home=home).keys_file()).values():
        table.add_row(key.name, ", ".join(sorted(key.rights)), key.digest[:12])
    out().print(table)


@key_commands.command("drop")
def drop(name: Name, home: Home = None) -> None:
    """Make a key worthless, and with it the logins made with it."""
    from undertone.access.keys import drop_key
    from undertone.settings import read_settings

    drop_key(read_settings(home=home).keys_file(), name)


def login(url: Url = DEFAULT_URL, home: Home = None) -> None:
    """Print a link that logs the owner of a home in: it opens the pages once, within ten minutes."""
    from datetime import UTC, datetime

    from undertone.access.logins import link_to
    from undertone.commands.credentials import find_own_server
    from undertone.local.home import with_secrets
    from undertone.settings import read_settings

    settings = with_secrets(read_settings(home=home))
    typer.echo(link_to(settings, find_own_server(url, settings), datetime.now(UTC)))
