"""Sentiment: VADER's labels, and silence where nothing can be judged."""

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.sentiment import make_router
from models.sentiment.routing import Router
from models.sentiment.vader_engine import VaderEngine, label_of
from undertone.errors import FatalError
from undertone.events import Label, Sentiment

ROUTER = make_router("vader", Path())


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("I love this, it works so well.", "positive"),
        ("This is terrible and I am very angry.", "negative"),
        ("The meeting starts at ten.", "neutral"),
        ("It is not good.", "negative"),
    ],
)
def test_english_is_judged(text: str, label: Label) -> None:
    sentiment = ROUTER.judge(text, "en", 0.98)
    assert sentiment is not None
    assert sentiment.label == label == label_of(sentiment.score)
    assert sentiment.score == round(sentiment.score, 4)
    assert sentiment.probabilities is None
    assert sentiment.model == "vader@3.3.2"


@pytest.mark.parametrize(
    ("score", "label"), [(0.05, "positive"), (0.0499, "neutral"), (-0.0499, "neutral"), (-0.05, "negative")]
)
def test_labels_turn_where_the_authors_say(score: float, label: Label) -> None:
    assert label_of(score) == label


def test_a_given_language_is_certain() -> None:
    assert ROUTER.judge("I love this", "en", None) is not None


@pytest.mark.parametrize(
    ("text", "language", "probability"),
    [
        ("I love this", None, None),
        ("I love this", "en", 0.4),
        ("정말 좋아요", "ko", 0.99),
        ("Das ist wunderbar", "de", 0.99),
        ("", "en", 0.99),
        (" \n\t", "en", 0.99),
        ("😀😀😀", "en", 0.99),
        ("123 ... ?!", "en", 0.99),
        ("\x00\x00", "en", 0.99),
    ],
)
def test_what_cannot_be_judged_is_not(text: str, language: str | None, probability: float | None) -> None:
    assert ROUTER.judge(text, language, probability) is None


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    sentiment = ROUTER.judge(text, "en", 1.0)
    assert sentiment is None or -1 <= sentiment.score <= 1


@pytest.mark.parametrize(
    "text", ["love " * 10_000, "x" * 200_000, "good\x00bad\ud800", "not " * 5000 + "good", "!" * 9000 + "a"]
)
def test_monstrous_text_does_not_stall(text: str) -> None:
    started = time.monotonic()
    assert ROUTER.judge(text, "en", 1.0) is not None
    assert time.monotonic() - started < 2


def test_null_bytes_do_not_change_the_judgement() -> None:
    assert ROUTER.judge("I lo\x00ve this", "en", 1.0) == ROUTER.judge("I love this", "en", 1.0)


def test_the_first_engine_that_knows_a_language_judges_it() -> None:
    class Other(VaderEngine):
        name = "other@1"
        languages = frozenset({"en", "ko"})

        def classify(self, text: str) -> Sentiment | None:
            return Sentiment(label="neutral", score=0, probabilities=None, model=self.name)

    router = Router([VaderEngine(), Other()])
    assert router.languages == {"en", "ko"}
    models = [judged.model for language in ("en", "ko") if (judged := router.judge("좋아 good", language, None))]
    assert models == ["vader@3.3.2", "other@1"]


def test_an_unknown_engine_names_the_setting() -> None:
    with pytest.raises(FatalError, match=r"'nonsense'.*UNDERTONE_SENTIMENT_MODEL.*vader"):
        make_router("nonsense", Path())
