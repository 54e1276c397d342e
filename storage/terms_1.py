"""Version 1 of the search terms, frozen: the tokenizer that migration 0003 fills the column ``terms`` with. Pure.

Nothing here changes, and nothing here imports code that may change: rows with these terms exist until they are renewed,
and migration 0003 must do tomorrow what it did yesterday. A new tokenizer is a new version (``storage/terms.py``).

A word of an alphabet is found by its English stem ("refunds" by "refund"), whatever the language. Words of Korean,
Chinese and Japanese are found by any part of two characters or more: their terms are the pairs of neighbours.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import snowballstemmer

LONGEST_TERM = 64
LAST_POSITION = 16_383  # a tsvector knows no later one

# Hangul, kana and Chinese characters, with their half-width and compatibility forms
_PAIRED = (
    "\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"
)
_LETTER = f"[^\\W_{_PAIRED}]"
_RUN = re.compile(f"(?P<paired>[{_PAIRED}]+)|{_LETTER}+(?:['’]{_LETTER}+)*")
_PARTICLES = frozenset(
    [
        *("이", "가", "은", "는", "을", "를", "에", "의", "도", "로", "와", "과", "만", "야", "나", "랑", "들"),
        *("에서", "에게", "에는", "에도", "까지", "부터", "으로", "한테", "처럼", "보다", "하고", "이나", "이랑"),
    ]
)
_SHIFTS = (20, 23, 26, 29, 32, 35)  # lengths of the eras: 2 ** 20 ms are 17 minutes
_LEVEL = 26


class Token(NamedTuple):
    """A term and where it stands: its place in the order of terms, and the characters of the text (NFC).

    One that is ``spare`` lies beside another at the same place: it is stored, and not asked for.
    """

    term: str
    position: int
    start: int
    end: int
    is_spare: bool = False


def normal(text: str) -> str:
    """The form of a text that tokens count in: composed (NFC), as Whisper gives it."""
    return unicodedata.normalize("NFC", text)


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text in order. A run of n paired characters takes n places, any other word one.

    So the second of two words lies further from the first than two pairs of one word do, and a phrase is exact.
    """
    position = 1
    for run in _RUN.finditer(normal(text)):
        if position > LAST_POSITION:
            return
        if run["paired"]:
            yield from _pairs(run[0], position, run.start())
            position += len(run[0])
        else:
            word = folded(run[0])
            stem = _stem(word)
            yield Token(stem, position, *run.span())
            if word != stem:
                yield Token(word, position, *run.span(), is_spare=True)  # for prefixes
            position += 1


def folded(word: str) -> str:
    """A word without what people do not tell apart: capitals, wide forms, kinds of apostrophe."""
    return unicodedata.normalize("NFKC", word).casefold().replace("’", "'")[:LONGEST_TERM]


def is_paired(word: str) -> bool:
    """Whether a word is one whose terms are pairs."""
    return re.match(f"[{_PAIRED}]", word) is not None


def search_columns(session_id: str, text: str, suppressed: str | None) -> dict[str, Any]:
    """Returns the columns that an utterance is found by; a suppressed one is not found."""
    if suppressed is not None:
        return {"terms": None, "eras": None}
    made_ms = int(session_id.replace("-", "")[:12], 16)  # the time in a UUIDv7
    eras = [level << _LEVEL | made_ms >> shift for level, shift in enumerate(_SHIFTS)]
    return {"terms": vector(text), "eras": eras}


def vector(text: str) -> str:
    """The terms as PostgreSQL reads a ``tsvector``: each with its positions."""
    places: dict[str, list[int]] = {}
    for token in tokens(text):
        places.setdefault(token.term, []).append(token.position)
    return " ".join(f"{quoted(term)}:{','.join(map(str, found))}" for term, found in places.items())


def quoted(term: str) -> str:
    """A term as it stands in the text of a ``tsvector`` or ``tsquery``."""
    return "'" + term.replace("\\", "\\\\").replace("'", "''") + "'"


def _pairs(run: str, position: int, start: int) -> Iterator[Token]:
    if len(run) == 1:
        yield Token(run, position, start, start + 1)
    for at in range(min(len(run) - 1, LAST_POSITION - position + 1)):
        yield Token(run[at : at + 2], position + at, start + at, start + at + 2)
    if run[1:] in _PARTICLES:
        yield Token(run[0], position, start, start + 1, is_spare=True)


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    # one stemmer each time: it keeps the word that it works on
    return str(snowballstemmer.stemmer("english").stemWord(word)) or word
