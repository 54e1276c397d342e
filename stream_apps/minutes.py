"""The minutes of a session: what a boundary gives out, and the record that is stored after it. Pure.

Outputs first, then the record, then the acknowledgement; each is awaited by whoever calls this.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from models.speech.engines import Hearing
from models.speech.language import is_certain
from models.speech.segmenter import Samples
from stream_apps.listener import Boundary
from undertone.audio import SAMPLE_RATE, to_ms
from undertone.events import AudioSpan, Mark, Quality, Session, Suppression, Timing, Transcript
from undertone.identifiers import utterance_id


@dataclass(frozen=True, slots=True)
class Heard:
    """What the decoder made of an utterance; ``hearing`` is None where decoding failed for good."""

    hearing: Hearing | None
    suppressed: Suppression | None
    model: str


@dataclass(frozen=True, slots=True)
class Minute:
    """One entry: the final or mark to give out, and the session record to store behind it."""

    output: Transcript | Mark
    session: Session


def take_mark(boundary: Boundary) -> Minute:
    """The minute of a boundary without speech."""
    session = boundary.session.model_copy(update={"seq": boundary.session.seq + 1})
    mark = Mark(session_id=session.session_id, seq=session.seq, through=session.through, ended=boundary.ended)
    return Minute(mark, session)


def take_utterance(boundary: Boundary, heard: Heard, partition: int, now: datetime) -> Minute:
    """The minute of an utterance. Raises ``ValueError`` for a boundary without speech."""
    speech, before = boundary.speech, boundary.session
    if speech is None:
        raise ValueError("this boundary has no speech")
    session = before.model_copy(
        update={
            "seq": before.seq + 1,
            "utterances": before.utterances + (heard.suppressed is None),
            "suppressed": before.suppressed + (heard.suppressed is not None),
            **_settle_language(before, heard, to_ms(speech.end - speech.start)),
        }
    )
    hearing = heard.hearing
    spoken_at = before.started_at + timedelta(seconds=speech.end / SAMPLE_RATE) if before.started_at else None
    transcript = Transcript(
        session_id=session.session_id,
        utterance_id=utterance_id(session.session_id, speech.start),
        seq=session.seq,
        through=session.through,
        first_sample=speech.start,
        end_sample=speech.end,
        start_ms=to_ms(speech.start),
        end_ms=to_ms(speech.end),
        text=hearing.text if hearing else "",
        language=hearing.language if hearing else before.language,
        language_probability=_rounded(hearing.language_probability) if hearing else None,
        loudness_dbfs=loudness_dbfs(speech.samples),
        model=heard.model,
        quality=Quality(
            no_speech_probability=round(hearing.no_speech_probability, 4) if hearing else 0.0,
            avg_logprob=round(hearing.avg_logprob, 4) if hearing else 0.0,
            compression_ratio=round(hearing.compression_ratio, 3) if hearing else 0.0,
            suppressed=heard.suppressed,
        ),
        audio=AudioSpan(
            partition=partition,
            first_offset=speech.first_offset,
            last_offset=speech.last_offset,
            opened_offset=speech.opened_offset,
        ),
        timing=Timing(
            spoken_at=spoken_at,
            received_at=datetime.fromtimestamp(speech.received_at_ms / 1000, tz=now.tzinfo),
            transcribed_at=now,
        ),
    )
    return Minute(transcript, session)


def loudness_dbfs(samples: Samples) -> float:
    """Root mean square relative to full scale, one decimal; -100.0 for digital silence. An offset is no sound."""
    power = float(np.var(samples / 32768.0))
    return round(max(-100.0, 10 * np.log10(power)), 1) if power > 0 else -100.0


def _settle_language(session: Session, heard: Heard, speech_ms: int) -> dict[str, object]:
    """A certain language becomes the session's, but for one that its recorder gave: that stays."""
    hearing = heard.hearing
    is_given = session.language is not None and session.language_probability is None
    if is_given or hearing is None or heard.suppressed is not None or not is_certain(hearing, speech_ms):
        return {}
    return {"language": hearing.language, "language_probability": _rounded(hearing.language_probability)}


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 3)
