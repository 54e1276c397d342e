"""The audio of sessions as Kafka keeps it, read by the offsets that are stored with an utterance."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager

from aiokafka import TopicPartition
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
LONGEST_SAMPLES = to_samples(60_000)
"""Twice what the transcriber takes for one utterance."""


class Tape:
    """Reads utterances' audio, so many at once; each costs a connection to Kafka and about three megabytes."""

    def __init__(self, settings: Settings, *, at_once: int = AT_ONCE, wait_s: float = WAIT_S) -> None:
        self._settings = settings
        self._places = asyncio.Semaphore(at_once)
        self._wait_s = wait_s

    async def read(self, utterance: Utterance, partition: int) -> bytes:
        """PCM of exactly its samples, from the session's partition of the log.

        Raises ``Refusal`` where they are gone, and while they cannot be had: after ``WAIT_S`` and ``READ_S`` at most.
        """
        if utterance.end_sample - utterance.first_sample > LONGEST_SAMPLES:
            words = f"these words last longer than {LONGEST_SAMPLES // to_samples(1000)} s, and are not played in one"
            raise Refusal("audio_too_long", words, status=413)
        async with self._place():
            clip = await self._read(utterance, partition)
        if clip is None or not clip.is_whole:
            hours = self._settings.audio_retention_hours
            words = f"the audio of these words is no longer there: it is kept for {hours} h; the words stay"
            raise Refusal("audio_gone", words, status=410)
        return clip.pcm

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

    async def _read(self, utterance: Utterance, partition: int) -> Clip | None:
        try:
            async with asyncio.timeout(READ_S):
                return await self._collect(utterance, partition)
        except (TransientError, KafkaError, TimeoutError) as error:
            log.warning("audio cannot be read: %r", error)  # where Kafka stands is nobody else's business
            words = "the audio cannot be read now, while Kafka is away or slow: try again"
            raise Refusal("kafka_away", words, status=503, retryable=True, retry_after_ms=2000) from error

    async def _collect(self, utterance: Utterance, partition: int) -> Clip | None:
        """What the log has of it; None where it no longer reaches back so far, or is another than it was."""
        key = utterance.session_id.encode()
        first, last = utterance.audio.first_offset, utterance.audio.last_offset
        place = TopicPartition(topic_name(self._settings, AUDIO), partition)
        clip = Clip(utterance.first_sample, utterance.end_sample)
        async with open_reader(self._settings, [AUDIO], [partition]) as consumer:
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
        clip.add(decode_audio(record.key, record.value, record.headers))
    except PoisonError as error:  # the transcriber did not hear it either
        log.warning("no audio: %s-%s@%s: %s", record.topic, record.partition, record.offset, error)
