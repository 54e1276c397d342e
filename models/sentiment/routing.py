"""Which engine judges a text, and when none does: better no score than a guess."""

import unicodedata
from collections.abc import Iterable

from models.sentiment.engines import SentimentEngine
from undertone.events import Sentiment

MIN_LANGUAGE_PROBABILITY = 0.5
"""Below it Whisper is more likely wrong than right about the language, and so would be the engine."""


class Router:
    """Judges texts by the first engine that knows their language."""

    def __init__(self, engines: Iterable[SentimentEngine]) -> None:
        self._engines: dict[str, SentimentEngine] = {}
        for engine in engines:
            for language in engine.languages:
                self._engines.setdefault(language, engine)

    @property
    def languages(self) -> frozenset[str]:
        """Codes of the languages that are judged at all."""
        return frozenset(self._engines)

    def judge(self, text: str, language: str | None, language_probability: float | None) -> Sentiment | None:
        """The judgement, or None: no word in the text, a language unknown, doubtful, or that no engine knows.

        ``language_probability`` is None where the speaker gave the language: that is certain. Takes any string and
        never raises.
        """
        if language is None or (language_probability is not None and language_probability < MIN_LANGUAGE_PROBABILITY):
            return None
        engine = self._engines.get(language)
        if engine is None or not _has_letters(text):
            return None
        return engine.classify("".join(c for c in text if unicodedata.category(c) != "Cc" or c.isspace()))


def _has_letters(text: str) -> bool:
    return any(character.isalpha() for character in text)
