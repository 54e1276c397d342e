"""What the commands share at the terminal."""

import typer
from rich.console import Console
from rich.text import Text

from undertone.terminal import console, printable


def print_error(error: Exception) -> None:
    """One line on standard error, red where that is a terminal."""
    line = " ".join(str(error).split()) or type(error).__name__
    console(stderr=True, soft_wrap=True).print(Text(f"error: {line}", style="red"))


def out() -> Console:
    """Standard output; lines and tables are as wide as they need to be where it is not a terminal."""
    found = console(highlight=False)
    return found if found.is_terminal else console(highlight=False, width=200)


def echo(line: str) -> None:
    """Print one line as it is, without wrapping or colours."""
    typer.echo(printable(" ".join(line.splitlines())))


def one_line(text: str) -> str:
    """A title, a reason: what stands in one line, and cannot pass for several."""
    return printable(" ".join(text.split()))
