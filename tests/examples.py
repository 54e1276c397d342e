"""Values for tests: a session, its finals and marks, as the transcriber and the classifier would give them out."""

from undertone.audio import to_samples
from undertone.events import (
    AudioSpan,
    EndReason,
    Label,
    Mark,
    Quality,
    Sentiment,
    Suppression,
    Transcript,
    Utterance,
)
from undertone.identifiers import make_session_id, utterance_id

SESSION_ID = make_session_id(1_790_000_000_000, 42)
SCORES: dict[Label, float] = {"positive": 0.5012, "neutral": 0.01, "negative": -0.7251}


def transcript(
    seq: int,
    start_ms: int,
    end_ms: int,
    text: str = "I love this",
    *,
    session_id: str = SESSION_ID,
    suppressed: Suppression | None = None,
    loudness_dbfs: float = -21.7,
) -> Transcript:
    """A final whose boundary is its end."""
    return Transcript(
        session_id=session_id,
        utterance_id=utterance_id(session_id, to_samples(start_ms)),
        seq=seq,
        through=to_samples(end_ms),
        first_sample=to_samples(start_ms),
        end_sample=to_samples(end_ms),
        start_ms=start_ms,
        end_ms=end_ms,
        text=text,
        language="en",
        language_probability=None,
        loudness_dbfs=loudness_dbfs,
        model="whisper-test@0",
        quality=Quality(no_speech_probability=0.01, avg_logprob=-0.2, compression_ratio=1.1, suppressed=suppressed),
        audio=AudioSpan(partition=0, first_offset=1, last_offset=2),
    )


def utterance(
    seq: int,
    start_ms: int,
    end_ms: int,
    label: Label | None = "positive",
    *,
    score: float | None = None,
    **more: object,
) -> Utterance:
    """A final with a sentiment, of the label's usual score if none is given; ``label`` None has none."""
    final = transcript(seq, start_ms, end_ms, **more)  # type: ignore[arg-type]
    sentiment = None
    if label is not None:
        given = SCORES[label] if score is None else score
        sentiment = Sentiment(label=label, score=given, probabilities=None, model="test@0")
    return Utterance(**final.model_dump(exclude={"type"}), sentiment=sentiment)


def mark(seq: int, through_ms: int, ended: EndReason | None = None, session_id: str = SESSION_ID) -> Mark:
    """A mark."""
    return Mark(session_id=session_id, seq=seq, through=to_samples(through_ms), ended=ended)
