"""The archivist: keeps the history. Utterances, windows and sessions go into PostgreSQL, with their offsets."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from aiokafka import TopicPartition

from storage.engine import make_engine, reading
from storage.queries import stored_offsets
from storage.upserts import Sourced, forget_place, store
from stream_apps.dead_letters import DeadLetters
from stream_apps.deliveries import Delivery
from stream_apps.presence import Outputs
from undertone.codec import Headers, decode
from undertone.errors import PoisonError, TransientError
from undertone.events import Event, Mark, Session, Utterance, Window
from undertone.kafka import open_reader, topic_name
from undertone.retry import retry
from undertone.settings import Settings
from undertone.topics import SESSIONS, UTTERANCES, WINDOWS, Topic

log = logging.getLogger(__name__)

INPUTS = (SESSIONS, UTTERANCES, WINDOWS)
BATCH_RECORDS = 500
BATCH_S = 0.2
MAX_WAITING = 2000


class Consumed(Protocol):
    """A record as read from Kafka; ``topic`` is the full name."""

    @property
    def topic(self) -> str: ...
    @property
    def partition(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def value(self) -> bytes | None: ...
    @property
    def headers(self) -> Iterable[tuple[str, bytes]]: ...


class Archivist:
    """Applies batches of records to the database. Holds a pool of connections: ``close`` it."""

    def __init__(self, database_url: str) -> None:
        self._engine = make_engine(database_url, pool_size=2)

    async def apply(self, batch: Sequence[Consumed]) -> int:
        """Store the records' effects and source offsets, and return how many were new. Durable on return.

        One transaction: all or nothing, and a batch applied again changes nothing. Raises ``TransientError`` while
        PostgreSQL is away, ``PoisonError`` if a record cannot be decoded or stored: then apply the records one by
        one, in order, and ``skip`` the one that it is.
        """
        return await store(self._engine, [_decode(record) for record in batch])

    async def skip(self, record: Consumed) -> None:
        """Store that ``record`` is dealt with and changes nothing. Raises ``TransientError`` as ``apply`` does."""
        await store(self._engine, [Sourced(record.topic, record.partition, record.offset, None)])

    async def stored(self) -> dict[tuple[str, int], int]:
        """The next offset to store of each (topic, partition). Raises ``TransientError`` as ``apply`` does."""
        async with reading(self._engine) as connection:
            return await stored_offsets(connection)

    async def forget(self, topic: str, partition: int) -> None:
        """Take all that a partition holds for new again. Raises ``TransientError`` as ``apply`` does."""
        await forget_place(self._engine, topic, partition)

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()


@dataclass(frozen=True, slots=True)
class _Waiting:
    delivery: Delivery
    topic: str
    partition: int
    offset: int
    value: bytes | None
    headers: Headers


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
        self._host: Host | None = None
        self._waiting: list[_Waiting] = []
        self._changed = asyncio.Condition()
        self._writing: asyncio.Task[None] | None = None
        self._is_away = False

    def attach(self, host: Host) -> None:
        """Say whom to tell when writing fails for good."""
        self._host = host

    async def assign(self, partitions: frozenset[int]) -> None:
        """Begin to write what will be received."""
        self._writing = asyncio.create_task(self._write(partitions), name="write the history")
        self._writing.add_done_callback(self._report)

    async def receive(self, delivery: Delivery) -> None:
        """Take a record; waits while too many wait already."""
        async with self._changed:
            await self._changed.wait_for(lambda: len(self._waiting) < MAX_WAITING)
            name = topic_name(self._settings, delivery.topic)
            self._waiting.append(
                _Waiting(delivery, name, delivery.partition, delivery.offset, delivery.value, delivery.headers)
            )
            self._changed.notify_all()

    async def revoke(self) -> None:
        """Forget what is not stored; a transaction under way is given up, and may have been committed: no harm."""
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.cancel()
            await asyncio.wait([writing])
        async with self._changed:
            self._waiting.clear()
            self._changed.notify_all()

    async def _write(self, partitions: frozenset[int]) -> None:
        await retry(lambda: self._check_log(partitions))
        while True:
            batch = await self._gather()
            await self._store(batch)
            self._settle(batch)

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

    def _settle(self, batch: Sequence[_Waiting]) -> None:
        for record in batch:
            record.delivery.settle()

    async def _store(self, batch: Sequence[_Waiting]) -> None:
        try:
            await self._apply(batch)
        except PoisonError:
            for record in batch:
                try:
                    await self._apply([record])
                except PoisonError as error:
                    await self._dead_letters.put(record.delivery, error)
                    await retry(lambda record=record: self._archivist.skip(record))  # type: ignore[misc]

    async def _apply(self, batch: Sequence[_Waiting]) -> None:
        async def apply() -> None:
            self._outputs.presence.check()
            try:
                await self._archivist.apply(batch)
            except TransientError as error:
                if not self._is_away:
                    log.warning("the history waits: %s", error)
                self._is_away = True
                raise
            if self._is_away:
                log.warning("the history goes on")
            self._is_away = False

        await retry(apply)

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

    def _report(self, writing: asyncio.Task[None]) -> None:
        if not writing.cancelled() and (error := writing.exception()) is not None and self._host is not None:
            self._host.fail(error)


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


def _decode(record: Consumed) -> Sourced:
    event: Event | None = None if record.value is None else decode(record.value, record.headers)
    if not isinstance(event, Session | Utterance | Mark | Window | None):
        raise PoisonError(f"the archivist keeps no {event.type} events: one strayed into {record.topic}")
    return Sourced(record.topic, record.partition, record.offset, event)
