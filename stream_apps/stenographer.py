"""Takes down one session: hears its records one after another, one boundary at a time.

At a boundary: the utterance is decoded, the final or mark made durable, then the session's record, and only then are
the records of the log settled. A decode begins after its predecessor's record is stored, so each final is a function of
its samples, that record and the settings.
"""

import asyncio
import logging
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ParamSpec, TypeVar

import numpy as np

from models.speech.engines import Hearing
from models.speech.gates import suppression
from models.speech.language import choose, is_doubtful
from models.speech.scheduler import Decode, Scheduler, Urgency
from models.speech.segmenter import SegmentRules, Voice
from stream_apps import metrics
from stream_apps.conversation import Conversation
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import GivenOut, Original
from stream_apps.foretaste import Foretaste
from stream_apps.listener import Boundary, Entry, Ignored, Opened, Speech
from stream_apps.memory import CompactedMemory
from stream_apps.minutes import Heard, take_mark, take_utterance
from stream_apps.patience import Streak
from stream_apps.presence import Outputs
from stream_apps.turns import Turns, received_at
from undertone.audio import SAMPLE_RATE, to_ms, to_samples
from undertone.codec import encode_audio
from undertone.errors import FatalError
from undertone.events import Session
from undertone.records import Audio
from undertone.topics import AUDIO, TRANSCRIPTS

log = logging.getLogger(__name__)

DECODE_ATTEMPTS = 2
# Heard in one go off the event loop, where so many wait: what a hop costs counts when a backlog is read.
RECORDS_AT_ONCE = 16
# But no more than this of one session, for there is one pair of ears for all.
SAMPLES_AT_ONCE = to_samples(4000)

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True)
class Desk:
    """What all stenographers of a transcriber share. ``ears`` runs voice activity off the event loop."""

    scheduler: Scheduler
    outputs: Outputs
    memory: CompactedMemory[Session]
    dead_letters: DeadLetters
    streak: Streak
    rules: SegmentRules
    start_voice: Callable[[], Voice]
    ears: Executor
    partials: bool


class Stenographer:
    """One session of one partition. ``on_settled`` is called after records were settled."""

    def __init__(
        self, session: Session, partition: int, desk: Desk, on_settled: Callable[["Stenographer"], None]
    ) -> None:
        self.session_id = session.session_id
        self.partition = partition
        self.last_heard_s = time.monotonic()
        self.unsettled_samples = 0
        self._desk = desk
        self._on_settled = on_settled
        self._conversation = Conversation(session, desk.start_voice, desk.rules)
        self._inbox: asyncio.Queue[tuple[Entry, Callable[[], None]]] = asyncio.Queue()
        self._waiting: dict[int, tuple[Entry, Callable[[], None]]] = {}
        self._foretaste = Foretaste(session.session_id, desk.rules.endpoint, desk.scheduler, desk.outputs)
        self._turns = Turns()
        self._busy = False
        self._unheard_samples = 0

    def take(self, entry: Entry, settle: Callable[[], None]) -> None:
        """Take the next record; never waits."""
        self.last_heard_s = time.monotonic()
        self.unsettled_samples += _samples(entry)
        self._unheard_samples += _samples(entry)
        self._inbox.put_nowait((entry, settle))

    async def write(self) -> None:
        """Hear records for ever. An error that leaves this is fatal; cancelling it loses nothing durable."""
        try:
            while True:
                taken = [await self._inbox.get()]
                self._busy = True
                samples = _samples(taken[0][0])
                while len(taken) < RECORDS_AT_ONCE and samples < SAMPLES_AT_ONCE and not self._inbox.empty():
                    taken.append(self._inbox.get_nowait())
                    samples += _samples(taken[-1][0])
                self._waiting |= {entry.offset: (entry, settle) for entry, settle in taken}
                await self._hear([entry for entry, _ in taken])
                self._busy = False
        finally:
            self._foretaste.forget()

    def abandon(self) -> None:
        """Settle everything that was taken, unheard: the session is deleted. ``write`` must have ended."""
        while not self._inbox.empty():
            entry, settle = self._inbox.get_nowait()
            self._waiting[entry.offset] = (entry, settle)
        self._settle(list(self._waiting))

    @property
    def is_idle(self) -> bool:
        """Whether everything that was taken is heard."""
        return not self._busy and self._inbox.empty()

    @property
    def backlog_s(self) -> float:
        """Seconds of audio that is not heard yet, but for what came faster than anybody speaks."""
        return 0.0 if self._turns.is_ahead(time.monotonic()) else self._unheard_samples / SAMPLE_RATE

    @property
    def is_done(self) -> bool:
        """Whether the session is over (for now) and nothing of it is unsettled."""
        return self.is_idle and not self._waiting and self._conversation.session.state in {"ended", "deleted"}

    @property
    def position(self) -> tuple[int, str]:
        """The next sample that counts, and the current connection."""
        listener = self._conversation.listener
        return listener.expected, listener.connection

    async def _hear(self, entries: Sequence[Entry]) -> None:
        while entries:
            outcomes = await self._listen(self._conversation.hear_on, entries)
            heard, entries = entries[: len(outcomes)], entries[len(outcomes) :]
            self._unheard_samples -= sum(map(_samples, heard))
            ignored = [entry.offset for entry, how in zip(heard, outcomes, strict=True) if isinstance(how, Ignored)]
            self._settle(sorted([*ignored, *self._conversation.take_superseded()]))
            outcome = outcomes[-1]
            if isinstance(outcome, Opened):
                await self._desk.memory.put(self.partition, outcome.session)
                self._conversation.show(outcome)
            boundary = outcome if isinstance(outcome, Boundary) else None
            while boundary is not None:
                boundary = await self._write_down(boundary)
            if self._desk.partials and not self._turns.is_ahead(time.monotonic()):
                self._foretaste.look(self._conversation.listener, heard[-1], datetime.now(UTC))

    async def _write_down(self, boundary: Boundary) -> Boundary | None:
        """Make a boundary durable; the next one if the records at hand hold it already."""
        if boundary.speech is None:
            minute = take_mark(boundary)
        else:
            heard = await self._decode(boundary, boundary.speech)
            minute = take_utterance(boundary, heard, self.partition, datetime.now(UTC))
            metrics.FINALS.labels(heard.suppressed or "").inc()
            metrics.FINAL_DELAY.observe(max(0.0, time.time() - boundary.speech.received_at_ms / 1000))
        await self._desk.outputs.put(TRANSCRIPTS, self.session_id, minute.output)
        await self._desk.memory.put(self.partition, minute.session)
        done = await self._listen(self._conversation.settle, minute.session)
        self._settle(done.offsets)
        return done.boundary

    async def _decode(self, boundary: Boundary, speech: Speech) -> Heard:
        engine, session = self._desk.scheduler.engine, boundary.session
        language = session.language if session.language in engine.languages else None
        is_given = session.language_probability is None
        speech_ms = to_ms(speech.end - speech.start)
        now_s = time.monotonic()
        due_s = self._turns.take(now_s, received_at(now_s, time.time() * 1000, speech.received_at_ms), speech_ms / 1000)
        try:
            hearing = await self._hear_speech(
                speech, language, due_s, self._foretaste.take(speech.start, speech.end, language)
            )
            if language is not None and not is_given and is_doubtful(hearing, speech_ms):
                hearing = choose(hearing, await self._hear_speech(speech, None, due_s), speech_ms)
        except Exception as error:  # noqa: BLE001 - logged where it was caught first
            await self._check_engine(speech, language, due_s, error)
            self._desk.streak.lose(error)
            await self._put_aside(speech, error)
            return Heard(None, "failed", engine.name)
        self._desk.streak.regain()
        return Heard(hearing, suppression(hearing, speech_ms), engine.name)

    async def _hear_speech(
        self,
        speech: Speech,
        language: str | None,
        due_s: float,
        decode: Decode | None = None,
        attempts: int = DECODE_ATTEMPTS,
    ) -> Hearing:
        """Decode, beginning with ``decode`` if that was asked for already. Raises what the last attempt raises."""
        scheduler = self._desk.scheduler
        decode = decode or scheduler.submit(speech.samples, language, Urgency.FINAL, due_s)
        scheduler.promote(decode, Urgency.FINAL, due_s)
        try:
            return _checked(await decode.hearing)
        except Exception:
            metrics.DECODE_FAILURES.inc()
            log.exception("session %s: the utterance at %d could not be decoded", self.session_id, speech.start)
            if attempts == 1:
                raise
        return await self._hear_speech(speech, language, due_s, attempts=attempts - 1)

    async def _check_engine(self, speech: Speech, language: str | None, due_s: float, failure: Exception) -> None:
        """Return if the engine decodes as much silence. Raises ``FatalError``.

        An engine that has broken would give up every utterance, and what is given out is final.
        """
        silence = np.zeros_like(speech.samples)
        try:
            _checked(await self._desk.scheduler.submit(silence, language, Urgency.FINAL, due_s).hearing)
        except Exception as error:
            raise FatalError(
                f"the Whisper engine fails ({failure!r}), with silence too: nothing is given up for it; check "
                "UNDERTONE_WHISPER_…, and the memory of this machine and its device"
            ) from error

    async def _put_aside(self, speech: Speech, error: Exception) -> None:
        audio = Audio(self.session_id, "", speech.start, speech.samples.tobytes())
        value, headers = encode_audio(audio)
        key = self.session_id.encode()
        record = Original(
            topic=AUDIO,
            partition=self.partition,
            offset=speech.first_offset,
            timestamp_ms=speech.received_at_ms,
            key=key,
            value=value,
            headers=headers,
        )
        await self._desk.dead_letters.put(record, GivenOut(f"the audio cannot be decoded: {error!r}"))

    async def _listen(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._desk.ears, lambda: work(*args, **kwargs))

    def _settle(self, offsets: Sequence[int]) -> None:
        for offset in offsets:
            entry, settle = self._waiting.pop(offset)
            self.unsettled_samples -= _samples(entry)
            settle()
        self._on_settled(self)


def _checked(hearing: Hearing) -> Hearing:
    """The hearing, if its numbers are numbers: those of a broken computation are written down nowhere."""
    numbers = (hearing.no_speech_probability, hearing.avg_logprob, hearing.compression_ratio)
    if not all(map(math.isfinite, (*numbers, hearing.language_probability or 0.0))):
        raise ValueError(f"the engine's confidence is no number: {hearing}")
    return hearing


def _samples(entry: Entry) -> int:
    return entry.record.end - entry.record.at if isinstance(entry.record, Audio) else 0
