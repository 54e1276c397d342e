"""What the read side asks. Every answer is bounded; pages are by key, so new rows shift nothing."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

from sqlalchemy import BigInteger, Select, func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from storage.cursors import make_cursor, read_cursor
from storage.rows import event_of, events_of
from storage.schema import progress, sessions, source_offsets, utterances, windows
from undertone.audio import SAMPLES_PER_MS, to_samples
from undertone.events import Session, Utterance, Window
from undertone.parts import map_in_parts
from undertone.windows import BEGINNING, Place, fill_in_parts, length_ms, places, places_back

T = TypeVar("T")
_BIGGEST = 2**63 - 1
ROWS_AT_ONCE = 500
SESSIONS_AT_ONCE = 20


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items, and the cursor of the next page; None when these were the last."""

    items: list[T]
    next: str | None


async def one_session(connection: AsyncConnection, session_id: str) -> Session | None:
    """The session as last stored, or None."""
    query = select(sessions).where(sessions.c.session_id == session_id)
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else event_of(Session, dict(row))


async def sessions_of(connection: AsyncConnection, session_ids: Collection[str]) -> list[Session]:
    """Those of the sessions that are stored, newest first."""
    query = select(sessions).where(sessions.c.session_id.in_(session_ids))
    return await events_of(Session, await all_rows(connection, query.order_by(sessions.c.session_id.desc())))


async def one_utterance(connection: AsyncConnection, session_id: str, utterance_id: str) -> Utterance | None:
    """The session's utterance of this id, or None."""
    query = select(utterances).where(utterances.c.utterance_id == utterance_id, utterances.c.session_id == session_id)
    row = (await connection.execute(query)).mappings().first()
    return None if row is None else event_of(Utterance, dict(row))


async def end_of_unheard(connection: AsyncConnection, session_id: str, begins: int) -> int:
    """Where the session's last utterance ends whose audio lies before the offset ``begins``; 0 without one."""
    first_offset = utterances.c.audio["first_offset"].astext.cast(BigInteger)
    query = select(func.max(utterances.c.end_ms)).where(utterances.c.session_id == session_id, first_offset < begins)
    return (await connection.execute(query)).scalar() or 0


async def utterance_page(
    connection: AsyncConnection,
    session_id: str,
    *,
    from_ms: int | None = None,
    backwards: bool = False,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[Utterance]:
    """A session's utterances in order of time, from ``from_ms`` on; ``backwards`` the latest first, all before it."""
    start = utterances.c.first_sample
    query = select(utterances).where(utterances.c.session_id == session_id)
    query = query.order_by(start.desc() if backwards else start)
    if from_ms is not None:
        sample = bounded(to_samples(from_ms))
        query = query.where(start < sample if backwards else start >= sample)
    if cursor is not None:
        (last,) = read_cursor("utterances", cursor, int)
        query = query.where(start < bounded(last) if backwards else start > bounded(last))
    rows, more = await fetch(connection, query, limit)
    found = await events_of(Utterance, rows)
    return Page(found, make_cursor("utterances", found[-1].first_sample) if more else None)


async def window_page(
    connection: AsyncConnection,
    session_id: str,
    *,
    size_ms: int | None = None,
    cursor: str | None = None,
    limit: int = 1000,
) -> Page[Window]:
    """A session's windows, empty ones included, by size, then start; ``size_ms`` None is all, 0 the whole session."""
    after = BEGINNING if cursor is None else Place(*map(bounded, read_cursor("windows", cursor, int, int)))
    whole = await _whole_window(connection, session_id)  # read first: windows up to its ``seq`` are stored by then
    query = select(windows).where(windows.c.session_id == session_id).order_by(windows.c.size_ms, windows.c.start_ms)
    query = query.where(windows.c.size_ms == bounded(size_ms)) if size_ms is not None else query
    query = query.where(tuple_(windows.c.size_ms, windows.c.start_ms) > tuple_(*after))
    rows, _ = await fetch(connection, query, limit)
    stored = await events_of(Window, rows)
    wanted = islice(places(length_ms(whole) if whole else 0, after, size_ms), limit + 1)
    filled = sorted((await fill_in_parts(stored, wanted, whole)).items())
    found = [window for _, window in filled[:limit]]
    return Page(found, make_cursor("windows", *filled[limit - 1][0]) if len(filled) > limit else None)


async def last_utterances(connection: AsyncConnection, session_id: str, limit: int) -> tuple[list[Utterance], bool]:
    """A session's last ``limit`` utterances, in order of time, and whether there are more before them."""
    query = select(utterances).where(utterances.c.session_id == session_id).order_by(utterances.c.first_sample.desc())
    rows, more = await fetch(connection, query, limit)
    return await events_of(Utterance, reversed(rows)), more


async def last_windows(connection: AsyncConnection, session_id: str, limit: int) -> list[Window]:
    """A session's whole-session window if it has one, then its last ``limit`` windows by start, empty ones included.

    Several queries: within a transaction that is REPEATABLE READ they see one moment.
    """
    whole = await _whole_window(connection, session_id)
    query = select(windows).where(windows.c.session_id == session_id, windows.c.size_ms > 0)
    query = query.order_by(windows.c.start_ms.desc(), windows.c.size_ms)
    stored: list[Window] = []
    for start in range(0, limit, ROWS_AT_ONCE):
        rows = await all_rows(connection, query.limit(min(ROWS_AT_ONCE, limit - start)).offset(start))
        stored += await events_of(Window, rows)
        if len(rows) < ROWS_AT_ONCE:
            break
    wanted = islice(places_back(length_ms(whole) if whole else 0), limit)
    filled = sorted(
        (await fill_in_parts(stored, wanted, whole)).values(), key=lambda window: (window.start_ms, -window.size_ms)
    )
    return [*([whole] if whole else []), *filled[-limit:]]


async def last_of_each(connection: AsyncConnection, session_ids: Sequence[str]) -> list[Utterance]:
    """The last utterance of each session that has one."""
    last = (
        select(utterances.c.session_id, func.max(utterances.c.first_sample).label("first_sample"))
        .where(utterances.c.session_id.in_(session_ids))
        .group_by(utterances.c.session_id)
        .subquery()
    )
    query = select(utterances).join(
        last,
        (utterances.c.session_id == last.c.session_id) & (utterances.c.first_sample == last.c.first_sample),
    )
    return await events_of(Utterance, await all_rows(connection, query.order_by(utterances.c.session_id)))


async def whole_windows(connection: AsyncConnection, session_ids: Sequence[str]) -> list[Window]:
    """The whole-session window (``size_ms`` 0) of each session that has one."""
    query = select(windows).where(windows.c.session_id.in_(session_ids), windows.c.size_ms == 0)
    return await events_of(Window, await all_rows(connection, query.order_by(windows.c.session_id)))


async def _whole_window(connection: AsyncConnection, session_id: str) -> Window | None:
    return next(iter(await whole_windows(connection, [session_id])), None)


async def scored_windows(
    connection: AsyncConnection, session_ids: Sequence[str], size_ms: int, back_ms: int
) -> list[Window]:
    """The windows of one size that have a score, of the last ``back_ms`` heard of each session, in order of time.

    Several queries, as ``last_windows``.
    """
    since_ms = progress.c.through // SAMPLES_PER_MS - back_ms
    query = (
        select(windows)
        .join(progress, progress.c.session_id == windows.c.session_id)
        .where(windows.c.size_ms == size_ms, windows.c.score.is_not(None), windows.c.start_ms >= since_ms)
        .order_by(windows.c.session_id, windows.c.start_ms)
    )
    names, found = sorted(session_ids), list[Window]()
    for start in range(0, len(names), SESSIONS_AT_ONCE):
        some = names[start : start + SESSIONS_AT_ONCE]
        rows = await all_rows(connection, query.where(progress.c.session_id.in_(some)))
        found += await events_of(Window, rows)
    return found


async def through_of(connection: AsyncConnection, session_ids: Sequence[str]) -> dict[str, int]:
    """The sample up to which each session's finals and marks are stored."""
    rows = await connection.execute(select(progress).where(progress.c.session_id.in_(session_ids)))
    return {row.session_id: row.through for row in rows}


async def progress_of(connection: AsyncConnection, session_id: str) -> tuple[int, int]:
    """The ``seq`` and the sample up to which a session's finals and marks are stored; zeros where none are."""
    row = (await connection.execute(select(progress).where(progress.c.session_id == session_id))).first()
    return (0, 0) if row is None else (row.seq, row.through)


async def stored_offsets(connection: AsyncConnection) -> dict[tuple[str, int], int]:
    """The next offset to be stored of every (topic, partition) that was ever read."""
    rows = await connection.execute(select(source_offsets))
    return {(row.topic, row.partition): row.next_offset for row in rows}


def bounded(number: Any) -> int:
    """``number`` within what a bigint column can be compared with."""
    return max(-_BIGGEST, min(int(number), _BIGGEST))


async def fetch(connection: AsyncConnection, query: Select[Any], limit: int) -> tuple[list[dict[str, Any]], bool]:
    """Up to ``limit`` rows, and whether there are more."""
    rows = await all_rows(connection, query.limit(limit + 1))
    return rows[:limit], len(rows) > limit


async def all_rows(connection: AsyncConnection, query: Select[Any]) -> list[dict[str, Any]]:
    """All rows, made into dictionaries in parts. The driver reads them in one go: ask for some hundreds at most."""
    return await map_in_parts(dict, (await connection.execute(query)).mappings())
