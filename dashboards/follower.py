"""Reads the topics that viewers follow into the hub, for as long as the process lives; waits out a Kafka away."""

import asyncio
import contextlib
import logging
import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from dashboards.hub import KEEP_MS, TOPICS, Hub
from undertone.codec import decode
from undertone.deletions import deletion_of
from undertone.errors import PoisonError, Refusal, TransientError
from undertone.events import Event
from undertone.freshness import STALE_AFTER_S, Freshness
from undertone.kafka import Record, open_reader, read_to_end, read_up_to, topic_name
from undertone.kafka_start import wait_for_kafka
from undertone.retention import oldest_kept_ms
from undertone.retry import backoff_s
from undertone.settings import Settings
from undertone.topics import DELETIONS

log = logging.getLogger(__name__)

MAX_BRIDGED = 20_000
BRIDGE_S = 10.0


class Follower:
    """Owns the hub. ``run`` it as a task; ``why_not_ready`` says whether viewers can be taken."""

    def __init__(self, settings: Settings, keep_ms: int = KEEP_MS, stale_after_s: float = STALE_AFTER_S) -> None:
        self._settings = settings
        self._keep_ms = keep_ms
        self._topics = {topic_name(settings, topic): number for number, topic in enumerate(TOPICS)}
        self._hub: Hub | None = None
        self._trouble: str | None = "the hub is being filled from the log"
        self._deletions = Freshness(stale_after_s)
        self.filled = asyncio.Event()

    @property
    def hub(self) -> Hub:
        """The hub, once ``filled``."""
        assert self._hub is not None, "the hub is not filled yet"
        return self._hub

    def why_not_ready(self) -> str | None:
        """None while the hub is filled from the log, and deletions are read as they come."""
        if not self.filled.is_set():
            return self._trouble
        if self._deletions.is_stale:
            return (
                f"the deletions have not been read from Kafka for {self._deletions.age_s:.0f} s, so nobody knows which "
                "sessions may be shown"
            )
        return None

    async def filled_hub(self, within_s: float) -> Hub:
        """The hub; raises ``Refusal`` ``not_ready`` if it is not filled in time, or deletions cannot be read.

        Whatever shows anything of a session, of the history too, asks for the hub first: it alone knows the deletions.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):
                await self.filled.wait()
        if (trouble := self.why_not_ready()) is not None:
            raise Refusal(
                "not_ready", f"the view is not ready: {trouble}", status=503, retryable=True, retry_after_ms=1000
            )
        return self.hub

    async def run(self) -> None:
        """Follow the log for ever."""
        await wait_for_kafka(self._settings)
        attempt = 0
        while True:
            try:
                async with open_reader(self._settings, TOPICS) as consumer:
                    await self._begin(consumer)
                    attempt = 0
                    await self._follow(consumer)
            except (TransientError, KafkaError) as error:
                self._trouble = str(error)
                log.warning("the hub waits for Kafka: %s", error)
                await asyncio.sleep(backoff_s(attempt, random.random()))  # noqa: S311 - jitter, no secret
                attempt += 1

    def slot(self, place: TopicPartition, partitions: int) -> int:
        """The slot of a partition in a position."""
        return self._topics[place.topic] * partitions + int(place.partition)

    def place(self, slot: int) -> TopicPartition:
        """The partition of a slot."""
        topic, partition = divmod(slot, self.hub.partitions)
        return TopicPartition(topic_name(self._settings, TOPICS[topic]), partition)

    async def bridge(self, ranges: Mapping[int, tuple[int, int]]) -> list[tuple[int, int, Event]] | None:
        """The events of the log in ``ranges`` (slot: first offset, offset behind), with slot and offset.

        None when the log does not reach back so far, holds too much, or Kafka is away.
        """
        numbers = sorted({self.place(slot).partition for slot in ranges})
        try:
            async with asyncio.timeout(BRIDGE_S), open_reader(self._settings, TOPICS, numbers) as consumer:
                return await self._read(consumer, ranges)
        except (TransientError, KafkaError, TimeoutError) as error:
            log.warning("a snapshot older than the ring stays incomplete: %r", error)
            return None

    async def _begin(self, consumer: AIOKafkaConsumer) -> None:
        """Move to where the hub stands; the first time to the last minutes of the log, and fill it from there.

        Deletions are read from their beginning: they never grow old.
        """
        began_s = time.monotonic()
        places = sorted(consumer.assignment())
        if self._hub is not None:
            for place in places:
                consumer.seek(place, self._hub.head[self.slot(place, self._hub.partitions)])
            return
        partitions = len(places) // len(TOPICS)
        since_ms = _now_ms() - self._keep_ms
        ends = await consumer.end_offsets(places)  # asked first: a record written in between is read, not missed
        deletions = [place for place in places if place.topic == topic_name(self._settings, DELETIONS)]
        beginnings = await consumer.beginning_offsets(deletions)
        found = await consumer.offsets_for_times(dict.fromkeys(places, since_ms))
        start = [0] * len(places)
        for place in places:
            offset = found[place].offset if found.get(place) is not None else ends[place]
            offset = beginnings.get(place, offset)
            start[self.slot(place, partitions)] = offset
            consumer.seek(place, offset)
        hub = Hub(partitions, tuple(start), self._keep_ms)
        self._expire(hub)
        async for record in read_to_end(consumer):
            self._take(hub, record)
        self._deletions.begin(deletions, began_s)
        self._hub = hub
        self.filled.set()

    async def _follow(self, consumer: AIOKafkaConsumer) -> None:
        """Take what comes. Raises ``TransientError`` once the deletions are stale: another consumer may read them."""
        opened_s = time.monotonic()
        while True:
            for records in (await consumer.getmany(timeout_ms=1000)).values():
                for record in records:
                    self._take(self.hub, record)
            self._expire(self.hub)
            await self._deletions.look(consumer)
            if self._deletions.is_stale and time.monotonic() - opened_s > self._deletions.stale_after_s:
                raise TransientError(f"no fetch of the deletions was completed for {self._deletions.age_s:.0f} s")

    def _expire(self, hub: Hub) -> None:
        hub.expire(_now_ms(), oldest_kept_ms(self._settings, datetime.now(UTC)))

    def _take(self, hub: Hub, record: Record) -> None:
        slot = self.slot(TopicPartition(record.topic, record.partition), hub.partitions)
        hub.add(slot, record.offset, self._event_of(record), record.timestamp, _now_ms())

    async def _read(
        self, consumer: AIOKafkaConsumer, ranges: Mapping[int, tuple[int, int]]
    ) -> list[tuple[int, int, Event]] | None:
        ends = {self.place(slot): end for slot, (_, end) in ranges.items()}
        consumer.pause(*(set(consumer.assignment()) - set(ends)))
        beginnings = await consumer.beginning_offsets(list(ends))
        for slot, (first, _) in ranges.items():
            if beginnings[self.place(slot)] > first:
                return None
            consumer.seek(self.place(slot), first)
        events: list[tuple[int, int, Event]] = []
        async for record in read_up_to(consumer, ends):
            place = TopicPartition(record.topic, record.partition)
            event = self._event_of(record) if record.offset < ends[place] else None
            if event is not None:
                events.append((self.slot(place, self.hub.partitions), record.offset, event))
            if len(events) > MAX_BRIDGED:
                return None
        return events

    def _event_of(self, record: Record) -> Event | None:
        try:
            if TOPICS[self._topics[record.topic]] is DELETIONS:
                return deletion_of(record.key, record.value, record.headers)
            return None if record.value is None else decode(record.value, record.headers)
        except PoisonError as error:  # its writer's or the archivist's trouble; viewers just do not see it
            log.warning("viewers do not see %s-%s@%s: %s", record.topic, record.partition, record.offset, error)
            return None


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
