"""How the archivist forgets: deleted sessions at once, and sessions past the retention of text hour by hour.

The order is always: end the keys that the log holds, then remove the rows, then acknowledge. The rows tell which keys
there are; what comes late tells its own.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from sqlalchemy.ext.asyncio import AsyncEngine

from storage.forgetting import drop_older, forget, keys_of, not_forgotten
from stream_apps.deliveries import Delivery
from stream_apps.presence import Outputs
from undertone.deletions import deletion_of, read_deletions
from undertone.events import Deletion
from undertone.identifiers import make_session_id, session_of_key
from undertone.retention import oldest_kept_ms
from undertone.retry import retry
from undertone.settings import Settings
from undertone.topics import DELETIONS, UTTERANCES, WINDOWS, Topic

log = logging.getLogger(__name__)

TOMBSTONES_AT_ONCE = 100
DELETIONS_AT_ONCE = 500
EXPIRE_EVERY_S = 3600.0
EXPIRE_ROWS = 5000

T = TypeVar("T")


class Persist(Protocol):
    """Does work in the database, again and again while that is away."""

    async def __call__(self, work: Callable[[], Awaitable[T]]) -> T: ...


class Oblivion:
    """Which sessions of the partitions at hand are deleted, and what is done about them."""

    def __init__(self, settings: Settings, engine: AsyncEngine, outputs: Outputs, persist: Persist) -> None:
        self._settings = settings
        self._engine = engine
        self._outputs = outputs
        self._persist = persist
        self._known: dict[str, Deletion] = {}
        self._deleted: set[str] = set()

    async def read_back(self, partitions: frozenset[int]) -> None:
        """Before the first record: read which sessions are deleted."""
        self._known = await retry(lambda: read_deletions(self._settings, sorted(partitions)))
        self._deleted = set(self._known)

    async def catch_up(self) -> None:
        """Forget what was read back and the database does not know to be deleted.

        It does not after a return to an older backup of it, or if the archivist was killed before it could forget.
        """
        known, self._known = self._known, {}
        for some in _chunks(list(known), DELETIONS_AT_ONCE):
            unknown = await self._persist(lambda some=some: not_forgotten(self._engine, some))  # type: ignore[misc]
            await self._forget([known[session_id] for session_id in unknown])

    async def obey(self, deliveries: Sequence[Delivery]) -> None:
        """Forget the sessions whose deletions are among these. All of it is durable on return."""
        await self._forget([deletion for delivery in deliveries if (deletion := _deletion(delivery)) is not None])

    def covers(self, delivery: Delivery) -> bool:
        """Whether it is of a deleted session, and on its way since before that or replayed."""
        return delivery.topic is not DELETIONS and session_of_key(delivery.key) in self._deleted

    async def bury(self, deliveries: Sequence[Delivery]) -> None:
        """End the keys of those among these that came late; durable on return."""
        for delivery in filter(self.covers, deliveries):
            session_id = session_of_key(delivery.key)
            if delivery.topic in (UTTERANCES, WINDOWS) and delivery.value is not None and delivery.key and session_id:
                await self._end(delivery.topic, session_id, [delivery.key])

    async def expire(self) -> None:
        """For ever: remove what is past the retention of text, a bounded number of rows at a time."""
        while True:
            while dropped := await self._persist(self._drop_some):
                log.info("%d rows were past the retention of text", dropped)
            await asyncio.sleep(EXPIRE_EVERY_S)

    async def _drop_some(self) -> int:
        oldest = oldest_kept(self._settings)
        return 0 if oldest is None else await drop_older(self._engine, oldest, EXPIRE_ROWS)

    async def _forget(self, deletions: Sequence[Deletion]) -> None:
        self._deleted |= {deletion.session_id for deletion in deletions}
        for session_id in [deletion.session_id for deletion in deletions]:
            keys = await self._persist(lambda session_id=session_id: keys_of(self._engine, session_id))  # type: ignore[misc]
            for topic in (UTTERANCES, WINDOWS):
                await self._end(topic, session_id, [key.encode() for key in keys[topic.name]])
        await self._persist(lambda: forget(self._engine, deletions))

    async def _end(self, topic: Topic, session_id: str, keys: Sequence[bytes]) -> None:
        for some in _chunks(keys, TOMBSTONES_AT_ONCE):
            await asyncio.gather(*(self._outputs.bury(topic, session_id, key) for key in some))


def oldest_kept(settings: Settings) -> str | None:
    """The id below which sessions are past the retention of text; None where text is kept for ever."""
    oldest_ms = oldest_kept_ms(settings, datetime.now(UTC))
    return None if oldest_ms is None else make_session_id(oldest_ms, 0)


def _deletion(delivery: Delivery) -> Deletion | None:
    if delivery.topic is not DELETIONS:
        return None
    return deletion_of(delivery.key, delivery.value, delivery.headers, delivery.timestamp_ms)


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
