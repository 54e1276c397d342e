"""Which engine judges an utterance, if any does."""

from collections.abc import Iterable

from models.sentiment.abstention import Unjudged, why_unjudged
from models.sentiment.engines import SentimentEngine
from models.sentiment.texts import clean
from undertone.events import Sentiment, Transcript


class Router:
    """Judges utterances, each by the first engine that knows its language."""

    def __init__(self, engines: Iterable[SentimentEngine]) -> None:
        self._engines: dict[str, SentimentEngine] = {}
        for engine in engines:
            for language in engine.languages:
                self._engines.setdefault(language, engine)

    @property
    def languages(self) -> frozenset[str]:
        """Codes of the languages that are judged at all."""
        return frozenset(self._engines)

    def judge(self, transcript: Transcript) -> Sentiment | Unjudged:
        """The judgement of an utterance, or why there is none (see ``why_unjudged``). Blocks; never raises.

        A function of the transcript alone. Safe to call from several threads.
        """
        why = why_unjudged(transcript, self._engines)
        if why is not None or transcript.language is None:
            return why or "language"
        return self._engines[transcript.language].classify(clean(transcript.text)) or "words"
