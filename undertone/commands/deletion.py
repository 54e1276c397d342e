"""Forgetting a session, from the terminal."""

from typing import Annotated

import typer

from undertone.commands.local_time import show_time
from undertone.commands.rest import DEFAULT_URL, Url, ask, understanding


def delete(
    session_id: Annotated[str, typer.Argument(help="The session's id, as `undertone sessions` shows it.")],
    url: Url = DEFAULT_URL,
    token: Annotated[str | None, typer.Option(help="The session's write token.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
) -> None:
    """Delete a session for good: what was said in it, its statistics, its name."""
    if not yes:
        typer.confirm(f"Delete session {session_id}, for good?", abort=True)
    answer = ask("DELETE", url, f"/v1/sessions/{session_id}", token=token)
    with understanding(url):
        gone_by = show_time(answer["gone_from_logs_by"])
    typer.echo(f"deleted; nobody can read it any more, and by {gone_by} no log holds it either")
