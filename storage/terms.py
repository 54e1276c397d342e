"""The search terms of a text: what is stored, and what a query asks for. Pure, and one function for both.

A word of an alphabet is found by its English stem ("refunds" by "refund"), whatever the language. Scripts that put no
space between words (Chinese, Japanese, Thai, Khmer, Lao, Burmese) and Korean, which writes particles and compounds
without one, are found by any part of two graphemes or more ("날씨" is in "날씨가" and in "봄날씨"): their terms are the
pairs of neighbours. One syllable of Korean is a term where it is a word, with or without a particle ("비", "비가"). One
grapheme of a consonant with vowel signs is a term in Thai and its kind, where it often is a word ("ดี").

Every change of the terms is a new ``VERSION``: rows keep the version of their terms (``storage/term_renewal.py``).
"""

from collections.abc import Iterator
from functools import lru_cache

import regex
import snowballstemmer

from storage.folding import APOSTROPHES, fold
from storage.terms_1 import LAST_POSITION, Token, quoted
from undertone.normal_form import normalize

__all__ = ["LAST_POSITION", "VERSION", "Token", "folded", "is_paired", "normal", "quoted", "tokens", "vector"]

VERSION = 2

# Hangul, kana and Chinese characters, with their half-width and compatibility forms; then the scripts whose words are
# only found with a dictionary (UAX #14, class SA: Thai, Lao, Khmer, Myanmar, Tai Tham, …)
_PAIRED = (
    "\u1100-\u11ff\u3005-\u3007\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f"
    "\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff\\p{Line_Break=SA}"
)
_LETTER = f"[[\\p{{L}}\\p{{N}}]--[{_PAIRED}{APOSTROPHES}]]"
_INSIDE = "[\\p{M}\\p{Default_Ignorable_Code_Point}--[\u200b]]"  # accents, vowel signs, joiners; no zero-width space
_WORD = f"{_LETTER}(?:{_LETTER}|{_INSIDE})*+"
_RUN = regex.compile(
    f"(?P<paired>[{_PAIRED}](?:[{_PAIRED}]|{_INSIDE}|\u200b)*+)|{_WORD}(?:[{APOSTROPHES}]{_WORD})*+",
    regex.VERSION1,
)
_IS_PAIRED = regex.compile(f"[{_PAIRED}]", regex.VERSION1)
_IS_SIGNED = regex.compile(r"\p{Line_Break=SA}\p{M}")
_GRAPHEME = regex.compile(r"\X")
_PARTICLES = frozenset(
    [
        *("이", "가", "은", "는", "을", "를", "에", "의", "도", "로", "와", "과", "만", "야", "나", "랑", "들"),
        *("에서", "에게", "에는", "에도", "까지", "부터", "으로", "한테", "처럼", "보다", "하고", "이나", "이랑"),
    ]
)

normal = normalize
folded = fold


def tokens(text: str) -> Iterator[Token]:
    """The tokens of a text (in NFC) in order. A run of n paired graphemes takes n places, any other word one.

    So the second of two words lies further from the first than two pairs of one word do, and a phrase is exact.
    """
    position = 1
    for run in _RUN.finditer(normal(text)):
        if position > LAST_POSITION:
            return
        if run["paired"]:
            graphemes = _graphemes(run[0], run.start())
            yield from _pairs(graphemes, position)
            position += len(graphemes)
        elif word := fold(run[0]):
            stem = _stem(word)
            yield Token(stem, position, run.start(), run.end())
            if word != stem:
                yield Token(word, position, run.start(), run.end(), is_spare=True)  # for prefixes
            position += 1


def is_paired(word: str) -> bool:
    """Whether a word is one whose terms are pairs."""
    return _IS_PAIRED.match(word) is not None


def vector(text: str) -> str:
    """The terms as PostgreSQL reads a ``tsvector``: each with its positions."""
    places: dict[str, list[int]] = {}
    for token in tokens(text):
        places.setdefault(token.term, []).append(token.position)
    return " ".join(f"{quoted(term)}:{','.join(map(str, found))}" for term, found in places.items())


def grapheme_ends(text: str) -> list[int]:
    """Where the graphemes (UAX #29) of a text end, in order, after 0."""
    return [0, *(grapheme.end() for grapheme in _GRAPHEME.finditer(text))]


def _graphemes(run: str, start: int) -> list[Token]:
    """The graphemes of a run that are more than an invisible character, with their places in the text."""
    found = [(fold(grapheme[0]), *grapheme.span()) for grapheme in _GRAPHEME.finditer(run)]
    return [Token(term, 0, start + begin, start + end) for term, begin, end in found if term]


def _pairs(graphemes: list[Token], position: int) -> Iterator[Token]:
    if len(graphemes) == 1:
        yield graphemes[0]._replace(position=position)
        return
    particle = "".join(grapheme.term for grapheme in graphemes[1:4])
    has_particle = len(graphemes) <= 3 and particle in _PARTICLES
    for at, grapheme in enumerate(graphemes[: LAST_POSITION - position + 1]):
        if at + 1 < len(graphemes):
            after = graphemes[at + 1]
            yield Token(grapheme.term + after.term, position + at, grapheme.start, after.end)
        if (at == 0 and has_particle) or _IS_SIGNED.match(grapheme.term):
            yield grapheme._replace(position=position + at, is_spare=True)


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    # one stemmer each time: it keeps the word that it works on
    return str(snowballstemmer.stemmer("english").stemWord(word)) or word
