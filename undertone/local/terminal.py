"""What `up` prints: one clear line at a time, and bars while something is downloaded."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from undertone import __version__
from undertone.terminal import console

_WIDTH = 12


class Terminal:
    """Standard output. Lines and bars do not disturb one another."""

    def __init__(self) -> None:
        """Colours and bars only where standard output is a terminal."""
        self._console = console(highlight=False, soft_wrap=True)
        self._begun = time.monotonic()
        self._users = 0
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f} %"),
            TimeRemainingColumn(),
            console=self._console,
            transient=True,
            disable=not self._console.is_terminal,
        )

    def greet(self, home: Path) -> None:
        """The first line."""
        self._console.print(f"[bold]Undertone {__version__}[/bold]  home {escape(str(home))}, logs in its folder logs")

    def say(self, name: str, line: str) -> None:
        """One line about one part."""
        self._console.print(f"{self._elapsed()}  [cyan]{escape(name):<{_WIDTH}}[/cyan] {escape(line)}")

    def ready(self, url: str, after_s: float) -> None:
        """The line that everybody waits for."""
        self._console.print(
            f"{self._elapsed()}  [bold green]{'ready':<{_WIDTH}}[/bold green] [bold]{escape(url)}[/bold]"
            f"  after {after_s:.1f} s; Ctrl-C stops it"
        )

    def invite(self, link: str) -> None:
        """The link that logs the owner of this run in."""
        self._console.print(f"{'':>8}  [bold green]{'log in':<{_WIDTH}}[/bold green] {escape(link)}")
        self._console.print(f"{'':>8}  {'':<{_WIDTH}} opens once, within 10 minutes; `undertone login` makes another")

    @contextmanager
    def bars(self) -> Iterator[Progress]:
        """Progress bars for the block; blocks may overlap."""
        self._users += 1
        self._progress.start()
        try:
            yield self._progress
        finally:
            self._users -= 1
            if self._users == 0:
                self._progress.stop()

    def _elapsed(self) -> str:
        return f"[dim]{time.monotonic() - self._begun:6.1f} s[/dim]"
