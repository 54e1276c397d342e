"""Forgetting: sessions that somebody deleted, and text that is past its age."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.engine import reading, writing
from storage.schema import deletions, progress, sessions, utterances, windows
from undertone.events import Deletion
from undertone.identifiers import mark_key, window_key

CONTENT = (sessions, utterances, windows, progress)
"""All that holds rows of a session. Whoever finds one is known by its row in `sessions`: that goes first."""
_LOCK = 0x666F72676574  # "forget": shared by those who store, exclusive for who forgets


async def forget(engine: AsyncEngine, given: Sequence[Deletion]) -> None:
    """Remove every row of these sessions, and keep that they were deleted: ``store`` takes nothing of them from now on.

    Durable on return; one transaction, which a second time changes nothing. Raises ``TransientError`` while
    PostgreSQL is away.
    """
    if not given:
        return
    async with writing(engine) as connection:
        # Who has begun to store, and does not know of the deletion, comes to its end first.
        await connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
        await connection.execute(
            insert(deletions).on_conflict_do_nothing(),
            [{"session_id": one.session_id, "requested_at": one.requested_at} for one in given],
        )
        for table in CONTENT:
            mine = table.c.session_id.in_([one.session_id for one in given])
            await connection.execute(delete(table).where(mine))


async def deleted_among(connection: AsyncConnection, session_ids: set[str]) -> set[str]:
    """Which of these were deleted. Until the transaction ends no other is, so that what is stored in it may be."""
    await connection.execute(select(func.pg_advisory_xact_lock_shared(_LOCK)))
    found = await connection.scalars(select(deletions.c.session_id).where(deletions.c.session_id.in_(session_ids)))
    return set(found)


async def not_forgotten(engine: AsyncEngine, session_ids: Sequence[str]) -> set[str]:
    """Which of these are not kept as deleted, as after a return to an older backup. Raises as ``forget`` does."""
    async with reading(engine) as connection:
        query = select(deletions.c.session_id).where(deletions.c.session_id.in_(session_ids))
        return set(session_ids) - set(await connection.scalars(query))


async def deleted_at(engine: AsyncEngine, session_id: str) -> datetime | None:
    """When somebody asked that a session be deleted; None if it is not deleted. Raises as ``forget`` does."""
    async with reading(engine) as connection:
        query = select(deletions.c.requested_at).where(deletions.c.session_id == session_id)
        found: datetime | None = await connection.scalar(query)
        return found


async def keys_of(engine: AsyncEngine, session_id: str) -> dict[str, list[str]]:
    """The keys, by the name of their topic, under which the log holds what is stored of a session.

    Raises as ``forget`` does.
    """
    finals = select(utterances.c.utterance_id).where(utterances.c.session_id == session_id)
    places = select(windows.c.size_ms, windows.c.start_ms).where(windows.c.session_id == session_id)
    async with reading(engine) as connection:
        return {
            "utterances": [*await connection.scalars(finals), mark_key(session_id)],
            "windows": [window_key(session_id, *place) for place in await connection.execute(places)],
        }


async def older(engine: AsyncEngine, oldest: str, limit: int) -> list[str]:
    """Some sessions with ids below ``oldest``, up to ``limit``; none if no table has a row of any.

    Raises as ``forget`` does.
    """
    found = set[str]()
    async with reading(engine) as connection:
        for table in CONTENT:
            mine = select(table.c.session_id).where(table.c.session_id < oldest)
            found |= set(await connection.scalars(mine.order_by(table.c.session_id).limit(limit)))
    return sorted(found)[:limit]


async def drop(engine: AsyncEngine, session_id: str) -> None:
    """Remove the rows of a session that is past its age, in one transaction. Raises as ``forget`` does."""
    async with writing(engine) as connection:
        for table in CONTENT:
            await connection.execute(delete(table).where(table.c.session_id == session_id))
