"""The archivist: keeps the history. Utterances, windows and sessions go into PostgreSQL, with their offsets.

It also forgets (``oblivion``): deleted sessions, and what is past the retention of text.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from aiokafka import TopicPartition

from storage.engine import make_engine, reading
from storage.queries import stored_offsets
from storage.term_renewal import renew_terms
from storage.upserts import Sourced, forget_place, store
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import Delivery
from stream_apps.oblivion import Oblivion
from stream_apps.patience import Patience
from stream_apps.presence import Outputs
from stream_apps.reading import read_history
from undertone.background import BackgroundTasks
from undertone.errors import FatalError, PoisonError, TransientError
from undertone.kafka import open_reader, topic_name
from undertone.retry import retry
from undertone.settings import Settings
from undertone.topics import DELETIONS, SESSIONS, UTTERANCES, WINDOWS, Topic

log = logging.getLogger(__name__)

T = TypeVar("T")

INPUTS = (SESSIONS, UTTERANCES, WINDOWS, DELETIONS)
BATCH_RECORDS = 500
BATCH_S = 0.2
MAX_WAITING = 2000
RENEW_PAUSE_S = 0.1  # between two batches, for those who search and store
RENEW_EVERY_S = 60.0


class Archivist:
    """Applies batches of records to the database. Holds a pool of connections: ``close`` it."""

    def __init__(self, database_url: str) -> None:
        self.engine = make_engine(database_url, pool_size=3)

    async def apply(self, batch: Sequence[Sourced]) -> int:
        """Store the records' effects and source offsets, and return how many were new. Durable on return.

        One transaction: all or nothing, and a batch applied again changes nothing. Raises ``TransientError`` while
        PostgreSQL is away, ``PoisonError`` if it refuses a record: then apply the records one by one, in order.
        """
        return await store(self.engine, batch)

    async def stored(self) -> dict[tuple[str, int], int]:
        """The next offset to store of each (topic, partition). Raises ``TransientError`` as ``apply`` does."""
        async with reading(self.engine) as connection:
            return await stored_offsets(connection)

    async def forget(self, topic: str, partition: int) -> None:
        """Take all that a partition holds for new again. Raises ``TransientError`` as ``apply`` does."""
        await forget_place(self.engine, topic, partition)

    async def close(self) -> None:
        """Close the connections."""
        await self.engine.dispose()


@dataclass(frozen=True, slots=True)
class _Waiting:
    delivery: Delivery
    sourced: Sourced


class Host(Protocol):
    """What runs the app, and is told when its own work fails."""

    def fail(self, error: BaseException) -> None: ...


class ArchivistApp:
    """The archivist as an app: gathers deliveries for a moment, stores them together, then settles them.

    While PostgreSQL is away it waits, with a bounded number of records taken; Kafka keeps the rest.
    """

    name = "archivist"
    inputs: Sequence[Topic] = INPUTS

    def __init__(self, settings: Settings, archivist: Archivist, outputs: Outputs, dead_letters: DeadLetters) -> None:
        self._settings = settings
        self._archivist = archivist
        self._outputs = outputs
        self._dead_letters = dead_letters
        self._patience = Patience(settings.poison_limit)
        self._host: Host | None = None
        self._waiting: list[_Waiting] = []
        self._changed = asyncio.Condition()
        self._background = BackgroundTasks(self._fail)
        self._oblivion = Oblivion(settings, archivist.engine, outputs, self._persist)
        self._is_away = False

    def attach(self, host: Host) -> None:
        """Say whom to tell when writing fails for good."""
        self._host = host

    async def assign(self, partitions: frozenset[int]) -> None:
        """Read back which sessions are deleted, then begin to write what will be received."""
        await self._oblivion.read_back(partitions)
        self._background.start("write the history", self._write(partitions))
        self._background.start("drop what is past its retention", self._oblivion.expire())
        self._background.start("renew the terms of search", self._renew_terms())

    async def receive(self, delivery: Delivery) -> None:
        """Take a record; waits while too many wait already. A tombstone, and what is forgotten, are an offset."""
        is_content = delivery.topic is not DELETIONS and not self._oblivion.covers(delivery)
        event = read_history(delivery) if is_content else None
        name = topic_name(self._settings, delivery.topic)
        sourced = Sourced(name, delivery.partition, delivery.offset, event)
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._waiting) < MAX_WAITING)
            self._waiting.append(_Waiting(delivery, sourced))
            self._changed.notify_all()

    async def revoke(self) -> None:
        """Forget what is not stored; a transaction under way is given up, and may have been committed: no harm."""
        await self._background.stop()
        async with self._changed:
            self._waiting.clear()
            self._changed.notify_all()
        self._patience.forget()

    async def _write(self, partitions: frozenset[int]) -> None:
        await retry(lambda: self._check_log(partitions))
        await self._oblivion.catch_up()
        while True:
            batch = await self._gather()
            await self._oblivion.obey([record.delivery for record in batch])
            await self._oblivion.bury([record.delivery for record in batch])
            await self._store([self._without_forgotten(record) for record in batch])

    def _without_forgotten(self, record: _Waiting) -> _Waiting:
        if not self._oblivion.covers(record.delivery):
            return record
        return replace(record, sourced=replace(record.sourced, event=None))

    async def _gather(self) -> list[_Waiting]:
        """Records that came within a moment, or as many as make a batch."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._waiting)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(BATCH_S):
                    await self._changed.wait_for(lambda: len(self._waiting) >= BATCH_RECORDS)
            batch = self._waiting[:BATCH_RECORDS]
            del self._waiting[:BATCH_RECORDS]
            self._changed.notify_all()
            return batch

    async def _store(self, batch: Sequence[_Waiting]) -> None:
        """Store and settle a batch; a record that PostgreSQL refuses is put aside."""
        try:
            await self._apply(batch)
        except PoisonError:
            for record in batch:
                await self._store_one(record)
        else:
            for record in batch:
                self._settle(record.delivery)

    async def _store_one(self, record: _Waiting) -> None:
        try:
            await self._apply([record])
        except PoisonError as error:
            await self._dead_letters.put(record.delivery, error)
            self._patience.lose(record.delivery, error)
        else:
            self._settle(record.delivery)

    def _settle(self, delivery: Delivery) -> None:
        self._patience.regain(delivery)
        delivery.settle()

    async def _apply(self, batch: Sequence[_Waiting]) -> None:
        for record in batch:
            self._oblivion.check(record.delivery)
        await self._persist(lambda: self._archivist.apply([record.sourced for record in batch]))

    async def _persist(self, work: Callable[[], Awaitable[T]]) -> T:
        """The result of work in the database, tried again while that is away."""

        async def attempt() -> T:
            self._outputs.presence.check()
            try:
                result = await work()
            except TransientError as error:
                if not self._is_away:
                    log.warning("the history waits: %s", error)
                self._is_away = True
                raise
            if self._is_away:
                log.warning("the history goes on")
            self._is_away = False
            return result

        return await retry(attempt)

    async def _check_log(self, partitions: frozenset[int]) -> None:
        """Forget the stored offsets of a partition that ends before them: what comes there now is no repeat.

        A power cut can take from Kafka what it had not yet on its disk, and topics can be made anew under a database.
        """
        stored = await self._archivist.stored()
        async with open_reader(self._settings, INPUTS, sorted(partitions)) as consumer:
            ends: dict[TopicPartition, int] = await consumer.end_offsets(list(consumer.assignment()))
        for place, end in ends.items():
            if (known := stored.get((place.topic, place.partition), 0)) > end:
                log.warning(
                    "%s partition %d ends at %d, but the history has it up to %d: Kafka has lost records, or its "
                    "topics were made anew. History goes on with what is there",
                    place.topic,
                    place.partition,
                    end,
                    known,
                )
                await self._archivist.forget(place.topic, place.partition)

    async def _renew_terms(self) -> None:
        """Renews the search terms of rows that an earlier version wrote, now and whenever there are any."""
        renewed = 0
        while True:
            if some := await self._persist(lambda: renew_terms(self._archivist.engine)):
                if not renewed:
                    log.info("the search terms of an earlier version are being renewed")
                renewed += some
            elif renewed:
                log.info("the search terms of %d utterances were renewed", renewed)
                renewed = 0
            await asyncio.sleep(RENEW_PAUSE_S if some else RENEW_EVERY_S)

    def _fail(self, failure: FatalError) -> None:
        if self._host is not None:
            self._host.fail(failure)


@asynccontextmanager
async def open_archivist(
    settings: Settings, outputs: Outputs, dead_letters: DeadLetters
) -> AsyncIterator[ArchivistApp]:
    """The app with its connections, closed on exit. Raises ``FatalError`` if no database is set."""
    archivist = Archivist(settings.database_url())
    try:
        yield ArchivistApp(settings, archivist, outputs, dead_letters)
    finally:
        await archivist.close()
