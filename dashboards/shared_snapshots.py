"""Snapshots for viewers: one for all who come together, few made at a time, and a limit on those not sent yet."""

import asyncio
import logging
from weakref import WeakSet

from sqlalchemy.ext.asyncio import AsyncEngine

from dashboards.encoded import EncodedSnapshot, encode
from dashboards.hub import Hub
from dashboards.snapshots import ringed_snapshot, stored_snapshot
from undertone.errors import Refusal, TransientError
from undertone.settings import Settings

log = logging.getLogger(__name__)

AT_A_TIME = 2
MOST_KEPT_BYTES = 128_000_000
"""Of snapshots that viewers have still to take."""


class SharedSnapshots:
    """Makes them from ``engine``, or from the hub's ring while PostgreSQL is away."""

    def __init__(self, settings: Settings, engine: AsyncEngine) -> None:
        self._settings = settings
        self._engine = engine
        self._making = asyncio.Semaphore(AT_A_TIME)
        self._tasks: dict[str | None, asyncio.Task[EncodedSnapshot]] = {}
        self._kept: WeakSet[EncodedSnapshot] = WeakSet()

    async def get(self, hub: Hub, session_id: str | None) -> EncodedSnapshot:
        """One for all who come while it is being made: an older one only has more of the stream behind it.

        Raises ``Refusal`` while viewers who take theirs slowly keep too many in memory.
        """
        making = self._tasks.get(session_id)
        if making is None:
            self._check_room()
            making = self._tasks[session_id] = asyncio.create_task(self._make(hub, session_id))
            making.add_done_callback(lambda task: self._end(session_id, task))
        return await asyncio.shield(making)

    async def close(self) -> None:
        """Give up those that are being made: their connections must not outlive the engine."""
        making = list(self._tasks.values())
        for task in making:
            task.cancel()
        await asyncio.gather(*making, return_exceptions=True)

    def _end(self, session_id: str | None, task: asyncio.Task[EncodedSnapshot]) -> None:
        del self._tasks[session_id]
        if not task.cancelled():
            task.exception()  # all who waited for it may have left

    async def _make(self, hub: Hub, session_id: str | None) -> EncodedSnapshot:
        async with self._making:
            self._check_room()  # many may have been asked for while there was room
            try:
                snapshot = await stored_snapshot(self._engine, self._settings, hub, session_id)
            except TransientError as error:
                log.warning("a viewer begins without the history: %s", error)
                snapshot = await ringed_snapshot(hub, session_id)
            encoded = await encode(snapshot)
        self._kept.add(encoded)
        return encoded

    def _check_room(self) -> None:
        kept_bytes = sum(snapshot.size_bytes for snapshot in self._kept)
        if kept_bytes > MOST_KEPT_BYTES:
            raise Refusal(
                "too_many_viewers",
                f"viewers have still to take {kept_bytes // 1_000_000} MB of snapshots: try again later",
                status=503,
                retryable=True,
                retry_after_ms=10_000,
            )
