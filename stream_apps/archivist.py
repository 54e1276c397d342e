"""The archivist: keeps the history. Utterances, windows and sessions go into PostgreSQL, with their offsets."""

from collections.abc import Iterable, Sequence
from typing import Protocol

from storage.engine import make_engine
from storage.upserts import Sourced, store
from undertone.codec import decode
from undertone.errors import PoisonError
from undertone.events import Event, Mark, Session, Utterance, Window
from undertone.topics import SESSIONS, UTTERANCES, WINDOWS

INPUTS = (SESSIONS, UTTERANCES, WINDOWS)


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
        PostgreSQL is away, ``PoisonError`` if a record cannot be decoded or stored; then apply the records one by
        one to find which, and apply nothing of a partition ahead of it that belongs behind it.
        """
        return await store(self._engine, [_decode(record) for record in batch])

    async def skip(self, record: Consumed) -> None:
        """Store that ``record`` is dealt with and changes nothing. Raises ``TransientError`` as ``apply`` does."""
        await store(self._engine, [Sourced(record.topic, record.partition, record.offset, None)])

    async def close(self) -> None:
        """Close the connections."""
        await self._engine.dispose()


def _decode(record: Consumed) -> Sourced:
    event: Event | None = None if record.value is None else decode(record.value, record.headers)
    if not isinstance(event, Session | Utterance | Mark | Window | None):
        raise PoisonError(f"the archivist keeps no {event.type} events: one strayed into {record.topic}")
    return Sourced(record.topic, record.partition, record.offset, event)
