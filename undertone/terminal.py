"""Text of other people on a terminal, where control characters would be commands to it."""

import unicodedata
from collections.abc import Iterable
from typing import Any

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

_LINES = frozenset("\n\t")
# Zero-width joiners: emoji and several scripts are written with them, and they move nothing.
_HARMLESS = frozenset("\u200c\u200d")
# Controls (C0, DEL, C1), formats (among them those that turn the direction of text), lone surrogates, line separators.
_COMMANDS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: str) -> str:
    """The text with each character that a terminal could obey written as an escape, such as ``\\x1b``."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_escaped(character) for character in text)


def _escaped(character: str) -> str:
    if character in _LINES or character in _HARMLESS or unicodedata.category(character) not in _COMMANDS:
        return character
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")


class PrintableConsole(Console):
    """A console that lets no text through unescaped. Its own colours and cursor movements are no text."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """The segments of what is printed, with their text escaped."""
        for segment in super().render(renderable, options):
            yield segment if segment.control else segment._replace(text=printable(segment.text))


def console(**options: Any) -> Console:
    """The one kind of console that this program prints with."""
    return PrintableConsole(**options)
