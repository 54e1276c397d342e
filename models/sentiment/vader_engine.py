"""English by VADER: a lexicon and rules, no training (Hutto and Gilbert, ICWSM 2014). No download, 0.1 ms a text."""

from importlib.metadata import version

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

from undertone.events import Label, Sentiment

THRESHOLD = 0.05
"""Of the compound score, as VADER's authors advise for three classes."""

MOST_WORDS = 1000
"""VADER compares every word with all others, and a final has under 30 s of speech: a longer text is no utterance."""


class VaderEngine:
    """A ``SentimentEngine`` for English.

    ``score`` is VADER's compound score. ``probabilities`` is None: VADER's proportions say how much of the text is of
    each kind, not how likely each label is.
    """

    def __init__(self) -> None:
        self._analyzer = SentimentIntensityAnalyzer()
        self._name = f"vader@{version('vaderSentiment')}"

    @property
    def name(self) -> str:
        """See ``SentimentEngine``."""
        return self._name

    @property
    def languages(self) -> frozenset[str]:
        """See ``SentimentEngine``."""
        return frozenset({"en"})

    def classify(self, text: str) -> Sentiment | None:
        """See ``SentimentEngine``. Of a text of more than 1000 words the first 1000 are judged."""
        words = " ".join(text.split()[:MOST_WORDS])
        if not words:
            return None
        score = round(float(self._analyzer.polarity_scores(words)["compound"]), 4)
        return Sentiment(label=label_of(score), score=score, probabilities=None, model=self._name)


def label_of(score: float) -> Label:
    """The label of a compound score in [-1, 1]."""
    if score >= THRESHOLD:
        return "positive"
    return "negative" if score <= -THRESHOLD else "neutral"
