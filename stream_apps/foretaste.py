"""Text shown before it is final: speculations in pauses, partials in between.

A speculation decodes, as soon as a pause begins, exactly what will be the utterance if the pause lasts; then it is the
final, and until then the partial. Nothing here decides what a final says: a speculation is a cache of the call that
would be made anyway. Whatever is late or fails is dropped.
"""

import asyncio
import logging
import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.speech.commitment import Commitment, agree
from models.speech.gates import suppression
from models.speech.scheduler import Decode, Scheduler, Urgency
from models.speech.segmenter import Ongoing
from stream_apps.listener import Entry, Listener
from stream_apps.presence import Outputs
from undertone.audio import SAMPLE_RATE, to_ms, to_samples
from undertone.errors import UndertoneError
from undertone.events import Partial
from undertone.topics import PARTIALS

log = logging.getLogger(__name__)

# No sooner, or the utterance would lack its hang-over; a multiple of frames.
SPECULATE_AT_ONCE = to_samples(224)
SPECULATE_AT_ONCE_BELOW = 0.35
# In read speech 85 % of pauses of 704 ms last to the endpoint of 1000, and 44 % of those of 224.
SPECULATE_BEFORE_ENDPOINT = to_samples(296)
SPECULATE_WITH_MARGIN = 1.5
PARTIALS_BELOW = 0.5
FIRST_PARTIAL_AFTER = to_samples(700)
PARTIAL_EVERY = to_samples(1000)
# A beginning of which nothing counts yet is heard again sooner: somebody waits for a sign of life.
TRY_AGAIN_SOONER_BY = to_samples(600)
LIVE_WITHIN = timedelta(seconds=3)


def speculate_after(endpoint: int, expected_s: float, load: float) -> int:
    """Samples of pause after which its utterance is decoded, ``expected_s`` being how long that will take.

    With room at once. Else as late as it will still be done at the endpoint: the longer a pause has lasted, the
    likelier it is to last, and the fewer decodes are in vain. Simulated with 20 speakers, that takes 0.15 to
    0.3 s off the 95th percentile of a final's delay, against fixed times of 512 and 704 ms.
    """
    if load < SPECULATE_AT_ONCE_BELOW:
        return SPECULATE_AT_ONCE
    in_time = endpoint - round(SPECULATE_WITH_MARGIN * expected_s * SAMPLE_RATE)
    return max(SPECULATE_AT_ONCE, min(endpoint - SPECULATE_BEFORE_ENDPOINT, in_time))


def partial_after(is_first: bool, load: float) -> float:
    """Samples of new speech after which a partial is due: the busier, the more, and no end of them at half load."""
    if load >= PARTIALS_BELOW:
        return math.inf
    return (FIRST_PARTIAL_AFTER if is_first else PARTIAL_EVERY) / (1 - load / PARTIALS_BELOW)


@dataclass(frozen=True, slots=True)
class _Speculation:
    start: int
    end: int
    language: str | None
    decode: Decode


class Foretaste:
    """The foretaste of one session's utterance that is going on."""

    def __init__(self, session_id: str, endpoint: int, scheduler: Scheduler, outputs: Outputs) -> None:
        self._session_id = session_id
        self._endpoint = endpoint
        self._scheduler = scheduler
        self._outputs = outputs
        self._speculation: _Speculation | None = None
        self._showing: dict[asyncio.Task[None], Decode] = {}
        self._start: int | None = None
        self._asked_to = 0
        self._shown_rev = 0
        self._shown = Commitment()

    def look(self, listener: Listener, entry: Entry, now: datetime) -> None:
        """After a record was heard: ask for a speculation or a partial where that is of use."""
        ongoing = listener.ongoing()
        if ongoing is None:
            return
        if ongoing.start != self._start:
            self._start, self._asked_to, self._shown = ongoing.start, ongoing.start, Commitment()
        language = listener.language if listener.language in self._scheduler.engine.languages else None
        known = self._speculation
        if known is not None and (known.start, known.end) != (ongoing.start, ongoing.end):
            self._scheduler.drop(known.decode)  # speech went on; what has begun is shown as a partial
        if now - datetime.fromtimestamp(entry.received_at_ms / 1000, UTC) > LIVE_WITHIN:
            return  # nobody watches what is read from a backlog: finals alone
        load = self._scheduler.load
        expected_s = self._scheduler.pace.expected_s((ongoing.end - ongoing.start) / SAMPLE_RATE)
        if ongoing.pause >= speculate_after(self._endpoint, expected_s, load):
            self._speculate(
                listener, ongoing, language, time.monotonic() + (self._endpoint - ongoing.pause) / SAMPLE_RATE
            )
        elif self._scheduler.has_room:
            self._ask_partial(listener, ongoing, language, load)

    def take(self, start: int, end: int, language: str | None) -> Decode | None:
        """The decode of exactly this call, if it was speculated; all other foretaste of the utterance is dropped."""
        known = self._speculation
        is_it = known is not None and (known.start, known.end, known.language) == (start, end, language)
        decode = known.decode if known is not None and is_it and not known.decode.hearing.cancelled() else None
        self.forget(keep=decode)
        return decode

    def forget(self, keep: Decode | None = None) -> None:
        """Show nothing more of the utterance, and decode none of it but ``keep``."""
        if self._speculation is not None and self._speculation.decode is not keep:
            self._speculation.decode.hearing.cancel()
        for task, decode in self._showing.items():
            task.cancel()
            if decode is not keep:
                decode.hearing.cancel()
        self._showing.clear()
        self._speculation = None

    def _speculate(self, listener: Listener, ongoing: Ongoing, language: str | None, due_s: float) -> None:
        known = self._speculation
        if known and (known.start, known.end, known.language) == (ongoing.start, ongoing.end, language):
            return
        samples = listener.speech(ongoing.start, ongoing.end).samples
        decode = self._scheduler.submit(samples, language, Urgency.SPECULATION, due_s)
        self._speculation = _Speculation(ongoing.start, ongoing.end, language, decode)
        self._show(decode, ongoing, ongoing.heard)

    def _ask_partial(self, listener: Listener, ongoing: Ongoing, language: str | None, load: float) -> None:
        is_first = self._asked_to == ongoing.start
        if self._showing or ongoing.heard - self._asked_to < partial_after(is_first, load):
            return
        samples = listener.speech(ongoing.start, ongoing.heard).samples
        self._show(self._scheduler.submit(samples, language, Urgency.PARTIAL), ongoing, ongoing.heard)

    def _show(self, decode: Decode, ongoing: Ongoing, heard: int) -> None:
        self._asked_to = heard
        task = asyncio.create_task(self._publish(decode, ongoing, heard))
        self._showing[task] = decode
        task.add_done_callback(lambda done: self._showing.pop(done, None) and None)

    async def _publish(self, decode: Decode, ongoing: Ongoing, heard: int) -> None:
        try:
            hearing = await asyncio.shield(decode.hearing)
        except Exception as error:  # noqa: BLE001 - the final will try again and say so
            log.debug("session %s: a partial failed: %r", self._session_id, error)
            return
        is_old = ongoing.start != self._start or heard < self._shown_rev
        if is_old:
            return
        if suppression(hearing, to_ms(heard - ongoing.start)) is not None:
            if not self._shown.text:
                self._asked_to = min(self._asked_to, heard - TRY_AGAIN_SOONER_BY)
            return
        self._shown_rev = heard
        self._shown = agree(self._shown, hearing.text)
        partial = Partial(
            session_id=self._session_id,
            first_sample=ongoing.start,
            rev=heard,
            start_ms=to_ms(ongoing.start),
            text=self._shown.text,
            committed=self._shown.committed,
            language=hearing.language,
        )
        try:
            self._outputs.presence.check()
            await self._outputs.publisher.publish(PARTIALS, self._session_id, partial)
        except UndertoneError as error:
            log.debug("session %s: a partial was not shown: %s", self._session_id, error)
