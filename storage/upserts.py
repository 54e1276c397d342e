"""What the archivist stores: one batch of records, their effects and their source offsets in one transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, delete, or_, select, tuple_, update
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.engine import writing
from storage.forgetting import deleted_among
from storage.rows import row_of, search_columns
from storage.schema import progress, sessions, source_offsets, utterances, windows
from undertone.events import Event, Mark, Session, Utterance, Window


@dataclass(frozen=True, slots=True)
class Sourced:
    """An event, None for a record without effect, and where it was read: full name of the topic, partition, offset."""

    topic: str
    partition: int
    offset: int
    event: Event | None


async def store(engine: AsyncEngine, batch: Sequence[Sourced]) -> int:
    """Apply ``batch``, in order, and return how many of its records were new. Durable on return; all or nothing.

    Records below the stored offset of their partition are repeats. The first final with an id or a ``seq`` wins;
    a window is replaced by a higher ``seq``; a session by a higher ``seq``, or the same from later in the log.
    Nothing is stored of deleted sessions: see ``storage.forgetting``.
    Raises ``TransientError`` while PostgreSQL is away, ``PoisonError`` if it rejects a value of some record.
    """
    if not batch:
        return 0
    async with writing(engine) as connection:
        fresh = await _take(connection, batch)
        kept = await _without_forgotten(connection, fresh)
        await _store_sessions(connection, kept)
        await _store_finals(connection, [item.event for item in kept])
        await _store_windows(connection, [item.event for item in kept])
    return len(fresh)


async def forget_place(engine: AsyncEngine, topic: str, partition: int) -> None:
    """Forget how far a partition is stored, so that all of it is new again. Durable on return.

    For a log that begins anew or was set back; the events' ``seq`` still tells repeats. Raises ``TransientError``
    as ``store`` does.
    """
    place = and_(source_offsets.c.topic == topic, source_offsets.c.partition == partition)
    async with writing(engine) as connection:
        await connection.execute(delete(source_offsets).where(place))
        # Of two states with the same seq the later in the log wins: nothing there is earlier than what was lost.
        await connection.execute(update(sessions).values(log_offset=-1))


async def _take(connection: AsyncConnection, batch: Sequence[Sourced]) -> list[Sourced]:
    """Advance the source offsets and return what lies beyond them.

    Their rows stay locked until the transaction ends, so of two writers of one partition (the late one is about to
    find out that it lost it) the second sees what the first has stored.
    """
    places = sorted({(item.topic, item.partition) for item in batch})
    await connection.execute(
        insert(source_offsets).on_conflict_do_nothing(),
        [{"topic": topic, "partition": partition, "next_offset": 0} for topic, partition in places],
    )
    locked = await connection.execute(
        select(source_offsets)
        .where(tuple_(source_offsets.c.topic, source_offsets.c.partition).in_(places))
        .order_by(source_offsets.c.topic, source_offsets.c.partition)
        .with_for_update()
    )
    following = {(row.topic, row.partition): row.next_offset for row in locked}
    fresh = []
    for item in batch:
        if item.offset >= following[item.topic, item.partition]:
            following[item.topic, item.partition] = item.offset + 1
            fresh.append(item)
    statement = insert(source_offsets)
    await _execute(
        connection,
        _replace(statement, source_offsets, statement.excluded.next_offset > source_offsets.c.next_offset),
        [
            {"topic": topic, "partition": partition, "next_offset": offset}
            for (topic, partition), offset in following.items()
        ],
    )
    return fresh


async def _without_forgotten(connection: AsyncConnection, batch: Sequence[Sourced]) -> list[Sourced]:
    kept = [
        (item, item.event.session_id)
        for item in batch
        if isinstance(item.event, Session | Utterance | Mark | Window)
        and not (isinstance(item.event, Session) and item.event.state == "deleted")
    ]
    deleted = await deleted_among(connection, {session_id for _, session_id in kept})
    return [item for item, session_id in kept if session_id not in deleted]


async def _store_sessions(connection: AsyncConnection, batch: Iterable[Sourced]) -> None:
    statement = insert(sessions)
    given = statement.excluded
    later = and_(given.seq == sessions.c.seq, given.log_offset > sessions.c.log_offset)
    rows = [row_of(item.event) | {"log_offset": item.offset} for item in batch if isinstance(item.event, Session)]
    await _execute(connection, _replace(statement, sessions, or_(given.seq > sessions.c.seq, later)), rows)


async def _store_finals(connection: AsyncConnection, batch: Iterable[Event | None]) -> None:
    """Store finals and the progress of their sessions; a final or mark at or below that progress is a repeat."""
    events = [event for event in batch if isinstance(event, Utterance | Mark)]
    if not events:
        return
    known = await connection.execute(
        select(progress).where(progress.c.session_id.in_({event.session_id for event in events}))
    )
    reached = {row.session_id: (row.seq, row.through) for row in known}
    rows = []
    for event in events:
        seq, through = reached.get(event.session_id, (0, 0))
        if event.seq > seq:
            reached[event.session_id] = (event.seq, max(through, event.through))
            if isinstance(event, Utterance):
                found_by = search_columns(event.session_id, event.text, event.quality.suppressed)
                rows.append(row_of(event) | found_by | {"words": event.words})
    await _execute(connection, insert(utterances).on_conflict_do_nothing(), rows)
    statement = insert(progress)
    await _execute(
        connection,
        _replace(statement, progress, statement.excluded.seq > progress.c.seq),
        [
            {"session_id": session_id, "seq": seq, "through": through}
            for session_id, (seq, through) in sorted(reached.items())
        ],
    )


async def _store_windows(connection: AsyncConnection, batch: Iterable[Event | None]) -> None:
    statement = insert(windows)
    rows = [row_of(event) for event in batch if isinstance(event, Window)]
    await _execute(connection, _replace(statement, windows, statement.excluded.seq > windows.c.seq), rows)


def _replace(statement: Insert, table: Table, newer: ColumnElement[bool]) -> Insert:
    """``statement``, which replaces the whole row that is there if it is ``newer``."""
    keys = {column.name for column in table.primary_key}
    others = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if column.name not in keys and column.computed is None
    }
    return statement.on_conflict_do_update(index_elements=sorted(keys), set_=others, where=newer)


async def _execute(connection: AsyncConnection, statement: Insert, rows: Sequence[dict[str, Any]]) -> None:
    if rows:
        await connection.execute(statement, rows)
