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

from storage.forgetting import deleted_at, drop, forget, keys_of, not_forgotten, older
from storage.horizon import move_horizon, read_horizon
from stream_apps.deliveries import Delivery
from stream_apps.presence import Outputs
from undertone.deletions import deletion_of, read_deletions
from undertone.errors import PoisonError
from undertone.events import Deletion
from undertone.identifiers import make_session_id, session_of_key
from undertone.retention import SWEEP_MS, oldest_kept_ms
from undertone.retry import retry
from undertone.settings import Settings
from undertone.topics import DAY_MS, DELETIONS, UTTERANCES, WINDOWS, Topic

log = logging.getLogger(__name__)

TOMBSTONES_AT_ONCE = 100
DELETIONS_AT_ONCE = 500
EXPIRE_EVERY_S = 3600.0
EXPIRE_SESSIONS = 100

T = TypeVar("T")


class Persist(Protocol):
    """Does work in the database, again and again while that is away."""

    async def __call__(self, work: Callable[[], Awaitable[T]]) -> T: ...


class Oblivion:
    """Which sessions of the partitions at hand are deleted or past their age, and what is done about them."""

    def __init__(
        self,
        settings: Settings,
        engine: AsyncEngine,
        outputs: Outputs,
        persist: Persist,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._outputs = outputs
        self._persist = persist
        self._clock = clock
        self._known: dict[str, Deletion] = {}
        self._deleted: set[str] = set()
        self._horizon = ""

    async def read_back(self, partitions: frozenset[int]) -> None:
        """Before the first record: read which sessions are deleted."""
        self._known = await retry(lambda: read_deletions(self._settings, sorted(partitions)))
        self._deleted = set(self._known)

    async def catch_up(self) -> None:
        """Learn the horizon, and forget what was read back and the database does not know to be deleted.

        It does not after a return to an older backup of it, or if the archivist was killed before it could forget.
        """
        self._horizon = await self._persist(lambda: read_horizon(self._engine))
        known, self._known = self._known, {}
        for some in _chunks(list(known), DELETIONS_AT_ONCE):
            unknown = await self._persist(lambda some=some: not_forgotten(self._engine, some))  # type: ignore[misc]
            await self._forget([known[session_id] for session_id in unknown])

    async def obey(self, deliveries: Sequence[Delivery]) -> None:
        """Forget the sessions whose deletions are among these. All of it is durable on return.

        What lies under a session's key in the place of its deletion takes nothing back: where the session is deleted,
        the deletion is written again, since compaction keeps the last record of a key alone.
        """
        told = [delivery for delivery in deliveries if delivery.topic is DELETIONS]
        await self._forget([deletion for delivery in told if (deletion := _deletion(delivery)) is not None])
        for session_id in {session_of_key(delivery.key) for delivery in told if _deletion(delivery) is None}:
            if session_id is not None:
                await self._write_again(session_id)

    def check(self, delivery: Delivery) -> None:
        """Return if the record says what records of its topic say, where that is the topic of deletions.

        Raises ``PoisonError``.
        """
        if delivery.topic is DELETIONS:
            deletion_of(delivery.key, delivery.value, delivery.headers)

    async def _write_again(self, session_id: str) -> None:
        requested_at = await self._persist(lambda: deleted_at(self._engine, session_id))
        if requested_at is not None:
            log.warning("the deletion of %s was overwritten in the log, and is written again", session_id)
            deletion = Deletion(session_id=session_id, requested_at=requested_at, requested_by="unknown")
            await self._outputs.put(DELETIONS, session_id, deletion)

    def covers(self, delivery: Delivery) -> bool:
        """Whether it is of a session that is deleted or behind the horizon, and came late or is replayed."""
        session_id = session_of_key(delivery.key)
        if session_id is None or delivery.topic is DELETIONS:
            return False
        return session_id in self._deleted or session_id < self._kept_from()

    async def bury(self, deliveries: Sequence[Delivery]) -> None:
        """End the keys of those among these that came late; durable on return."""
        for delivery in filter(self.covers, deliveries):
            session_id = session_of_key(delivery.key)
            if delivery.topic in (UTTERANCES, WINDOWS) and delivery.value is not None and delivery.key and session_id:
                await self._end(delivery.topic, session_id, [delivery.key])

    async def expire(self) -> None:
        """For ever: end the keys, then remove the rows of what is past the retention of text, session by session."""
        while True:
            if oldest := self._oldest_kept():
                await self._move_horizon(oldest)
            while sessions := await self._persist(self._past):
                for session_id in sessions:
                    await self._end_keys(session_id)
                    await self._persist(lambda session_id=session_id: drop(self._engine, session_id))  # type: ignore[misc]
                log.info("%d sessions were past the retention of text", len(sessions))
            await asyncio.sleep(EXPIRE_EVERY_S)

    def _oldest_kept(self) -> str | None:
        """The id below which sessions are past the retention of text by the clock; None where text is kept for ever."""
        oldest_ms = oldest_kept_ms(self._settings, self._clock())
        return None if oldest_ms is None else make_session_id(oldest_ms, 0)

    async def _move_horizon(self, oldest: str) -> None:
        step = await self._persist(lambda: move_horizon(self._engine, oldest, EXPIRE_EVERY_S))
        self._horizon = step.kept_from
        if step.left_ms:
            log.error(
                "%.1f days of history are still past the retention of text. They go %d days at a time, an hour apart. "
                "If the clock of this machine is wrong, stop the archivist and set it",
                step.left_ms / DAY_MS,
                SWEEP_MS // DAY_MS,
            )

    async def _past(self) -> list[str]:
        end = self._kept_from()
        return await older(self._engine, end, EXPIRE_SESSIONS) if end else []

    def _kept_from(self) -> str:
        """The id below which nothing is kept: the horizon, unless it lies ahead of the clock; empty keeps all."""
        return min(self._horizon, self._oldest_kept() or "")

    async def _forget(self, deletions: Sequence[Deletion]) -> None:
        self._deleted |= {deletion.session_id for deletion in deletions}
        for deletion in deletions:
            await self._end_keys(deletion.session_id)
        await self._persist(lambda: forget(self._engine, deletions))

    async def _end_keys(self, session_id: str) -> None:
        keys = await self._persist(lambda: keys_of(self._engine, session_id))
        for topic in (UTTERANCES, WINDOWS):
            await self._end(topic, session_id, [key.encode() for key in keys[topic.name]])

    async def _end(self, topic: Topic, session_id: str, keys: Sequence[bytes]) -> None:
        for some in _chunks(keys, TOMBSTONES_AT_ONCE):
            await asyncio.gather(*(self._outputs.bury(topic, session_id, key) for key in some))


def _deletion(delivery: Delivery) -> Deletion | None:
    try:
        return deletion_of(delivery.key, delivery.value, delivery.headers)
    except PoisonError:  # told by ``check``
        return None


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    return (items[start : start + size] for start in range(0, len(items), size))
