"""Text of other people on a terminal: whatever it holds, it is shown and not obeyed."""

import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.table import Table
from rich.text import Text

from undertone.commands.terminal import one_line, print_error
from undertone.errors import UndertoneError
from undertone.terminal import console, printable

HOSTILE = [
    "\x1b]0;a title\x07",
    "\x1b[2J\x1b[H",
    "\x9b31m",
    "\x9d52;c;AAAA\x9c",
    "\r\x08\x7f",
    "\u202ereversed\u2066\u2069\u200f\u061c",
    "\u2028\u2029\ufeff",
]


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_no_character_that_a_terminal_obeys_is_printed(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = io.StringIO()
    table = Table("title", box=None)
    table.add_row(Text(text))
    found = console(file=file, highlight=False, width=80)
    found.print(Text(text))
    found.print(text, markup=False)
    found.print(table)
    print_error(UndertoneError(text))
    written = file.getvalue() + capsys.readouterr().err
    assert not {character for character in written if is_command(character)}
    assert "\\" in written


def test_colours_of_our_own_and_all_scripts_pass() -> None:
    file = io.StringIO()
    words = "안녕하세요 héllo שלום 👩\u200d🔬"
    console(file=file, highlight=False, force_terminal=True, width=80).print(Text(words, style="bold"))
    assert words in file.getvalue()
    assert "\x1b[1m" in file.getvalue()


@given(st.text())
def test_what_is_printable_stays_and_stays_the_same(text: str) -> None:
    shown = printable(text)
    assert not any(map(is_command, shown))
    assert printable(shown) == shown
    assert "\n" not in one_line(text)


def is_command(character: str) -> bool:
    return character not in "\n\t\u200c\u200d" and unicodedata.category(character) in {"Cc", "Cf", "Cs", "Zl", "Zp"}
