"""What there is in a text to judge. Pure."""

import unicodedata

MOST_CHARACTERS = 5000
"""A final has under 30 s of speech, which is at most 1050 characters: a longer text is no utterance."""

_JOINERS = "\u200c\u200d"
"""Invisible, but part of how words are spelled in Persian and Hindi."""


def clean(text: str) -> str:
    """The first 5000 characters, without what no word is spelled with: controls, surrogates, marks of direction."""
    return "".join(c for c in text[:MOST_CHARACTERS] if c.isspace() or c in _JOINERS or not _is_control(c))


def has_word(text: str) -> bool:
    """Whether there is a letter in it: digits, punctuation and emoji alone say nothing that a model of words knows."""
    return any(character.isalpha() for character in text)


def _is_control(character: str) -> bool:
    return unicodedata.category(character) in {"Cc", "Cf", "Cs"}
