"""What the commands share at the terminal."""

from rich.console import Console
from rich.text import Text


def print_error(error: Exception) -> None:
    """One line on standard error, red where that is a terminal."""
    line = " ".join(str(error).split()) or type(error).__name__
    Console(stderr=True, soft_wrap=True).print(Text(f"error: {line}", style="red"))


def out() -> Console:
    """Standard output; lines and tables are as wide as they need to be where it is not a terminal."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=200)
