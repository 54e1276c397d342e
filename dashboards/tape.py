"""The audio of sessions as Kafka keeps it, read by the offsets that are stored with an utterance."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from dashboards.clip import Clip
from undertone.audio import to_samples
from undertone.codec import decode_audio
from undertone.errors import PoisonError, Refusal, TransientError
from undertone.events import Utterance
from undertone.kafka import Record, open_reader, read_up_to, topic_name
from undertone.settings import Settings
from undertone.topics import AUDIO

log = logging.getLogger(__name__)

AT_ONCE = 4
WAIT_S = 5.0
READ_S = 5.0
BEGINS_S = 60.0
"""For so long it is not asked again where a partition begins."""
LONGEST_SAMPLES = to_samples(60_000)
"""Twice what the transcriber takes for one utterance."""


class Tape:
    """Reads utterances' audio, so many at once; each costs a connection to Kafka and about three megabytes."""

    def __init__(self, settings: Settings, *, at_once: int = AT_ONCE, wait_s: float = WAIT_S) -> None:
        self._settings = settings
        self._places = asyncio.Semaphore(at_once)
        self._wait_s = wait_s
        self._begins: dict[int, tuple[float, int]] = {}

    async def read(self, utterance: Utterance, partition: int) -> bytes:
        """PCM of exactly its samples, from the session's partition of the log.

        Raises ``Refusal`` where they are gone, and while they cannot be had: after ``WAIT_S`` and ``READ_S`` at most.
        """
        if utterance.end_sample - utterance.first_sample > LONGEST_SAMPLES:
            words = f"these words last longer than {LONGEST_SAMPLES // to_samples(1000)} s, and are not played in one"
            raise Refusal("audio_too_long", words, status=413)
        async with self._place(), self._log(partition) as consumer:
            clip = await self._collect(consumer, utterance, partition)
        if clip is None or not clip.is_whole:
            hours = self._settings.audio_retention_hours
            words = f"the audio of these words is no longer there: it is kept for {hours} h; the words stay"
            raise Refusal("audio_gone", words, status=410)
        return clip.pcm

    async def begins(self, partition: int) -> int:
        """The first offset that this partition of the log still has, or had within the last ``BEGINS_S``.

        Raises ``Refusal`` while it cannot be had, as ``read`` does.
        """
        async with self._place():
            asked_at, first = self._begins.get(partition, (-BEGINS_S, 0))
            if time.monotonic() - asked_at < BEGINS_S:
                return first
            place = self._at(partition)
            async with self._log(partition) as consumer:
                found: dict[TopicPartition, int] = await consumer.beginning_offsets([place])
            first = found[place]
            self._begins[partition] = time.monotonic(), first
            return first

    def _at(self, partition: int) -> TopicPartition:
        return TopicPartition(topic_name(self._settings, AUDIO), partition)

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._wait_s):
                await self._places.acquire()
        except TimeoutError as error:
            words = "too many are listening to past words at this moment: try again"
            raise Refusal("audio_busy", words, status=503, retryable=True, retry_after_ms=1000) from error
        try:
            yield
        finally:
            self._places.release()

    @asynccontextmanager
    async def _log(self, partition: int) -> AsyncIterator[AIOKafkaConsumer]:
        try:
            async with asyncio.timeout(READ_S), open_reader(self._settings, [AUDIO], [partition]) as consumer:
                yield consumer
        except (TransientError, KafkaError, TimeoutError) as error:
            log.warning("audio cannot be read: %r", error)  # where Kafka stands is nobody else's business
            words = "the audio cannot be read now, while Kafka is away or slow: try again"
            raise Refusal("kafka_away", words, status=503, retryable=True, retry_after_ms=2000) from error

    async def _collect(self, consumer: AIOKafkaConsumer, utterance: Utterance, partition: int) -> Clip | None:
        """What the log has of it; None where it no longer reaches back so far, or is another than it was."""
        key = utterance.session_id.encode()
        first, last = utterance.audio.first_offset, utterance.audio.last_offset
        place = self._at(partition)
        clip = Clip(utterance.first_sample, utterance.end_sample, utterance.audio.opened_offset)
        if (await consumer.end_offsets([place]))[place] <= last:
            return None
        consumer.seek(place, first)
        is_first = True
        async with aclosing(read_up_to(consumer, {place: last + 1})) as records:
            async for record in records:
                if is_first and (record.offset != first or record.key != key):
                    return None
                is_first = False
                if record.key == key and record.offset <= last:
                    _add(clip, record)
        return clip


def _add(clip: Clip, record: Record) -> None:
    try:
        clip.add(record.offset, decode_audio(record.key, record.value, record.headers))
    except PoisonError as error:  # the transcriber did not hear it either
        log.warning("no audio: %s-%s@%s: %s", record.topic, record.partition, record.offset, error)
