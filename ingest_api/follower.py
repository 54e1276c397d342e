"""Follows the topics that say what became of the audio, and the log of audio itself; waits out a Kafka that is away.

Sessions and deletions are read from their beginning, workers from their end: their reports are of the moment. The log
of audio is read from where the transcriber has committed: what lies before is in the sessions' records. These offsets
are asked for before the sessions are read, so that nothing lies between.
"""

import asyncio
import logging
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from ingest_api.audio_log import AudioLog
from ingest_api.knowledge import Knowledge
from ingest_api.publishers import ANSWER_WITHIN_S, kafka_away
from undertone.codec import decode, decode_audio
from undertone.consumer_groups import TRANSCRIBER, committed_offsets
from undertone.deletions import deletion_of
from undertone.errors import FatalError, PoisonError, TransientError
from undertone.events import Deletion, Event
from undertone.freshness import STALE_AFTER_S, Freshness
from undertone.kafka import Record, open_reader, read_up_to, topic_name
from undertone.kafka_start import wait_for_kafka
from undertone.retry import backoff_s
from undertone.settings import Settings
from undertone.topics import AUDIO, DELETIONS, SESSIONS, WORKERS, Topic, place

LOG = logging.getLogger(__name__)

FORGET_EVERY_S = 60.0
END_WITHIN_S = 1.0


class Follower:
    """Keeps ``knowledge`` up to date while ``run`` runs, and wakes those who wait for a session to change."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime], stale_after_s: float = STALE_AFTER_S) -> None:
        self.knowledge = Knowledge(settings.token_hours)
        self._settings = settings
        self._clock = clock
        self.audio_log = AudioLog(self.knowledge.session)
        self._consumer: AIOKafkaConsumer | None = None
        self._positions: dict[TopicPartition, int] = {}
        self._moved = asyncio.Event()
        self._caught_up = asyncio.Event()
        self._freshness = Freshness(stale_after_s)
        self._waiting: dict[str, set[asyncio.Event]] = {}

    async def run(self) -> None:
        """Follow until cancelled."""
        await wait_for_kafka(self._settings)
        attempt = 0
        while True:
            try:
                await self._follow()
            except (TransientError, KafkaError) as error:
                LOG.warning("the sessions cannot be followed: %s; trying again", error)
            attempt += 1
            await asyncio.sleep(backoff_s(attempt, random.random()))  # noqa: S311 - jitter, no secret

    def why_not_ready(self) -> str | None:
        """None once all that was known of sessions at the start has been read, and while it is read on."""
        if not self._caught_up.is_set():
            return "the sessions and their audio have not been read to the end yet"
        if self._freshness.is_stale:
            return f"the sessions and deletions have not been read from Kafka for {self._freshness.age_s:.0f} s"
        return None

    def check(self) -> None:
        """Raise ``Refusal`` ``kafka_away`` unless ready: it is not known which sessions are stopped or deleted."""
        if self.why_not_ready() is not None:
            raise kafka_away()

    async def wait_until_ready(self) -> None:
        """Return once ready; raises as ``check`` if that is not soon."""
        with suppress(TimeoutError):
            async with asyncio.timeout(ANSWER_WITHIN_S):
                await self._caught_up.wait()
        self.check()

    async def catch_up(self, session_id: str) -> int:
        """Read the session's partition of the log to where it ended at the call; the offset up to which it is read.

        Where Kafka does not answer within ``END_WITHIN_S``, how far it is read already: an ``Open`` with that ``seen``
        yields to what this process has not read. Raises ``Refusal`` as ``wait_until_ready``.
        """
        await self.wait_until_ready()
        partition = TopicPartition(topic_name(self._settings, AUDIO), place(session_id, len(self._positions)))
        try:
            async with asyncio.timeout(END_WITHIN_S):
                if self._consumer is not None:
                    end = (await self._consumer.end_offsets([partition]))[partition]
                    while self._positions[partition] < end:
                        await self._moved.wait()
        except (TimeoutError, KafkaError) as error:
            LOG.warning("the end of %s-%s is not known: %r", partition.topic, partition.partition, error)
        return self._positions[partition]

    async def changed(self, session_id: str, within_s: float) -> None:
        """Return when the session may have changed, or after ``within_s``."""
        event = asyncio.Event()
        self._waiting.setdefault(session_id, set()).add(event)
        try:
            async with asyncio.timeout(within_s):
                await event.wait()
        except TimeoutError:
            return
        finally:
            others = self._waiting[session_id]
            others.discard(event)
            if not others:
                del self._waiting[session_id]

    async def _follow(self) -> None:
        committed = await committed_offsets(self._settings, TRANSCRIBER, AUDIO)
        async with open_reader(self._settings, (SESSIONS, WORKERS, DELETIONS, AUDIO)) as consumer:
            began_s = time.monotonic()
            audio = self._of(consumer, AUDIO)
            consumer.pause(*audio)
            await consumer.seek_to_end(*self._of(consumer, WORKERS))
            await self._read_to_end(consumer, [each for each in consumer.assignment() if each not in audio])
            self._freshness.begin([*self._of(consumer, SESSIONS), *self._of(consumer, DELETIONS)], began_s)
            await self._seek_audio(consumer, audio, committed)
            consumer.resume(*audio)
            self._consumer = consumer
            try:
                await self._read_to_end(consumer, audio)
                self._caught_up.set()
                await self._follow_on(consumer)
            finally:
                self._consumer = None

    async def _follow_on(self, consumer: AIOKafkaConsumer) -> None:
        opened_s = time.monotonic()
        forget_at = asyncio.get_running_loop().time()
        while True:
            batches = await consumer.getmany(timeout_ms=1000)
            for records in batches.values():
                for record in records:
                    self._apply(record)
            await self._freshness.look(consumer)
            if self._freshness.is_stale and time.monotonic() - opened_s > self._freshness.stale_after_s:
                raise TransientError(f"no fetch was completed for {self._freshness.age_s:.0f} s")
            if (now_s := asyncio.get_running_loop().time()) >= forget_at:
                now = self._clock()
                self.knowledge.forget(now)
                self.audio_log.forget(lambda session_id, now=now: self.knowledge.is_wanted(session_id, now))  # type: ignore[misc]
                forget_at = now_s + FORGET_EVERY_S

    async def _read_to_end(self, consumer: AIOKafkaConsumer, partitions: list[TopicPartition]) -> None:
        async for record in read_up_to(consumer, await consumer.end_offsets(partitions)):
            self._apply(record)

    async def _seek_audio(
        self, consumer: AIOKafkaConsumer, audio: list[TopicPartition], committed: Mapping[int, int]
    ) -> None:
        """Go on where this process has read to, the first time where the transcriber has committed."""
        first, end = await consumer.beginning_offsets(audio), await consumer.end_offsets(audio)
        for each in audio:
            at = self._positions.get(each, committed.get(each.partition, 0))
            if at > end[each]:
                raise FatalError(
                    f"{each.topic}-{each.partition} ends at {end[each]} and had been read to {at}: Kafka has lost "
                    "records; start this process again, and look at Kafka's replication"
                )
            self._positions[each] = max(at, first[each])
            consumer.seek(each, self._positions[each])

    def _of(self, consumer: AIOKafkaConsumer, topic: Topic) -> list[TopicPartition]:
        name = topic_name(self._settings, topic)
        return [each for each in consumer.assignment() if each.topic == name]

    def obey(self, deletion: Deletion) -> None:
        """Take in a deletion that is in the log."""
        self._learn(deletion)

    def _apply(self, record: Record) -> None:
        if record.topic == topic_name(self._settings, AUDIO):
            self._apply_audio(record)
        elif (event := self._read(record)) is not None:
            self._learn(event)

    def _apply_audio(self, record: Record) -> None:
        try:
            audio = decode_audio(record.key, record.value, record.headers)
            self.audio_log.apply(audio.session_id, record.offset, audio)
        except PoisonError as error:  # the transcriber's dead letter: it does not count
            LOG.debug("no audio: %s-%d@%d: %s", record.topic, record.partition, record.offset, error)
        self._positions[TopicPartition(record.topic, record.partition)] = record.offset + 1
        self._moved.set()
        self._moved = asyncio.Event()

    def _learn(self, event: Event) -> None:
        session_id = self.knowledge.apply(event, self._clock())
        for waiting in self._waiting.get(session_id or "", ()):
            waiting.set()

    def _read(self, record: Record) -> Event | None:
        if record.value is None:
            return None
        try:
            if record.topic == topic_name(self._settings, DELETIONS):
                return deletion_of(record.key, record.value, record.headers)
            return decode(record.value, record.headers)
        except PoisonError as error:
            LOG.warning("%s, partition %d, offset %d: %s", record.topic, record.partition, record.offset, error)
            return None
