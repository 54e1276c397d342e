"""Events for tests of history and viewers: whole and valid, with what a test cares about given by name."""

from datetime import UTC, datetime
from typing import Any

from undertone.events import (
    AudioSpan,
    Mark,
    Partial,
    Probabilities,
    Quality,
    Sentiment,
    Session,
    Timing,
    Utterance,
    Window,
)
from undertone.identifiers import make_session_id, session_created_at, utterance_id

NOW_MS = 1_790_000_000_000


def session_id(number: int = 1) -> str:
    """The id of the ``number``-th session; a higher number is newer."""
    return make_session_id(NOW_MS + number, number)


def session(number: int = 1, **given: Any) -> Session:
    """A live session, or what ``given`` says."""
    name = session_id(number)
    return Session.model_validate(
        {"session_id": name, "state": "live", "created_at": session_created_at(name), **given}
    )


def utterance(number: int = 1, seq: int = 1, first_sample: int | None = None, **given: Any) -> Utterance:
    """The ``seq``-th final of a session, two seconds long, one final every five seconds."""
    first = (seq - 1) * 80_000 if first_sample is None else first_sample
    name = session_id(number)
    return Utterance.model_validate(
        {
            "session_id": name,
            "utterance_id": utterance_id(name, first),
            "seq": seq,
            "through": first + 48_000,
            "first_sample": first,
            "end_sample": first + 32_000,
            "start_ms": first // 16,
            "end_ms": first // 16 + 2000,
            "text": f"words {seq}",
            "language": "en",
            "language_probability": 0.1 + 0.2,
            "loudness_dbfs": -21.7,
            "model": "whisper-base@1",
            "quality": Quality(no_speech_probability=0.02, avg_logprob=-0.21, compression_ratio=1.1),
            "audio": AudioSpan(partition=0, first_offset=10, last_offset=30),
            "timing": Timing(spoken_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC)),
            "sentiment": Sentiment(
                label="negative",
                score=-0.81,
                probabilities=Probabilities(positive=0.04, neutral=0.11, negative=0.85),
                model="vader@1",
            ),
            **given,
        }
    )


def mark(number: int = 1, seq: int = 1, through: int = 160_000, **given: Any) -> Mark:
    """A mark of silence."""
    return Mark.model_validate({"session_id": session_id(number), "seq": seq, "through": through, **given})


def partial(number: int = 1, first_sample: int = 0, rev: int = 16_000, **given: Any) -> Partial:
    """Text still changing."""
    return Partial.model_validate(
        {
            "session_id": session_id(number),
            "first_sample": first_sample,
            "rev": rev,
            "start_ms": first_sample // 16,
            "text": f"so far {rev}",
            **given,
        }
    )


def window(number: int = 1, size_ms: int = 10_000, start_ms: int = 0, seq: int = 1, **given: Any) -> Window:
    """A window still open."""
    return Window.model_validate(
        {
            "session_id": session_id(number),
            "seq": seq,
            "size_ms": size_ms,
            "start_ms": start_ms,
            "final": False,
            "utterances": 1,
            "positive": 0,
            "neutral": 0,
            "negative": 1,
            "score": -0.81,
            "score_min": -0.9,
            "score_max": -0.72,
            "talk_ms": 2000,
            "silence_ms": 1000,
            "longest_pause_ms": 700,
            "words": 2,
            "words_per_minute": 60,
            "loudness_dbfs": -21.7,
            **given,
        }
    )
