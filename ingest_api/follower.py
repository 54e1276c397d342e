"""Follows the topics that say what became of the audio; waits out a Kafka that is away.

Sessions and deletions are read from their beginning, workers from their end: their reports are of the moment.
"""

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime

from aiokafka.errors import KafkaError

from ingest_api.knowledge import Knowledge
from undertone.codec import decode
from undertone.deletions import deletion_of
from undertone.errors import PoisonError, TransientError
from undertone.events import Deletion, Event
from undertone.kafka import Record, open_reader, read_to_end, topic_name
from undertone.retry import backoff_s
from undertone.settings import Settings
from undertone.topics import DELETIONS, SESSIONS, WORKERS

LOG = logging.getLogger(__name__)

FORGET_EVERY_S = 60.0


class Follower:
    """Keeps ``knowledge`` up to date while ``run`` runs, and wakes those who wait for a session to change."""

    def __init__(self, settings: Settings, clock: Callable[[], datetime]) -> None:
        self.knowledge = Knowledge(settings.token_hours)
        self._settings = settings
        self._clock = clock
        self._has_caught_up = False
        self._waiting: dict[str, set[asyncio.Event]] = {}

    async def run(self) -> None:
        """Follow until cancelled."""
        attempt = 0
        while True:
            try:
                await self._follow()
            except (TransientError, KafkaError) as error:
                LOG.warning("the sessions cannot be followed: %s; trying again", error)
            attempt += 1
            await asyncio.sleep(backoff_s(attempt, random.random()))  # noqa: S311 - jitter, no secret

    def why_not_ready(self) -> str | None:
        """None once all that was known of sessions at the start has been read, else the reason."""
        return None if self._has_caught_up else "the sessions have not been read to the end yet"

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
        async with open_reader(self._settings, (SESSIONS, WORKERS, DELETIONS)) as consumer:
            workers = topic_name(self._settings, WORKERS)
            await consumer.seek_to_end(*(place for place in consumer.assignment() if place.topic == workers))
            async for record in read_to_end(consumer):
                self._apply(record)
            self._has_caught_up = True
            forget_at = asyncio.get_running_loop().time()
            while True:
                batches = await consumer.getmany(timeout_ms=1000)
                for records in batches.values():
                    for record in records:
                        self._apply(record)
                if (now_s := asyncio.get_running_loop().time()) >= forget_at:
                    self.knowledge.forget(self._clock())
                    forget_at = now_s + FORGET_EVERY_S

    def obey(self, deletion: Deletion) -> None:
        """Take in a deletion that is in the log."""
        self._learn(deletion)

    def _apply(self, record: Record) -> None:
        event = self._read(record)
        if event is not None:
            self._learn(event)

    def _learn(self, event: Event) -> None:
        session_id = self.knowledge.apply(event, self._clock())
        for waiting in self._waiting.get(session_id or "", ()):
            waiting.set()

    def _read(self, record: Record) -> Event | None:
        if record.topic == topic_name(self._settings, DELETIONS):
            return deletion_of(record.key, record.value, record.headers, record.timestamp)
        if record.value is None:
            return None
        try:
            return decode(record.value, record.headers)
        except PoisonError as error:
            LOG.warning("%s, partition %d, offset %d: %s", record.topic, record.partition, record.offset, error)
            return None
