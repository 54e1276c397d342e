"""The port for sentiment engines: text in, a judgement out, or None where there is nothing to judge."""

from typing import Protocol

from undertone.events import Sentiment


class SentimentEngine(Protocol):
    """Judges one text at a time. A function of the text alone; safe to call from several threads."""

    @property
    def name(self) -> str:
        """``model@revision``, as stored with each judgement."""

    @property
    def languages(self) -> frozenset[str]:
        """Codes of the languages that the engine knows (ISO 639-1)."""

    def classify(self, text: str) -> Sentiment | None:
        """The judgement of a text in one of ``languages``; None where no word of it can be judged.

        Takes any string, of any length and content, and never raises.
        """
