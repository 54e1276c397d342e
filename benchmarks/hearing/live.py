"""The live path as an engine, in this process: log records, boundaries, decodes and gates as in the transcriber.

Only Kafka is missing, and the partials, which change no final.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from benchmarks.clips import Clip, Heard, to_pcm
from models.speech.engines import Hearing, SpeechEngine
from models.speech.gates import suppression
from models.speech.language import choose, is_doubtful
from models.speech.segmenter import SegmentRules
from models.speech.voice_activity import load_voice_activity
from stream_apps import minutes
from stream_apps.conversation import Conversation
from stream_apps.listener import Boundary, Entry, Opened
from undertone.audio import BYTES_PER_SAMPLE, to_ms, to_samples
from undertone.events import Session, Transcript
from undertone.identifiers import make_session_id
from undertone.records import Audio, AudioRecord, Close, Open

BEGAN_MS = 1_790_000_000_000
SESSION_ID = make_session_id(BEGAN_MS, 1)
CONNECTION = "1"
FRAME_BYTES = BYTES_PER_SAMPLE * to_samples(100)


@dataclass(frozen=True, slots=True)
class Utterance:
    """A final, as it is given out, and what the engine made of it."""

    transcript: Transcript
    hearing: Hearing

    @property
    def counts(self) -> bool:
        """Whether the gates let it pass."""
        return self.transcript.quality.suppressed is None


def live_engine(engine: SpeechEngine, rules: SegmentRules, *, detect: bool) -> Callable[[Clip], Heard]:
    """Hear each clip as a session; ``detect`` leaves its language to be detected. Safe to call from threads."""

    def hear(clip: Clip) -> Heard:
        utterances = list(take_down(to_pcm(clip.samples), None if detect else clip.language, engine, rules))
        return Heard(
            text=" ".join(one.hearing.text for one in utterances),
            counted=" ".join(one.hearing.text for one in utterances if one.counts),
            utterances=len(utterances),
            retried=sum(one.hearing.attempts > 1 for one in utterances),
            suppressed=sum(not one.counts for one in utterances),
        )

    return hear


def take_down(pcm: bytes, language: str | None, engine: SpeechEngine, rules: SegmentRules) -> Iterator[Utterance]:
    """The finals of a session of which this is all that was said (s16le), in order; as ``Stenographer`` has them."""
    created_at = datetime.fromtimestamp(BEGAN_MS / 1000, UTC)
    conversation = Conversation(
        Session(session_id=SESSION_ID, created_at=created_at), load_voice_activity().listen, rules
    )
    for offset, record in enumerate(_log(pcm, language)):
        outcome = conversation.hear(Entry(offset, BEGAN_MS, record))
        if isinstance(outcome, Opened):
            conversation.show(outcome)
        boundary = outcome if isinstance(outcome, Boundary) else None
        while boundary is not None:
            if boundary.speech is None:
                session = minutes.take_mark(boundary).session
            else:
                utterance, session = _write_down(boundary, engine)
                yield utterance
            boundary = conversation.settle(session).boundary


def _write_down(boundary: Boundary, engine: SpeechEngine) -> tuple[Utterance, Session]:
    speech, session = boundary.speech, boundary.session
    assert speech is not None
    language = session.language if session.language in engine.languages else None
    is_given = session.language_probability is None
    samples, speech_ms = speech.samples.astype(np.float32) / 32768.0, to_ms(speech.end - speech.start)
    hearing = engine.transcribe(samples, language)
    if language is not None and not is_given and is_doubtful(hearing, speech_ms):
        hearing = choose(hearing, engine.transcribe(samples, None), speech_ms)
    heard = minutes.Heard(hearing, suppression(hearing, speech_ms), engine.name)
    minute = minutes.take_utterance(boundary, heard, 0, session.created_at)
    assert isinstance(minute.output, Transcript)
    return Utterance(minute.output, hearing), minute.session


def _log(pcm: bytes, language: str | None) -> Iterator[AudioRecord]:
    yield Open(SESSION_ID, CONNECTION, 0, language=language)
    for start in range(0, len(pcm), FRAME_BYTES):
        yield Audio(SESSION_ID, CONNECTION, start // BYTES_PER_SAMPLE, pcm[start : start + FRAME_BYTES])
    yield Close(SESSION_ID, CONNECTION, len(pcm) // BYTES_PER_SAMPLE, "stop")
