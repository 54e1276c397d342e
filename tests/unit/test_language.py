"""The language of a session: what a hearing may change of it, and what it may not."""

from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.speech.engines import MOST_COMPRESSION_RATIO, Hearing
from models.speech.language import CERTAIN, LEAST_SPEECH_MS, choose, is_certain, is_doubtful
from stream_apps.listener import Boundary, Speech
from stream_apps.minutes import Heard, take_utterance
from undertone.events import Session, Suppression
from undertone.identifiers import make_session_id

SURE = Hearing("Good morning to you.", "en", None, -0.2, 0.01, 0.9, 1)
NOW = datetime(2026, 1, 1, tzinfo=UTC)

LANGUAGES = st.sampled_from(["en", "ko", "de"])
HEARINGS = st.builds(
    Hearing,
    text=st.sampled_from(["", "Good morning.", "안녕하세요.", "..."]),
    language=LANGUAGES,
    language_probability=st.none() | st.floats(0, 1),
    avg_logprob=st.floats(-3, 0),
    no_speech_probability=st.floats(0, 1),
    compression_ratio=st.floats(0.5, 10),
    attempts=st.just(1),
)
LENGTHS = st.integers(200, 28_000)


def session(language: str | None = None, probability: float | None = None) -> Session:
    return Session(
        session_id=make_session_id(1_790_000_000_000, 7),
        created_at=NOW,
        language=language,
        language_probability=probability,
    )


def after(before: Session, hearing: Hearing, speech_ms: int, suppressed: Suppression | None = None) -> Session:
    """The session record behind an utterance."""
    end = speech_ms * 16
    speech = Speech(0, end, np.zeros(end, np.int16), 1, 2, 0, 1_790_000_000_000)
    return take_utterance(Boundary(before, speech), Heard(hearing, suppressed, "model"), 0, NOW).session


@pytest.mark.parametrize(
    ("changes", "speech_ms", "doubtful"),
    [
        ({}, 5000, False),
        ({"avg_logprob": -0.7}, 5000, True),
        ({"avg_logprob": -0.7}, LEAST_SPEECH_MS - 1, False),
        ({"avg_logprob": -0.7, "no_speech_probability": 0.7}, 5000, False),
        ({"compression_ratio": 3.0}, 5000, True),
        ({"language": "ko"}, 5000, True),
        ({"language": "ko", "text": "iPhone 좋아요, 정말 좋아요."}, 5000, False),
        ({"language": "ja", "text": "お元気ですか東京タワー"}, 5000, False),
        ({"language": "ko", "text": "1, 2, 3."}, 5000, False),
    ],
)
def test_what_is_doubted(changes: dict[str, str | float], speech_ms: int, doubtful: bool) -> None:
    assert is_doubtful(replace(SURE, **changes), speech_ms) is doubtful  # type: ignore[arg-type]


def test_another_language_is_taken_if_it_is_certain_and_no_loop() -> None:
    known = replace(SURE, avg_logprob=-0.8)
    other = replace(SURE, language="ko", language_probability=0.95, avg_logprob=-0.9, text="안녕하세요.")
    assert choose(known, other, 5000) is other
    assert choose(known, replace(other, language_probability=CERTAIN - 0.01), 5000) is known
    assert choose(known, replace(other, compression_ratio=5.0), 5000) is known
    assert choose(known, replace(other, language="en"), 5000) is known
    assert choose(known, other, LEAST_SPEECH_MS - 1) is known


@given(HEARINGS, HEARINGS, LENGTHS)
def test_a_change_of_language_is_always_certain_and_never_into_a_loop(
    known: Hearing, detected: Hearing, speech_ms: int
) -> None:
    chosen = choose(known, detected, speech_ms)
    assert chosen in (known, detected)
    if chosen.language != known.language:
        assert is_certain(chosen, speech_ms)
        assert chosen.compression_ratio <= MOST_COMPRESSION_RATIO


@given(LANGUAGES, HEARINGS, LENGTHS)
def test_a_language_that_was_given_stays(language: str, hearing: Hearing, speech_ms: int) -> None:
    record = after(session(language), hearing, speech_ms)
    assert (record.language, record.language_probability) == (language, None)


@given(LANGUAGES, st.floats(CERTAIN, 1), HEARINGS, LENGTHS)
def test_a_language_that_was_detected_changes_by_certainty_alone(
    language: str, probability: float, hearing: Hearing, speech_ms: int
) -> None:
    record = after(session(language, probability), hearing, speech_ms)
    if is_certain(hearing, speech_ms):
        assert record.language == hearing.language
        assert record.language_probability == pytest.approx(hearing.language_probability, abs=0.001)
    else:
        assert (record.language, record.language_probability) == (language, probability)
    assert record.language_probability is not None  # so it is told from a given one, after a crash too


def test_a_text_that_does_not_count_says_nothing_of_the_language() -> None:
    hearing = replace(SURE, language_probability=0.99)
    assert after(session(), hearing, 5000).language == "en"
    assert after(session(), hearing, 5000, "low_confidence").language is None


def test_a_short_utterance_neither_makes_nor_flips_the_language_of_a_session() -> None:
    hearing = replace(SURE, language="ko", language_probability=0.99)
    short_ms = LEAST_SPEECH_MS - 1
    assert after(session(), hearing, short_ms).language is None
    assert after(session("en", 0.9), hearing, short_ms).language == "en"
    assert after(session("en", 0.9), hearing, LEAST_SPEECH_MS).language == "ko"
